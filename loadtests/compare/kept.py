"""
A system that another process keeps, of this checkout or of an older one.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from loadtests.bench.system import Till
from loadtests.bench.usage import Meter
from loadtests.compare.checkout import Checkout

_KEEPER: Final = Path(__file__).with_name("keeper.py")
_STOP_TIMEOUT_S: Final = 60


class KeptSystem:
    """
    What load can be put on: see `loadtests.bench.runs.Measurable`.
    """

    def __init__(self, name: str, checkout: Checkout, folder: Path, cards: int) -> None:
        self._name = name
        paths = os.pathsep.join([str(checkout.folder), str(checkout.generated)])
        self._keeper = subprocess.Popen(
            # -P: the folder of the keeper itself is no place to import from.
            [checkout.python, "-P", str(_KEEPER), str(folder), str(cards)],
            cwd=checkout.folder,
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._known: dict[str, Any] = {}

    def wait(self) -> None:
        """
        Return when it answers.
        """
        if self._keeper.stdout is None:
            message = f"{self._name}: its keeper has no pipe"
            raise RuntimeError(message)
        line = self._keeper.stdout.readline()
        if not line:
            message = f"{self._name}: it did not start; what it said is above"
            raise RuntimeError(message)
        self._known = json.loads(line)

    @property
    def name(self) -> str:
        """
        What reports call it.
        """
        return self._name

    @property
    def owner_dsn(self) -> str:
        """
        The address of the books for their owner.
        """
        return str(self._known["owner_dsn"])

    @property
    def till(self) -> Till:
        """
        How to call it.
        """
        return Till(**({"restricted": []} | self._known["till"]))

    @property
    def meters(self) -> dict[str, Meter]:
        """
        What its parts use.
        """
        return {name: Meter(pid) for name, pid in self._known["pids"].items()}

    def stop(self) -> None:
        """
        Have it stopped, and wait until it is.
        """
        with suppress(BrokenPipeError):
            self._keeper.communicate(timeout=_STOP_TIMEOUT_S)
        if self._keeper.returncode:
            print(
                f"{self._name}: its keeper ended with {self._keeper.returncode}",
                file=sys.stderr,
            )
