"""
The data folder: one owner at a time, closed to others, marked when it is for play.
"""

import os
import stat
from pathlib import Path

import pytest

from gateway.runtime import data_folder as data_folder_module
from gateway.runtime.data_folder import DataFolder, FolderInUseError


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """
    Give a folder that was just made.
    """
    made = DataFolder(tmp_path / "scrip")
    made.ensure()
    return made


def mode_of(path: Path) -> int:
    """
    Give the permissions of a file.
    """
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_look_into_it(folder: DataFolder) -> None:
    """
    As root the servers' account may pass through, but not look.
    """
    assert mode_of(folder.path) == (0o711 if os.geteuid() == 0 else 0o700)


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """
    Its permissions are whoever made it's business.
    """
    tmp_path.chmod(0o750)
    DataFolder(tmp_path).ensure()

    assert mode_of(tmp_path) == 0o750


def test_a_path_may_begin_at_home_and_be_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Servers run elsewhere, so the path is made absolute at once.
    """
    monkeypatch.chdir(tmp_path)

    assert tmp_path / "here" == DataFolder(Path("here")).path
    assert Path.home() / "there" == DataFolder(Path("~/there")).path


def test_a_lock_is_one_holders_and_is_given_back(folder: DataFolder) -> None:
    """
    The second is refused with the holder's process id, also after a longer one.
    """
    (folder.path / "postgres.lock").write_text("12345678901234567890\n")
    lock = folder.lock("postgres")
    with pytest.raises(FolderInUseError, match=rf"by process {os.getpid()}:"):
        folder.lock("postgres")
    folder.lock("valkey").release()
    lock.release()
    folder.lock("postgres").release()


def test_the_marker_allows_a_shifted_clock(folder: DataFolder) -> None:
    """
    A folder is for real money until it was marked.
    """
    assert not folder.is_marked_for_tests()
    folder.mark_for_tests()
    assert folder.is_marked_for_tests()
    assert "Never put real money" in (folder.path / "TEST_OR_DEMO").read_text()


def test_an_overlong_log_is_put_aside(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One old log is kept, so that the disk is not filled by what servers say.
    """
    monkeypatch.setattr(data_folder_module, "LOG_LIMIT_BYTES", 10)
    path = folder.log_path("postgres")
    path.write_text("short")
    assert folder.log_path("postgres").exists()
    path.write_text("much too long")

    assert not folder.log_path("postgres").exists()
    assert (path.parent / "postgres.log.1").read_text() == "much too long"


def test_a_short_folder_holds_its_socket_itself(tmp_path: Path) -> None:
    """
    Where a path is short the socket lies in the data folder.
    """
    folder = DataFolder(tmp_path)
    run_folder = folder.make_run_folder("valkey", None)
    socket_bytes = len(os.fsencode(run_folder / data_folder_module.LONGEST_SOCKET_NAME))

    assert socket_bytes <= data_folder_module.SOCKET_PATH_LIMIT_BYTES
    assert mode_of(run_folder) == 0o700
    assert run_folder == folder.run_folder("valkey")
    folder.remove_run_folder("valkey")
    assert not run_folder.exists()
    folder.remove_run_folder("valkey")


def test_a_deep_folder_has_its_socket_elsewhere(tmp_path: Path) -> None:
    """
    The link stays the same over a crash; a target that is not ours is not used.
    """
    folder = DataFolder(tmp_path / ("deep" * 30))
    folder.ensure()
    first = folder.make_run_folder("valkey", None)
    assert first == folder.make_run_folder("valkey", None)
    assert mode_of(first) == 0o700
    first.chmod(0o755)
    second = folder.make_run_folder("valkey", None)
    first.rmdir()
    third = folder.make_run_folder("valkey", None)

    assert first != second
    assert second == third
    second.rmdir()
    assert second != folder.make_run_folder("valkey", None)
    folder.remove_run_folder("valkey")
    assert not folder.run_folder("valkey").exists()


def test_a_link_to_a_foreign_folder_is_not_followed(tmp_path: Path) -> None:
    """
    What somebody linked there by hand is not removed with the link.
    """
    folder = DataFolder(tmp_path / "scrip")
    folder.ensure()
    foreign = tmp_path / "precious"
    foreign.mkdir()
    (folder.path / "valkey.run").symlink_to(foreign)
    folder.remove_run_folder("valkey")

    assert foreign.is_dir()
    assert not (folder.path / "valkey.run").exists()
