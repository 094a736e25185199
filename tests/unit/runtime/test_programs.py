"""
Server programs are run from where their account can reach them, and from nowhere else.
"""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from gateway.runtime import programs
from gateway.runtime.programs import (
    ProgramsMissingError,
    Wheel,
    postgres_wheel,
    runnable_place,
    valkey_wheel,
)
from gateway.runtime.service_account import Account

ACCOUNT = Account(name="nobody", uid=65534, gid=65534)

# A package that is always there, as a wheel with a program and a folder.
WHEEL = Wheel(
    distribution="pytest",
    package="fake_wheel",
    parts=("fake_wheel/bin", "fake_wheel/single", "fake_wheel.libs"),
    program="fake_wheel/bin/program",
)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Install a wheel as a narrow umask does, out of everybody's reach.
    """
    place = tmp_path / "closed"
    (place / "fake_wheel/bin").mkdir(parents=True)
    (place / "fake_wheel/bin/program").write_text("#!/bin/sh\n")
    (place / "fake_wheel/bin/program").chmod(0o700)
    (place / "fake_wheel/bin/libnot.a").write_text("for linking only")
    (place / "fake_wheel/single").write_text("data")
    (place / "fake_wheel/single").chmod(0o600)
    monkeypatch.setattr(Wheel, "source", lambda _: place)
    monkeypatch.setattr(programs, "can_enter", lambda _, folder: folder.is_dir())
    monkeypatch.setattr(
        programs, "can_run", lambda _, program: not program.is_relative_to(place)
    )
    monkeypatch.setattr(programs, "SYSTEM_PLACE", tmp_path / "system/programs")
    return place


def mode_of(path: Path) -> int:
    """
    Give the permissions of a file.
    """
    return stat.S_IMODE(path.stat().st_mode)


def test_the_wheels_are_installed_for_this_machine() -> None:
    """
    Both programs are where the wheels of this platform have them.
    """
    for wheel in (postgres_wheel(), valkey_wheel()):
        place = runnable_place(wheel, None, Path("/nowhere"))
        assert os.access(place / wheel.program, os.X_OK)


def test_a_missing_wheel_says_what_to_do() -> None:
    """
    A machine that the wheel is not made for needs servers of its own.
    """
    with pytest.raises(ProgramsMissingError, match="servers of your own"):
        WHEEL.source()


def test_programs_out_of_reach_are_copied_once_and_opened(
    source: Path, tmp_path: Path
) -> None:
    """
    The copy is whole, readable for all, without what only compilers need.
    """
    assert source.is_dir()
    home = tmp_path / "home"
    place = runnable_place(WHEEL, ACCOUNT, home)
    before = place.stat().st_ino

    assert home == place.parent
    assert place == runnable_place(WHEEL, ACCOUNT, home)
    assert before == place.stat().st_ino
    assert mode_of(place / "fake_wheel/bin/program") == 0o755
    assert mode_of(place / "fake_wheel/single") == 0o644
    assert mode_of(place / "fake_wheel/bin") == 0o755
    assert not (place / "fake_wheel/bin/libnot.a").exists()
    assert [place] == list(home.iterdir())


def test_the_next_place_is_tried(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A home that is out of the account's reach is passed over.
    """
    assert source.is_dir()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(programs, "can_enter", lambda _, folder: folder != home)
    place = runnable_place(WHEEL, ACCOUNT, home)

    assert tmp_path / "system/programs" == place.parent
    assert list(home.iterdir()) == []


def test_without_any_place_all_reasons_are_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The error names each place and why it would not do.
    """
    assert source.is_dir()
    monkeypatch.setattr(programs, "can_run", lambda _, _program: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").write_text("a file, no folder")
    with pytest.raises(ProgramsMissingError) as error:
        runnable_place(WHEEL, ACCOUNT, tmp_path / "home")

    assert "nobody cannot run" in str(error.value)
    assert "temporary" in str(error.value)


def test_a_copy_that_fails_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A full disk in the middle of the copy leaves no half programs behind.
    """
    assert source.is_dir()
    home = tmp_path / "home"

    def fail(folder: Path) -> None:
        message = f"No space left on device: {folder}"
        raise OSError(message)

    monkeypatch.setattr(programs, "_open_for_reading", fail)
    monkeypatch.setattr(programs, "SYSTEM_PLACE", home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "home"))
    with pytest.raises(ProgramsMissingError, match="No space left"):
        runnable_place(WHEEL, ACCOUNT, home)

    assert [p for p in home.rglob("*") if p.is_file()] == []
