"""
The checkouts that are compared: this one, and a worktree of an old commit.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

_LOCK: Final = "requirements/dev.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """
    A folder with the packages of one commit, and the interpreter that runs them.
    """

    folder: Path
    python: str

    @property
    def generated(self) -> Path:
        """
        Where its generated packages are.
        """
        return self.folder / "proto" / "gen"


def this_checkout() -> Checkout:
    """
    Give the one that this file is part of, changes that are not committed included.
    """
    return Checkout(folder=ROOT, python=sys.executable)


@contextmanager
def old_checkout(
    commit: str, folder: Path, say: Callable[[str], None]
) -> Iterator[Checkout]:
    """
    Check an old commit out into a worktree of its own, and remove it afterwards.

    It runs in this environment where both pin the same packages, else in its own.

    Raises:
        RuntimeError: git does not know the commit, or cannot check it out.

    """
    known = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    _git("worktree", "add", "--quiet", "--detach", str(folder), known)
    try:
        python = sys.executable
        lock = folder / _LOCK
        if lock.read_bytes() != (ROOT / _LOCK).read_bytes():
            say(f"{commit:.12} pins other packages: making an environment of its own")
            make = ["make", "--no-print-directory", ".venv", f"PYTHON={python}"]
            subprocess.run(make, cwd=folder, check=True)
            python = str(folder / ".venv" / "bin" / "python")
        yield Checkout(folder=folder, python=python)
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - wherever git is
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip() or "it is not there; a shallow clone has few commits"
        message = f"git {' '.join(arguments)}: {said}"
        raise RuntimeError(message)
    return done.stdout.strip()
