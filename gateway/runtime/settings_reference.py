"""
Write docs/reference/settings.md from the settings themselves.

`python -m gateway.runtime.settings_reference` writes it; with `--check` it only
tells whether the file is what would be written, so that the two cannot drift.
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args, get_origin

from gateway.runtime.settings import (
    FILE_SUFFIX,
    SettingField,
    Settings,
    setting_fields,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH: Final = Path("docs/reference/settings.md")

_COMMAND: Final = "python -m gateway.runtime.settings_reference"
_HEAD: Final = f"""\
<!-- Written by `{_COMMAND}`; do not edit. -->

# Settings

Everything is set by environment variables that start with `SCRIP_`; two
underscores stand between a group and its field. All have a default. A name that
does not exist, or a value out of bounds, stops the start, and all such faults are
listed at once. An empty value counts as not set. `scrip check-config` shows the
result with secrets masked.

A secret may also be given as a file: the same name with `{FILE_SUFFIX}` at its end.
"""


def reference_text() -> str:
    """
    Give the whole page.
    """
    parts = [_HEAD]
    for group, fields in groupby(setting_fields(), key=lambda field: field.path[:-1]):
        parts.append(_section(group, list(fields)))
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Write the page, or compare it.
    """
    parser = argparse.ArgumentParser(prog=_COMMAND, description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--path", type=Path, default=PATH, help="the page")
    options = parser.parse_args(arguments)
    path: Path = options.path
    text = reference_text()
    if not options.check:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{path} is not what the settings say; run: {_COMMAND}\n")
    return 1


def _section(group: tuple[str, ...], fields: list[SettingField]) -> str:
    title, purpose = "General", ""
    if group:
        title = group[0].capitalize()
        annotation = Settings.model_fields[group[0]].annotation
        purpose = " ".join((annotation.__doc__ or "").split()) + "\n\n"
    rows = "".join(_row(field) for field in fields)
    return (
        f"## {title}\n\n{purpose}"
        "| Variable | Default | Values | What it is |\n"
        f"| --- | --- | --- | --- |\n{rows}"
    )


def _row(field: SettingField) -> str:
    default = field.info.default
    shown = "(not set)" if default is None else f"`{default}`"
    return (
        f"| `{field.env_name}` | {shown} | {_values(field)} "
        f"| {field.info.description} |\n"
    )


def _values(field: SettingField) -> str:
    annotation = field.info.annotation
    if annotation is bool:
        return "`true`, `false`"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    bounds = {
        name: value
        for bound in field.info.metadata
        for name in ("ge", "le", "pattern")
        if (value := getattr(bound, name, None)) is not None
    }
    if "ge" in bounds:
        return f"{bounds['ge']:,} to {bounds['le']:,}"
    if "pattern" in bounds:
        return f"text like `{bounds['pattern']}`"
    if field.is_secret:
        return "secret address"
    return "path" if Path in (annotation, *get_args(annotation)) else "text"


if __name__ == "__main__":
    sys.exit(main())
