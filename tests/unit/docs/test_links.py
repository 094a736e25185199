"""
What the documents point at is there.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.runtime.settings import ENV_PREFIX, FILE_SUFFIX, setting_fields
from tests.architecture.tree import ROOT, refuse, syntax_of, text_of, written_files

LINE_LIMIT = 100

# Tables: one is written by a program, one reads best with a reason on one line.
WIDER = (Path("docs/reference/settings.md"), Path("docs/adr/0002-dependencies.md"))
NARROW = ("README.md", "ARCHITECTURE.md", "docs")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

# `gateway/engine/lane.py: Lane.submit`: a file, and what in it is meant.
PLACE = re.compile(r"`([a-z][\w/]*/[\w.]+\.(?:py|sql|lua|proto))(?:: ([\w.]+))?`")
SETTING = re.compile(rf"\b{ENV_PREFIX}[A-Z0-9_]*[A-Z0-9]\b")


def pages() -> list[Path]:
    """
    List the Markdown files.
    """
    return list(written_files(".md"))


def prose(page: Path) -> str:
    """
    Give a page without its blocks of code.
    """
    return CODE_BLOCK.sub("", text_of(page))


def anchors(page: Path) -> set[str]:
    """
    Give the anchors that a page's headings make.
    """
    kept = (re.sub(r"[^\w\- ]", "", title) for title in HEADING.findall(prose(page)))
    return {title.strip().lower().replace(" ", "-") for title in kept}


def names_in(module: ast.Module) -> Iterator[str]:
    """
    Name what a Python file defines: functions, classes, methods, constants.
    """
    for node in module.body:
        yield from names_of(node, "")


def names_of(node: ast.AST, prefix: str) -> Iterator[str]:
    """
    Name a definition, and what lies in it if it is a class.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield prefix + node.name
    elif isinstance(node, ast.ClassDef):
        yield prefix + node.name
        for inner in node.body:
            yield from names_of(inner, f"{prefix}{node.name}.")
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield prefix + node.target.id
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield prefix + target.id


def is_defined(path: Path, name: str) -> bool:
    """
    Tell whether a file defines what a document says is in it.
    """
    if path.suffix == ".py":
        return name in set(names_in(syntax_of(path)))
    return re.search(rf"\b{re.escape(name)}\b", text_of(path)) is not None


@pytest.mark.parametrize("page", pages(), ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    """
    A link to a file or to a heading of ours names one that exists.
    """
    problems = []
    for inline, reference in LINK.findall(prose(page)):
        target = inline or reference
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page.parent / name).resolve() if name else ROOT / page
        if not path.exists():
            problems.append(f"{page}: {target}: no such file")
        elif anchor and anchor not in anchors(path.relative_to(ROOT)):
            problems.append(f"{page}: {target}: no such heading")

    refuse(problems, "Correct the link, or write what it promises.")


@pytest.mark.parametrize("page", pages(), ids=str)
def test_code_that_is_named_is_there(page: Path) -> None:
    """
    A file that is named exists, and defines the function that is named with it.
    """
    problems = []
    for name, inside in PLACE.findall(text_of(page)):
        path = Path(name)
        if not (ROOT / path).is_file():
            problems.append(f"{page}: {name}: no such file")
        elif inside and not is_defined(path, inside):
            problems.append(f"{page}: {name} has no {inside}")

    refuse(problems, "The code moved: say where it is now.")


@pytest.mark.parametrize("page", pages(), ids=str)
def test_settings_that_are_named_exist(page: Path) -> None:
    """
    A variable in a document can be set.
    """
    known = {field.env_name for field in setting_fields()}
    known |= {name + FILE_SUFFIX for name in known}
    problems = [
        f"{page}: {name}"
        for name in SETTING.findall(text_of(page))
        if name not in known
    ]

    refuse(problems, "docs/reference/settings.md lists what can be set.")


def test_lines_fit_on_a_screen() -> None:
    """
    No line of a document has more than 100 characters, so that a change reads well.
    """
    problems = [
        f"{page}:{number}: {len(line)} characters"
        for page in written_files(".md", under=NARROW)
        if page not in WIDER
        for number, line in enumerate(text_of(page).splitlines(), start=1)
        if len(line) > LINE_LIMIT
    ]

    refuse(problems, f"Break the line before its character {LINE_LIMIT}.")
