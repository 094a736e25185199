"""
Run `scrip` as a person would: commands that end, and some that go on.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from till.demo.folder import DemoError

COMMAND_TIMEOUT_S: Final = 600.0
STOP_TIMEOUT_S: Final = 60.0


def find_scrip() -> Path:
    """
    Find the command beside this Python, or on the path.
    """
    beside = Path(sys.executable).with_name("scrip")
    if beside.exists():
        return beside
    found = shutil.which("scrip")
    if found is None:
        raise DemoError("there is no `scrip` command: install the package first")
    return Path(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """
    Be how a command ended, and what it said.
    """

    code: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScripCommand:
    """
    Run `scrip` on one data folder.
    """

    program: Path
    data_folder: Path
    environment: Mapping[str, str]

    @classmethod
    def on(cls, data_folder: Path, environment: Mapping[str, str]) -> ScripCommand:
        """
        Prepare commands that run in an environment.
        """
        return cls(
            program=find_scrip(), data_folder=data_folder, environment=environment
        )

    async def run(self, *words: str | Path) -> CommandResult:
        """
        Run a command to its end.
        """
        process = self._start_plainly(words)
        try:
            output, errors = await asyncio.to_thread(
                process.communicate, timeout=COMMAND_TIMEOUT_S
            )
        except BaseException:
            process.terminate()
            await asyncio.to_thread(process.wait)
            raise
        return CommandResult(code=process.returncode, output=output, errors=errors)

    async def must(self, *words: str | Path) -> CommandResult:
        """
        Run a command that has to succeed.
        """
        result = await self.run(*words)
        if result.code:
            typed = " ".join(str(word) for word in words)
            said = (result.errors or result.output).strip()
            raise DemoError(f"`scrip {typed}` ended with {result.code}:\n{said}")
        return result

    async def follow(self, *words: str | Path) -> Process:
        """
        Start a command that reads lines and answers lines.
        """
        return await self._start(*words, stdin=PIPE, stdout=PIPE, stderr=None)

    async def serve(self, *words: str | Path, log: Path) -> Process:
        """
        Start a command that goes on, with all it says in a file.
        """
        with log.open("ab") as file:
            return await self._start(
                *words, stdin=DEVNULL, stdout=file.fileno(), stderr=file.fileno()
            )

    def _start_plainly(self, words: Sequence[str | Path]) -> subprocess.Popen[str]:
        """
        Start a command by vfork, which uvloop does not use.

        A plain fork runs gRPC's handlers, which complain when tills are connected.
        """
        return subprocess.Popen(
            self._command(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.environment),
            start_new_session=True,
            text=True,
            errors="replace",
        )

    def _command(self, words: Sequence[str | Path]) -> list[str]:
        program = (self.program, "--data-folder", self.data_folder)
        return [str(word) for word in (*program, *words)]

    async def _start(
        self, *words: str | Path, stdin: int, stdout: int, stderr: int | None
    ) -> Process:
        # A session of its own: Ctrl-C reaches the demo alone, which then stops its
        # commands in order.
        return await asyncio.create_subprocess_exec(
            *self._command(words),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(self.environment),
            start_new_session=True,
        )


async def stop(process: Process) -> None:
    """
    End a command by SIGTERM, and by SIGKILL when it does not go.
    """
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
