"""
Nothing unfinished, switched off or bound to one machine is committed.
"""

import re
from pathlib import Path

from tests.architecture.tree import (
    ROOT,
    refuse,
    repository_files,
    text_of,
    written_files,
)

SELF = Path(__file__).relative_to(ROOT)
CODE = (".lua", ".proto", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml", "")

UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK)\b")
SWITCHED_OFF = re.compile(
    r"\b(skip|skipif|skipIf|skipUnless|xfail|importorskip|expectedFailure)\s*\(|"
    r"\bmark\.(skip|skipif|xfail)\b",
)
# Folders in which a person or a machine keeps its own things. A container has
# none of them, and neither has a till.
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(root|home|Users|work|workspace)/\w")
INDEX_ADDRESS = re.compile(
    r"(?<!emit-)(index-url|find-links)|://[^\s\"'<>]*/simple\b|\bpypi\.org\b",
)


def lines_with(pattern: re.Pattern[str], path: Path) -> list[str]:
    """
    List where a pattern stands in a file.
    """
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_is_left_to_do() -> None:
    """
    No code carries a note that it is unfinished.
    """
    problems = [
        line
        for path in written_files(*CODE)
        if path != SELF
        for line in lines_with(UNFINISHED, path)
    ]

    refuse(problems, "Do it, or say in an issue what is missing and why it can wait.")


def test_no_test_is_switched_off() -> None:
    """
    No test is skipped or expected to fail.
    """
    problems = [
        line
        for path in written_files(".py", under=("tests",))
        if path != SELF
        for line in lines_with(SWITCHED_OFF, path)
    ]

    refuse(problems, "Mend the test or what it tests; a test that never runs is none.")


def test_no_path_of_a_machine_is_committed() -> None:
    """
    No file names a folder that exists on one machine only.
    """
    here = re.compile(re.escape(str(ROOT)))
    problems = [
        line
        for path in repository_files()
        if path != SELF
        for pattern in (MACHINE_PATH, here)
        for line in lines_with(pattern, path)
    ]

    refuse(problems, "Name paths relative to the repository, the package or a setting.")


def test_no_package_index_is_committed() -> None:
    """
    Where packages come from is the installing machine's choice.
    """
    problems = [
        line
        for path in repository_files()
        if path != SELF
        for line in lines_with(INDEX_ADDRESS, path)
    ]

    refuse(problems, "Leave addresses to pip's own configuration (see `make lock`).")


def test_requirements_are_pinned_by_hash_alone() -> None:
    """
    Each requirement is a name, a version and hashes, without an address.
    """
    for name in ("dev.txt", "run.txt"):
        text = text_of(Path("requirements") / name)

        assert "://" not in text
        assert "--hash=sha256:" in text


def test_leftovers_are_found() -> None:
    """
    Each pattern finds what it is for, and leaves its neighbours alone.
    """
    assert UNFINISHED.search("# TODO: later")
    assert not UNFINISHED.search("def todo_list(): ...")
    assert SWITCHED_OFF.search("@pytest.mark.skipif(True)")
    assert SWITCHED_OFF.search("pytest.skip('no server')")
    assert not SWITCHED_OFF.search("rows.skip_locked()")
    assert MACHINE_PATH.search("DATA = '/home/someone/data'")
    assert not MACHINE_PATH.search("see https://example.com/home/page")
    assert INDEX_ADDRESS.search("--extra-index-url https://example.com/simple")
    assert not INDEX_ADDRESS.search("uv pip compile --no-emit-index-url")
