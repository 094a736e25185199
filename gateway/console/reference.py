"""
Write docs/reference/commands.md from the commands themselves.

`python -m gateway.console.reference` writes it; with `--check` it only tells whether
the file is what would be written, so that the two cannot drift.
"""

import argparse
import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import typer

from gateway.console.root import OWN_COMMANDS, app

PATH: Final = Path("docs/reference/commands.md")

_COMMAND: Final = "python -m gateway.console.reference"
_LINE_CHARACTERS: Final = 98
_KEPT_BLANK: Final = "\N{NO-BREAK SPACE}"
_TITLE: Final = f"<!-- Written by `{_COMMAND}`; do not edit. -->\n\n# Commands\n"
_EXIT_CODES: Final = """\
| Exit code | Meaning |
| --- | --- |
| 0 | done |
| 1 | could not be done, or a check failed |
| 2 | the input is wrong: the option, or line and field of a file, and the remedy |
"""
_CONVENTIONS: Final = """\
A name is made of codes: `MERCHANT`, `MERCHANT/STORE`, `MERCHANT/STORE/TERMINAL`,
`PROGRAM/PRODUCT`. A code is 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or
digit. A time has a zone, as 2025-01-01T00:00:00Z; a length of time is 7d, 36h or
1d12h30m; an amount has exactly its currency's digits.

A CSV file is UTF-8 with a header that names its columns, in any order. All of a file is
imported, or with any fault nothing, and all faults are told at once with line and
field. Results go to standard output and all else to standard error; `--json` gives
results to programs.

Other packages add commands of their own, as `scrip till` and `scrip demo`: see their
`--help`.
"""


def reference_text() -> str:
    """
    Give the whole page.
    """
    root: Any = typer.main.get_command(app)
    context = typer.Context(root, info_name="scrip")
    about, conventions = _filled(_about(root)), _filled(_CONVENTIONS)
    parts = [_TITLE, f"{about}\n", _EXIT_CODES, f"{conventions}\n"]
    parts.append(_section("scrip", root, with_text=False))
    for name in OWN_COMMANDS:
        command = root.get_command(context, name)
        parts += _sections(f"scrip {name}", command)
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
    sys.stderr.write(f"{path} is not what the commands say; run: {_COMMAND}\n")
    return 1


def _sections(path: str, command: Any) -> Iterator[str]:  # noqa: ANN401 -- typer's own type is private
    """
    Write a command, or each command of a group.
    """
    inner = getattr(command, "commands", {})
    if not inner:
        yield _section(path, command)
    for name, child in inner.items():
        yield from _sections(f"{path} {name}", child)


def _section(path: str, command: Any, *, with_text: bool = True) -> str:  # noqa: ANN401 -- as above
    parameters = [item for item in command.params if not item.hidden]
    # A line is not broken between an option and its value.
    usage = [word.replace(" ", _KEPT_BLANK) for word in _usage(parameters)]
    form = textwrap.fill(
        " ".join([path, *usage]),
        _LINE_CHARACTERS,
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    ).replace(_KEPT_BLANK, " ")
    lines = [f"## `{path}`\n", f"```text\n{form}\n```\n"]
    if with_text:
        lines.append(f"{_filled(_about(command))}\n")
    lines += [_parameter(item) for item in parameters]
    return "\n".join(lines).rstrip() + "\n"


def _usage(parameters: Sequence[Any]) -> Iterator[str]:
    for item in parameters:
        form = _form(item)
        if item.param_type_name == "argument":
            yield form
        else:
            yield form if item.required else f"[{form}]"


def _form(item: Any) -> str:  # noqa: ANN401 -- as above
    if item.param_type_name == "argument":
        return str(item.metavar or item.name.upper())
    name = "/".join([*item.opts, *item.secondary_opts])
    if item.is_flag:
        return name
    if item.metavar is None:
        message = f"{name} takes a value: say by `metavar` which"
        raise ValueError(message)
    return f"{name} {item.metavar}"


def _parameter(item: Any) -> str:  # noqa: ANN401 -- as above
    text = inspect.cleandoc(item.help or "")
    if item.required and item.param_type_name == "option":
        text = f"{text} Required."
    elif item.default not in (None, False, "") and not callable(item.default):
        default = getattr(item.default, "value", item.default)
        if not item.is_flag:
            text = f"{text} Default: {default}."
        elif item.secondary_opts:
            text = f"{text} Default: {item.opts[0]}."
    return textwrap.fill(
        f"- `{_form(item)}`: {' '.join(text.split())}",
        _LINE_CHARACTERS,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _about(command: Any) -> str:  # noqa: ANN401 -- as above
    return inspect.cleandoc(command.help or "")


def _filled(text: str) -> str:
    """
    Break paragraphs to the width of the page.
    """
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(
        textwrap.fill(part, _LINE_CHARACTERS, break_on_hyphens=False)
        for part in paragraphs
    )


if __name__ == "__main__":
    sys.exit(main())
