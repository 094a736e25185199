"""
The `scrip` command as tests run it, with a look into the books behind it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from typer import Typer
from typer.testing import CliRunner, Result

from gateway.console.root import app


@dataclass(frozen=True, kw_only=True)
class Scrip:
    """
    Run commands as a person would, and look into the books behind them.
    """

    environment: Mapping[str, str]
    folder: Path
    dsn: str
    runner: CliRunner = field(default_factory=CliRunner)
    application: Typer = app

    def run(self, *words: str | Path, stdin: str | None = None) -> Result:
        """
        Run a command.
        """
        return self.runner.invoke(
            self.application,
            [str(word) for word in words],
            input=stdin,
            env=self.environment,
        )

    def done(self, *words: str | Path, stdin: str | None = None) -> str:
        """
        Run a command that must succeed; give all it said.
        """
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.output

    def rows(self, *words: str | Path) -> list[dict[str, Any]]:
        """
        Run a listing; give its rows.
        """
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows

    def refused(self, *words: str | Path, stdin: str | None = None) -> str:
        """
        Run a command whose input is wrong; give what it said.
        """
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
        return result.stderr

    def query(self, statement: str, **parameters: object) -> list[dict[str, Any]]:
        """
        Ask the books, as somebody who may see everything.
        """
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def execute(self, statement: str, **parameters: object) -> None:
        """
        Change the books behind the commands' back.
        """
        with psycopg.connect(self.dsn) as connection:
            connection.execute(statement.encode(), parameters)

    def file(self, name: str, *lines: str) -> Path:
        """
        Write a file of lines beside the data folder's own.
        """
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path
