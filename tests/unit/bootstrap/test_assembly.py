"""
A worker refuses to start where it would do harm.
"""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.bootstrap.assembly import (
    RefusedStartError,
    fault_points,
    require_honest_clock,
)
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.fault_points import NoFaults, ObeyedFaults
from gateway.runtime.settings import Settings
from gateway.runtime.settings_testing import RehearsalSettings


def settings_of(folder: Path, *, strike: bool) -> Settings:
    """
    Make settings that ask for fault points, or not.
    """
    return Settings(data_folder=folder, test=RehearsalSettings(fault_points=strike))


SHIFTS = [timedelta(0), timedelta(days=400), timedelta(microseconds=-1)]


def allowed(folder: DataFolder) -> list[timedelta]:
    """
    List the shifts of the clock with which a worker would start here.
    """
    passed = []
    for shift in SHIFTS:
        with suppress(RefusedStartError):
            require_honest_clock(shift, folder)
            passed.append(shift)
    return passed


def test_a_shifted_clock_is_refused(tmp_path: Path) -> None:
    """
    Real books with a shifted clock are a mistake: the start says so.
    """
    with pytest.raises(RefusedStartError, match="shifted"):
        require_honest_clock(timedelta(days=-1), DataFolder(tmp_path))


def test_a_folder_for_tests_may_shift_it(tmp_path: Path) -> None:
    """
    A marked folder allows it, and without a shift nothing is asked.
    """
    folder = DataFolder(tmp_path)
    assert allowed(folder) == [timedelta(0)]

    folder.mark_for_tests()

    assert allowed(folder) == SHIFTS


async def test_no_faults_unless_asked(tmp_path: Path) -> None:
    """
    In production every place is passed, marked folder or not.
    """
    DataFolder(tmp_path).mark_for_tests()
    points = fault_points(settings_of(tmp_path, strike=False), 1)
    await points.reach("before_commit")

    assert isinstance(points, NoFaults)


def test_faults_are_refused_outside_of_tests(tmp_path: Path) -> None:
    """
    The setting alone does not make a worker obey.
    """
    with pytest.raises(RefusedStartError, match="not marked"):
        fault_points(settings_of(tmp_path, strike=True), 1)


def test_faults_are_obeyed_in_a_marked_folder(tmp_path: Path) -> None:
    """
    With both, they are.
    """
    DataFolder(tmp_path).mark_for_tests()

    points = fault_points(settings_of(tmp_path, strike=True), 1)

    assert isinstance(points, ObeyedFaults)
