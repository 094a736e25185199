"""
A store of the test's own that can be killed and brought back under load.

It is kept by a process of its own: a process in which gRPC is at work cannot start
programs as another user, because what it forks aborts in gRPC's fork handler.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey

_ROOT: Final = Path(__file__).resolve().parents[2]
_KINDS: Final[dict[str, type[EmbeddedPostgres | EmbeddedValkey]]] = {
    "postgres": EmbeddedPostgres,
    "valkey": EmbeddedValkey,
}
_STOP_LIMIT_S: Final = 30


class KeptStore:
    """
    The keeper of one server, told what to do line by line.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.chaos_stores", kind, str(folder)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self) -> None:
        """
        Start it, or bring it back; return when it answers.
        """
        self._tell("start")

    def kill(self) -> None:
        """
        End it with SIGKILL.
        """
        self._tell("kill")

    def end(self) -> None:
        """
        Stop it in order, and its keeper.
        """
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.close()
        self._keeper.wait(_STOP_LIMIT_S)
        self._keeper.stdout.close()

    def _tell(self, command: str) -> None:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.write(f"{command}\n")
        self._keeper.stdin.flush()
        # Warnings of the start may come before; none at all is the keeper's end.
        for line in self._keeper.stdout:
            if line.strip() == "done":
                return
        raise AssertionError(f"{command}: the keeper has ended")


@contextmanager
def kept_store(kind: str, folder: Path) -> Iterator[KeptStore]:
    """
    Run a store of its own: `postgres` or `valkey`.
    """
    store = KeptStore(kind, folder)
    try:
        store.start()
        yield store
    finally:
        store.end()


def main() -> None:
    """
    Keep a server until nobody tells us anything any more.
    """
    server = _KINDS[sys.argv[1]](Path(sys.argv[2]))
    try:
        for line in sys.stdin:
            if line.strip() == "start":
                server.start()
            else:
                server.kill()
            print("done", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
