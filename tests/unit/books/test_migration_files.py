"""
Files of migrations are read strictly.
"""

from pathlib import Path

import pytest

from gateway.books.migrate import MigrationError, read_migrations


def write(folder: Path, name: str, text: str = "SELECT 1;\n") -> None:
    """
    Put a file into a folder of migrations.
    """
    (folder / name).write_text(text, encoding="utf-8")


def test_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """
    Numbers order them; what is no SQL is left alone.
    """
    for name in ("0002_post_two.sql", "0001_pre_one.sql", "README.md"):
        write(tmp_path, name)

    names = [migration.name for migration in read_migrations(tmp_path)]

    assert ["0001_pre_one.sql", "0002_post_two.sql"] == names


@pytest.mark.parametrize("name", ["one.sql", "1_pre_one.sql", "0001_mid_one.sql"])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    """
    A file that nobody would apply is a mistake, not a migration.
    """
    write(tmp_path, name)

    with pytest.raises(MigrationError, match="is named NNNN_pre_what"):
        read_migrations(tmp_path)


def test_a_number_stands_once(tmp_path: Path) -> None:
    """
    Two branches that took the same number are found before they run.
    """
    write(tmp_path, "0001_pre_one.sql")
    write(tmp_path, "0001_pre_other.sql")

    with pytest.raises(MigrationError, match="this number"):
        read_migrations(tmp_path)


@pytest.mark.parametrize(
    ("text", "timeout"),
    [
        ("SELECT 1;\n", "5s"),
        ("-- Moves data.\n-- statement_timeout: 10min\nSELECT 1;\n", "10min"),
        ("SELECT 1;\n-- statement_timeout: 10min\n", "5s"),
    ],
)
def test_a_file_may_ask_for_more_time(tmp_path: Path, text: str, timeout: str) -> None:
    """
    The first comment of a file may raise the time of its statements.
    """
    write(tmp_path, "0001_pre_one.sql", text)

    (migration,) = read_migrations(tmp_path)

    assert timeout == migration.statement_timeout
