"""
The files of the repository, as the architecture tests read them.
"""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("currency", "gateway", "loadtests", "till")
GENERATED = "proto/gen/"


@cache
def repository_files() -> tuple[Path, ...]:
    """
    List what is or could be committed, relative to the root.

    git decides; it knows what is ignored, and files not yet added count too. While a
    merge is not finished it names a file once for each side, so names are made one.
    """
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 -- wherever git is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = {Path(name) for name in listing.stdout.split("\0") if name}
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def written_files(*suffixes: str, under: tuple[str, ...] = ()) -> Iterator[Path]:
    """
    List the files that people write: not those that the proto compiler makes.
    """
    for path in repository_files():
        if path.as_posix().startswith(GENERATED):
            continue
        if suffixes and path.suffix not in suffixes:
            continue
        if under and not is_under(path, under):
            continue
        yield path


def is_under(path: Path, folders: tuple[str, ...]) -> bool:
    """
    Tell whether a path lies in one of the folders.
    """
    return any(path.is_relative_to(folder) for folder in folders)


def text_of(path: Path) -> str:
    """
    Read a file; bytes that are no text count as nothing.
    """
    return (ROOT / path).read_text(encoding="utf-8", errors="ignore")


@cache
def syntax_of(path: Path) -> ast.Module:
    """
    Parse a Python file.
    """
    return ast.parse(text_of(path), filename=str(path))


def refuse(problems: list[str], advice: str) -> None:
    """
    Fail with every problem found and with what to do instead.
    """
    if problems:
        pytest.fail("\n".join([advice, *problems]), pytrace=False)
