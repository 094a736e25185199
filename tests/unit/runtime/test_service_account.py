"""
Servers never run as root: an account that exists is chosen, and none is made.
"""

import os
import pwd
from pathlib import Path

import pytest

from gateway.runtime import service_account as module
from gateway.runtime.service_account import (
    Account,
    can_enter,
    can_run,
    own_account,
    service_account,
)

UNKNOWN_UID = 3_999_999_999


def test_an_ordinary_user_is_his_own_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    There is nobody to change to.
    """
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert service_account(tmp_path) is None


def test_root_takes_an_account_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The first of the preferred names that the system has.
    """
    ourselves = pwd.getpwuid(os.getuid())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "PREFERRED_NAMES", ("no-such-user", ourselves.pw_name))
    account = service_account(tmp_path / "nothing")

    assert account == Account(
        name=ourselves.pw_name, uid=ourselves.pw_uid, gid=ourselves.pw_gid
    )


def test_root_without_any_account_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    No user is created behind anybody's back.
    """
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "PREFERRED_NAMES", ("no-such-user",))

    with pytest.raises(LookupError, match="create one, or start as another user"):
        service_account(tmp_path / "nothing")


def test_a_user_without_a_name_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Containers run under ids that the system has no name for; PostgreSQL refuses them.
    """
    monkeypatch.setattr(os, "geteuid", lambda: UNKNOWN_UID)

    with pytest.raises(LookupError, match="SCRIP_POSTGRES__URL"):
        own_account()


def test_what_we_may_do_ourselves_is_found_by_trying(tmp_path: Path) -> None:
    """
    Our own rights count when there is no other account.
    """
    assert can_enter(None, tmp_path)
    assert can_run(None, tmp_path / "anything")
    assert not can_enter(None, tmp_path / "missing")
    assert own_account().uid == os.geteuid()
