import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.vault import private_file
from gateway.vault.errors import PrivateFileError
from gateway.vault.keyring import LocalKeyring, Purpose
from gateway.vault.pki import LocalAuthority
from gateway.vault.private_file import exclusive, read_private, write_atomically

KILLED = 9

Patch = Callable[[pytest.MonkeyPatch], None]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _die() -> None:
    os._exit(KILLED)


def _die_at(target: object, name: str, call: int) -> Patch:
    """
    End the process at the n-th call of a system function.
    """

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        calls = 0
        real = getattr(target, name)

        def count(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls == call:
                _die()
            return real(*arguments)

        monkeypatch.setattr(target, name, count)

    return patch


def _killed(action: Callable[[], object], patch: Patch) -> bool:
    """
    Run in a child that dies on the way, without any clean-up of Python's.
    """
    child = os.fork()
    if child == 0:
        try:
            patch(pytest.MonkeyPatch())
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == KILLED


@pytest.mark.parametrize(
    ("patch", "kept"),
    [
        (_die_at(os, "fchmod", 1), False),
        (_die_at(os, "fsync", 1), False),
        (_die_at(Path, "replace", 1), False),
        (_die_at(os, "fsync", 2), True),
    ],
    ids=["before the content", "before the sync", "before the name", "after the name"],
)
def test_a_crash_while_creating_leaves_a_whole_key_ring_or_none(
    tmp_path: Path, patch: Patch, *, kept: bool
) -> None:
    """
    Killed at any step, the next start finds the whole file or makes a new one.
    """
    path = tmp_path / "keyring.json"

    assert _killed(lambda: LocalKeyring.open_or_create(path), patch)
    assert kept is path.exists()
    opened = LocalKeyring.open_or_create(path)
    assert opened.active_key_id(Purpose.PAN_ENC) == 1
    assert {".keyring.json.lock", "keyring.json"} == _names(tmp_path)


@pytest.mark.parametrize(
    ("patch", "rotated"),
    [
        (_die_at(os, "fsync", 1), False),
        (_die_at(Path, "replace", 1), False),
        (_die_at(os, "fsync", 2), True),
    ],
    ids=["before the sync", "before the name", "after the name"],
)
def test_a_crash_while_rotating_keeps_the_old_keys_or_has_the_new(
    keyring: LocalKeyring, patch: Patch, *, rotated: bool
) -> None:
    """
    Killed at any step, the key ring is as before or as after, with the same keys.
    """
    before = keyring.mac(Purpose.FINGERPRINT, 1, b"x")

    assert _killed(lambda: keyring.add_key(Purpose.FINGERPRINT), patch)
    opened = LocalKeyring.open(keyring.path)
    assert (2 if rotated else 1) == len(opened.key_states(Purpose.FINGERPRINT))
    assert before == opened.mac(Purpose.FINGERPRINT, 1, b"x")


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_crash_while_making_an_authority_is_made_good(
    tmp_path: Path, call: int
) -> None:
    """
    Killed between key and certificate, the next start finishes the pair.
    """
    folder = tmp_path / "pki"

    assert _killed(
        lambda: LocalAuthority.open_or_create(folder), _die_at(os, "fsync", call)
    )
    LocalAuthority.open_or_create(folder).issue_server(["localhost"])
    assert {"ca.crt", "ca.key", ".ca.key.lock"} == _names(folder)


def test_a_full_disk_keeps_the_old_content_and_tells_no_secret(
    keyring: LocalKeyring,
    monkeypatch: pytest.MonkeyPatch,
    told_by: Callable[[Callable[[], object]], str],
) -> None:
    """
    A write that fails changes nothing, and no variable on its way holds the root.
    """
    before = keyring.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    told = told_by(lambda: keyring.add_key(Purpose.PAN_ENC))

    assert "No space left" in told
    assert bytes(range(32)).hex() not in told
    assert before == keyring.path.read_bytes()


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o022])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    """
    A private file is 0600 even where the umask would let everybody in.
    """
    path = tmp_path / "secret"
    former = os.umask(umask)
    try:
        write_atomically(path, lambda: b"x")
    finally:
        os.umask(former)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path) == b"x"


def test_no_moment_shows_the_content_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The neighbour that is written first is private before it has content.
    """
    modes = []
    neighbour = tmp_path / ".secret.new"

    def content() -> bytes:
        modes.append(stat.S_IMODE(neighbour.stat().st_mode))
        return b"x"

    monkeypatch.setattr(os, "fchmod", lambda *_: None)
    former = os.umask(0)
    try:
        write_atomically(tmp_path / "secret", content)
    finally:
        os.umask(former)

    assert modes == [0o600]


def test_only_a_plain_file_is_read(tmp_path: Path) -> None:
    """
    A device or anything else that is no file is refused, and a huge one too.
    """
    huge = tmp_path / "huge"
    huge.touch(mode=0o600)
    os.truncate(huge, (1 << 20) + 1)

    with pytest.raises(PrivateFileError, match="not a regular file"):
        read_private(Path(os.devnull))
    with pytest.raises(PrivateFileError, match="larger than"):
        read_private(huge)


def test_waiting_for_another_process_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A lock that is never given up is an error, not a start that hangs.
    """
    monkeypatch.setattr(private_file, "_LOCK_WAIT_S", 0.05)
    path = tmp_path / "secret"

    with (
        exclusive(path),
        pytest.raises(PrivateFileError, match="held by another process"),
        exclusive(path),
    ):
        pytest.fail("two hold the lock")
    with exclusive(path):
        assert (tmp_path / ".secret.lock").exists()
