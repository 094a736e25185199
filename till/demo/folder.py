"""
Keep all that a demo makes in one folder, which the next demo throws away.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

DEFAULT_FOLDER: Final = Path(".demo")
MARKER: Final = "scrip-demo"
# Written by `scrip serve` when all its workers serve, removed when it ends.
SERVING_FILE: Final = "serving.json"
_MARKER_TEXT: Final = "Made by `scrip demo`, and deleted by the next one.\n"


class DemoError(Exception):
    """
    The demo cannot go on; the message says why and what to do.
    """


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """
    Name the files of a demo.
    """

    path: Path

    @property
    def data(self) -> Path:
        """
        Name the gateway's data folder.
        """
        return self.path / "data"

    @property
    def credentials(self) -> Path:
        """
        Name the folder of the tills' keys and certificates.
        """
        return self.path / "credentials"

    @property
    def cards(self) -> Path:
        """
        Name the file of the card numbers.
        """
        return self.path / "cards.csv"

    @property
    def server_log(self) -> Path:
        """
        Name the log of the gateway.
        """
        return self.path / "serve.log"

    @property
    def summary(self) -> Path:
        """
        Name the summary for programs.
        """
        return self.path / "summary.json"

    def file(self, name: str) -> Path:
        """
        Name a file that is imported.
        """
        return self.path / name

    def make_anew(self) -> BinaryIO:
        """
        Make the folder, without what an earlier demo left; give what locks it.

        Only a folder that a demo made is deleted, and none that one is using.
        """
        marker = self.path / MARKER
        if self.path.exists() and not marker.exists() and any(self.path.iterdir()):
            raise DemoError(
                f"{self.path} exists and was not made by a demo: name another --folder"
            )
        if not self.path.is_dir():
            self.path.mkdir(parents=True)
            # As root the embedded servers run under an account of their own, which
            # must pass through. What is secret in here is private by itself.
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        lock = marker.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise DemoError(
                f"a demo is running in {self.path}: end it, or name another --folder"
            ) from error
        self._require_nobody_serves(lock)
        for left in self.path.iterdir():
            if left == marker:
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()
        marker.write_text(_MARKER_TEXT, encoding="utf-8")
        return lock

    def _require_nobody_serves(self, lock: BinaryIO) -> None:
        """
        Refuse to delete the books of a gateway whose demo was killed.
        """
        serving = self.data / SERVING_FILE
        if not serving.exists():
            return
        pid = int(json.loads(serving.read_text(encoding="utf-8"))["pid"])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return  # it was killed too, and could not take its file away
        except PermissionError:
            pass  # it runs, under another account
        lock.close()
        raise DemoError(
            f"the gateway of an earlier demo still serves in {self.path}: end process "
            f"{pid}, or name another --folder"
        )
