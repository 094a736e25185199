"""
Commands in the documents can be typed as they stand.
"""

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.console.root import app
from tests.architecture.tree import ROOT, refuse, text_of, written_files

CONSOLE_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENTRY_POINTS = "scrip.commands"
PAGES = [page for page in written_files(".md") if CONSOLE_BLOCK.search(text_of(page))]


def typed_lines(page: Path) -> Iterator[str]:
    """
    Give what a person types: lines after a prompt, continued ones joined.
    """
    for block in CONSOLE_BLOCK.findall(text_of(page)):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield line.removeprefix("$ ")


def added_commands() -> dict[str, str]:
    """
    Name the commands that other packages add, whether or not this one is installed.
    """
    project = tomllib.loads(text_of(Path("pyproject.toml")))["project"]
    added: dict[str, str] = project["entry-points"][ENTRY_POINTS]
    return added


def root_command() -> Any:
    """
    Give the `scrip` command.
    """
    return typer.main.get_command(app)


def added_command(name: str) -> Any:
    """
    Load a command of another package, by its entry point.
    """
    module, _, attribute = added_commands()[name].partition(":")
    return typer.main.get_command(
        getattr(importlib.import_module(module), attribute),
    )


def fault_of(words: list[str]) -> str | None:
    """
    Follow the words of a `scrip` command; say what there is not.
    """
    command, path = root_command(), "scrip"
    for word in words:
        if word.startswith("-"):
            option = word.partition("=")[0]
            known = {name for each in command.params for name in each.opts}
            known |= {name for each in command.params for name in each.secondary_opts}
            if option != "--help" and option not in known:
                return f"{path} has no option {option}"
        elif hasattr(command, "get_command"):
            if path == "scrip" and word in added_commands():
                found = added_command(word)
            else:
                found = command.get_command(None, word)
            if found is None:
                return f"{path} has no command {word}"
            command, path = found, f"{path} {word}"
    return None


def words_of(line: str) -> list[str]:
    """
    Split a line as a shell does, up to a comment, a pipe or a redirection.
    """
    words = shlex.split(line, comments=True)
    ends = [at for at, word in enumerate(words) if word in {"|", "<", ">", "&", "&&"}]
    words = words[: ends[0]] if ends else words
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    return words


def make_targets() -> set[str]:
    """
    Name what `make` can be asked for.
    """
    return set(
        re.findall(r"^([.a-z-]+):(?!=)", text_of(Path("Makefile")), re.MULTILINE)
    )


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_that_are_shown_exist(page: Path) -> None:
    """
    Each command and option of `scrip` is one it has, each target is in the Makefile.
    """
    problems = []
    for line in typed_lines(page):
        words = words_of(line)
        if not words:
            continue
        program, *rest = words
        if program == "scrip" or program.endswith("/scrip"):
            fault = fault_of(rest)
            if fault is not None:
                problems.append(f"{page}: {line}: {fault}")
        elif program == "make":
            targets = [word for word in rest if "=" not in word]
            problems += [
                f"{page}: {line}: there is no target {target}"
                for target in targets
                if target not in make_targets()
            ]

    refuse(problems, "Show only what can be typed.")


def test_this_test_finds_what_is_wrong() -> None:
    """
    A command or an option that does not exist is named.
    """
    assert fault_of(["version"]) is None
    assert fault_of(["nonsense"]) == "scrip has no command nonsense"
    assert fault_of(["migrate", "--sideways"]) == (
        "scrip migrate has no option --sideways"
    )
    assert words_of("DEMO_ONCE=1 make demo  # all") == ["make", "demo"]
    assert (ROOT / "Makefile").is_file()
