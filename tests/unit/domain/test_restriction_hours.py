"""
Check 11 by the clock: windows of a week in the store's zone.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.checks import refuse_restricted
from gateway.domain.errors import InvariantError
from gateway.domain.ids import RestrictionSetId, RestrictionVersionId
from gateway.domain.restrictions import Hours, RefusalReason, Restriction, Window
from tests.support import world

SET, VERSION = RestrictionSetId(5), RestrictionVersionId(50)
LUNCH = Window(0b0011111, 11 * 60 + 30, 14 * 60)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("window", "local", "valid"),
    [
        (LUNCH, "2026-11-20 11:29:59.999999", False),  # a Friday
        (LUNCH, "2026-11-20 11:30", True),
        (LUNCH, "2026-11-20 13:59:59.999999", True),
        (LUNCH, "2026-11-20 14:00", False),
        (LUNCH, "2026-11-21 12:00", False),
        (LUNCH, "2026-11-23 12:00", True),
        (Window(0b1100000, 0, 1_440), "2026-11-21 00:00", True),
        (Window(0b1100000, 0, 1_440), "2026-11-22 23:59", True),
        (Window(0b1100000, 0, 1_440), "2026-11-23 00:00", False),
        # Over midnight it belongs to the day on which it begins.
        (Window(0b0010000, 22 * 60, 2 * 60), "2026-11-20 21:59", False),
        (Window(0b0010000, 22 * 60, 2 * 60), "2026-11-20 22:00", True),
        (Window(0b0010000, 22 * 60, 2 * 60), "2026-11-21 01:59", True),
        (Window(0b0010000, 22 * 60, 2 * 60), "2026-11-21 02:00", False),
        (Window(0b0010000, 22 * 60, 2 * 60), "2026-11-20 01:00", False),
        # Over the end of the week too.
        (Window(0b1000000, 22 * 60, 2 * 60), "2026-11-22 23:00", True),
        (Window(0b1000000, 22 * 60, 2 * 60), "2026-11-23 01:59", True),
        (Window(0b1000000, 22 * 60, 2 * 60), "2026-11-23 02:00", False),
        (Window(0b1111111, 22 * 60, 21 * 60), "2026-11-22 21:30", False),
        (Window(0b1111111, 22 * 60, 21 * 60), "2026-11-23 20:59", True),
        # The hour that does not exist, and the hour that comes twice.
        (Window(0b1000000, 2 * 60, 3 * 60), "2026-03-29 01:59:59", False),
        (Window(0b1000000, 2 * 60, 3 * 60), "2026-03-29 03:00", False),
        (Window(0b1000000, 60, 3 * 60), "2026-03-29 01:59:59", True),
        (Window(0b1000000, 2 * 60, 2 * 60 + 30), "2026-10-25 02:15", True),
        (Window(0b1000000, 2 * 60, 2 * 60 + 30), "2026-10-25 02:15 again", True),
        (Window(0b1000000, 2 * 60, 2 * 60 + 30), "2026-10-25 02:45 again", False),
    ],
)
def test_hours_are_those_of_the_stores_clock(
    window: Window, local: str, valid: bool
) -> None:
    """
    The wall clock decides, on days of 23 and 25 hours as on all others.
    """
    text, _, again = local.partition(" again")
    fold = 1 if local.endswith("again") else 0
    wall = datetime.fromisoformat(text + again).replace(tzinfo=BERLIN, fold=fold)
    rules = replace(
        world.policy(at=world.place(time_zone="Europe/Berlin")),
        restrictions={SET: Restriction.of(VERSION, [], [window])},
    )
    mine = replace(world.card(), restriction_set_id=SET)
    here = rules.places[world.TERMINAL]
    found = refuse_restricted(mine, here, rules, wall.astimezone(UTC))

    assert (found is None) is valid


@pytest.mark.parametrize(
    ("windows", "text", "edges"),
    [
        ([LUNCH], "1-5 11:30-14:00", 10),
        ([Window(0b1100000, 0, 1_440)], "6,7", 2),
        ([Window(0b1111111, 0, 1_440)], "1-7", 2),
        ([Window(0b0010101, 60, 120)], "1,3,5 01:00-02:00", 6),
        ([Window(0b0110111, 60, 120)], "1-3,5,6 01:00-02:00", 10),
        (
            [Window(0b0100000, 600, 720), LUNCH],
            "1-5 11:30-14:00; 6 10:00-12:00",
            12,
        ),
        (
            [Window(1, 600, 720), Window(1, 660, 780), Window(1, 780, 800)],
            "1 10:00-12:00; 1 11:00-13:00; 1 13:00-13:20",
            2,
        ),
        ([Window(1, 600, 720), Window(1, 610, 620)], "1 10:00-12:00; 1 10:10-10:20", 2),
        ([Window(0b1000000, 1_380, 1_440)], "7 23:00-24:00", 2),
        ([Window(0b1000000, 1_380, 60)], "7 23:00-01:00", 4),
    ],
)
def test_windows_are_joined_and_written_down(
    windows: list[Window], text: str, edges: int
) -> None:
    """
    Windows that overlap or touch are one; the text names each, the first day first.
    """
    hours = Hours.of(windows)

    assert hours.text == text
    assert len(hours.edges) == edges
    assert list(hours.edges) == sorted(set(hours.edges))


@pytest.mark.parametrize(
    "window",
    [
        Window(0, 0, 60),
        Window(128, 0, 60),
        Window(1, -1, 60),
        Window(1, 1_440, 60),
        Window(1, 60, 0),
        Window(1, 60, 1_441),
        Window(1, 60, 60),
    ],
)
def test_what_is_no_window_is_refused(window: Window) -> None:
    """
    The database refuses the same, so that neither wall can rot alone.
    """
    with pytest.raises(InvariantError, match="no window"):
        Hours.of([window])


def test_hours_of_several_levels_must_all_hold() -> None:
    """
    The product's and the card's own are asked of the same minute.
    """
    own = RestrictionSetId(6)
    rules = world.policy()
    product = replace(rules.products[world.RELOADABLE], restriction_set_id=SET)
    rules = replace(
        rules,
        products={world.RELOADABLE: product},
        restrictions={
            # Now is a Saturday, 14:00 by the store's clock.
            SET: Restriction.of(VERSION, [], [Window(0b0100000, 0, 1_440)]),
            own: Restriction.of(
                RestrictionVersionId(60), [], [Window(0b1111111, 690, 840)]
            ),
        },
    )
    mine = replace(world.card(), restriction_set_id=own)
    here = rules.places[world.TERMINAL]
    found = refuse_restricted(mine, here, rules, world.NOW)
    sooner = refuse_restricted(mine, here, rules, world.NOW - timedelta(minutes=1))

    assert found == (RefusalReason.HOURS, 60, "1-7 11:30-14:00")
    assert sooner is None
