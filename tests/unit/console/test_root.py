"""
The `scrip` command itself: settings, exit codes, commands of other packages.
"""

from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from currency import RateImportError
from gateway.books.admin import AdminError, ConflictError
from gateway.console import root
from gateway.console.faults import BadInputError
from gateway.console.root import OWN_COMMANDS, app
from gateway.console.session import session_of
from gateway.vault.errors import AuthorityError

RUNNER = CliRunner()


def run(*words: str, **environment: str) -> Result:
    """
    Run a command without books.
    """
    return RUNNER.invoke(app, words, env={"COLUMNS": "200", **environment})


def add(monkeypatch: pytest.MonkeyPatch, **found: object) -> None:
    """
    Pretend that other packages add commands.
    """

    class Point(EntryPoint):
        def load(self) -> object:
            value = found[self.name]
            if isinstance(value, ImportError):
                raise value
            return value

    points = [Point(name, f"other:{name}", root.ENTRY_POINTS) for name in found]
    monkeypatch.setattr(root, "entry_points", lambda group: points)


def test_help_lists_all_commands() -> None:
    """
    Each command of ours stands in the help.
    """
    result = run("--help")

    assert 0 == result.exit_code
    assert [] == [name for name in OWN_COMMANDS if name not in result.output]


def test_version() -> None:
    """
    The version is that of the package, and nothing needs to be set.
    """
    result = run("version", SCRIP_WORKERS="none")

    assert 0 == result.exit_code
    assert result.stdout.startswith(f"scrip {version('scrip')} ")


def test_check_config_masks_secrets(tmp_path: Path) -> None:
    """
    Settings are shown as they are in force; passwords are not.
    """
    result = run(
        *("--data-folder", str(tmp_path), "check-config"),
        SCRIP_POSTGRES__URL="postgresql://scrip:geheim@db/scrip",
    )

    assert 0 == result.exit_code
    assert str(tmp_path) in result.stdout
    assert "postgresql://scrip:****@db/scrip" in result.stdout
    assert "geheim" not in result.output


def test_wrong_settings_are_all_told_at_once() -> None:
    """
    Exit code 2, one line a fault, no traceback.
    """
    result = run("check-config", SCRIP_WORKERS="0", SCRIP_GRPC__PROT="1")

    assert 2 == result.exit_code
    assert "2 settings are wrong" in result.stderr
    assert "did you mean SCRIP_GRPC__PORT" in result.stderr
    assert "SCRIP_WORKERS" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["program", "list"],
        ["migrate"],
        ["books", "check"],
        ["clock", "show"],
        ["rates", "official"],
        ["store", "suspend", "nile/cairo-1"],
    ],
)
def test_when_nothing_runs_a_command_says_what_to_do(
    words: list[str], tmp_path: Path
) -> None:
    """
    Exit code 1, and both ways to have books.
    """
    result = run("--data-folder", str(tmp_path), *words)

    assert 1 == result.exit_code
    assert "no embedded postgres runs" in result.stderr
    assert "`scrip serve`" in result.stderr
    assert "SCRIP_POSTGRES__URL" in result.stderr


def test_an_unknown_command_is_refused() -> None:
    """
    Exit code 2, as for all wrong input.
    """
    for words in (("stroe",), ("store", "lst"), ("store", "list", "--jsno")):
        result = run(*words)
        assert 2 == result.exit_code
        assert "No such" in result.stderr


def test_a_package_adds_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its commands are a group under the entry point's name, and listed.
    """
    other = typer.Typer(help="Be a till.")

    @other.command()
    def first() -> None:
        typer.echo("first done")

    @other.command()
    def second() -> None:
        typer.echo("second done")

    add(monkeypatch, till=other)

    assert "second done\n" == run("till", "second").stdout
    assert "Be a till." in run("--help").stdout


def test_a_package_adds_a_function_that_finds_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A function is a command, and stands on the same session as ours.
    """

    def demo(context: typer.Context, count: int = 1) -> None:
        typer.echo(f"{count} in {session_of(context).settings.data_folder}")

    add(monkeypatch, demo=demo)

    result = run("--data-folder", str(tmp_path), "demo", "--count", "3")
    assert f"3 in {tmp_path}\n" == result.stdout


def test_a_command_that_cannot_be_loaded_says_so_and_harms_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Exit code 1 for it; help and the other commands work.
    """
    add(monkeypatch, till=ImportError("no module named grpc"))
    result = run("till")

    assert 1 == result.exit_code
    assert "`scrip till` cannot be loaded: no module named grpc" in result.stderr
    assert 0 == run("--help").exit_code
    assert 0 == run("version").exit_code


def test_no_package_replaces_a_command_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An entry point of the same name is passed over.
    """

    def version() -> None:
        typer.echo("mine")

    add(monkeypatch, version=version)

    assert "mine" not in run("version").output
    assert 1 == run("--help").output.count("Show the version of Scrip.")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (AuthorityError("ca.key is missing"), 1, "scrip: ca.key is missing\n"),
        (AdminError("nothing done"), 1, "scrip: nothing done\n"),
        (ConflictError("twice", constraint="x_key"), 2, "scrip: twice\n"),
        (RateImportError.of_file("is empty"), 2, "  file: is empty\n"),
        (OSError(28, "No space left", "/data"), 1, "No space left: '/data'\n"),
        (BadInputError("no", ["line 1"]), 2, "scrip: no\n  line 1\n"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
    ],
)
def test_what_is_refused_is_a_sentence_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, said: str
) -> None:
    """
    No fault that a person can do something about ends with a traceback.
    """

    def broken() -> None:
        raise error

    add(monkeypatch, broken=broken)
    result = run("broken")

    assert code == result.exit_code
    assert result.stderr.endswith(said)
    assert "Traceback" not in result.output
