"""
The operating-system account that embedded servers run as.

An ordinary user runs them as himself.  For root, which PostgreSQL refuses, an account
that exists already is taken: we create none and change no folder's permissions.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

# Other services run as it too, and could then read and change what is the servers'.
SHARED_NAME: Final = "nobody"
# The first of these that exists.
PREFERRED_NAMES: Final = ("scrip", SHARED_NAME)

_PROBE_TIMEOUT_S: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    A user of the operating system.
    """

    name: str
    uid: int
    gid: int


def own_account() -> Account:
    """
    Give the account that we run as.

    Raises:
        LookupError: When the system has no name for it; PostgreSQL needs one.

    """
    uid = os.geteuid()
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError as error:
        message = (
            f"user id {uid} has no name on this system; add it to /etc/passwd, or "
            "set SCRIP_POSTGRES__URL to a server of your own"
        )
        raise LookupError(message) from error


def service_account(existing: Path) -> Account | None:
    """
    Choose whom servers run as; none when that is ourselves.

    Args:
        existing: What an earlier start may have left; its owner is kept.

    Raises:
        LookupError: When root has no other account to give the server to.

    """
    if os.geteuid() != 0:
        return None
    if existing.exists() and (owner := existing.stat().st_uid) != 0:
        return _account(pwd.getpwuid(owner))
    for name in PREFERRED_NAMES:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    message = (
        "PostgreSQL does not run as root and there is no user "
        f"{' or '.join(PREFERRED_NAMES)}; create one, or start as another user"
    )
    raise LookupError(message)


def can_enter(account: Account | None, folder: Path) -> bool:
    """
    Try whether the account may enter a folder by its path.
    """
    if account is None:
        return os.access(folder, os.X_OK)
    return _succeeds(account, "/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))


def can_run(account: Account | None, program: Path) -> bool:
    """
    Try whether the account may run a program, with all that it loads.
    """
    return account is None or _succeeds(account, str(program), "--version")


def _succeeds(account: Account, *command: str) -> bool:
    try:
        result = subprocess.run(
            command,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except PermissionError:
        return False
    return result.returncode == 0


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
