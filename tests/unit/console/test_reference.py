"""
The page of commands is what the commands say.
"""

from pathlib import Path

import pytest
import typer

from gateway.console import reference
from gateway.console.root import OWN_COMMANDS
from tests.architecture.tree import ROOT

PAGE = ROOT / reference.PATH


def test_the_page_is_up_to_date() -> None:
    """
    Whoever changes a command writes the page anew: python -m gateway.console.reference.
    """
    assert PAGE.read_text(encoding="utf-8") == reference.reference_text()


def test_the_page_names_every_command_and_fits_its_lines() -> None:
    """
    Each of our commands has a section.
    """
    text = reference.reference_text()

    assert [] == [name for name in OWN_COMMANDS if f"## `scrip {name}" not in text]
    assert [] == [line for line in text.splitlines() if len(line) > 100]


def test_a_page_that_drifted_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    --check changes nothing and ends with 1 until the page is written.
    """
    page = tmp_path / "commands.md"

    assert 1 == reference.main(["--check", "--path", str(page)])
    assert "python -m gateway.console.reference" in capsys.readouterr().err
    assert 0 == reference.main(["--path", str(page)])
    assert 0 == reference.main(["--check", "--path", str(page)])


def test_an_option_must_name_its_value() -> None:
    """
    Without a word for its value an option cannot be written down.
    """
    app = typer.Typer()

    @app.command()
    def command(count: int = typer.Option(1, help="How many.")) -> None:
        print(count)

    with pytest.raises(ValueError, match="--count takes a value"):
        list(reference._sections("scrip command", typer.main.get_command(app)))
