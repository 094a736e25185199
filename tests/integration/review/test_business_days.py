"""
Business days never go back, also on the days that have 23 and 25 hours.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from tests.support.world import place

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("zone", "middle"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),
        ("Asia/Beirut", datetime(2026, 10, 24, 21, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize(
    "cut_off", [time(0), time(1, 30), time(2), time(2, 30), time(4), time(23, 30)]
)
def test_a_business_day_is_never_gone_back_to(
    zone: str, middle: datetime, cut_off: time
) -> None:
    """
    Minute by minute around the change of the clocks, each day begins once.
    """
    store = place(time_zone=zone, cut_off=cut_off).store
    days = [store.business_date(middle + n * MINUTE) for n in range(-1_800, 1_800)]

    steps = [later - earlier for earlier, later in pairwise(days)]
    assert set(steps) <= {timedelta(), timedelta(days=1)}
    assert sum(steps, timedelta()) in (timedelta(days=2), timedelta(days=3))


def test_the_hour_that_comes_twice_begins_one_day() -> None:
    """
    At half past two for the first time; a quarter past two comes again and counts on.
    """
    store = place(time_zone="Europe/Berlin", cut_off=time(2, 30)).store
    summer = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00, and again at 01:00 UTC

    days = [store.business_date(summer + n * MINUTE) for n in (29, 30, 75, 90, 120)]
    assert days == [date(2026, 10, 24), *[date(2026, 10, 25)] * 4]
