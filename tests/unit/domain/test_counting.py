"""
What transactions change of a day's use, on cards and on terminals.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.counting import (
    count_card,
    count_terminal,
    flow_of,
    use_of,
    without,
)
from gateway.domain.decide import decide
from gateway.domain.ids import CardId, TransactionId
from gateway.domain.limits import UNUSED, DayUse, Flow, Use
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import amount, card, redeem, view

ZONE = ZoneInfo("Asia/Dubai")
DAY = date(2026, 11, 21)
NEXT = world.NOW + timedelta(days=1)
BEFORE = world.NOW - timedelta(days=1)
LATER = date(2026, 11, 22)
A = ActivityType


def row(
    activity: ActivityType, minor: int = 10_00, **changes: Any
) -> TransactionRecord:
    """
    Give the record of an approved transaction on the card, seen as `activity`.
    """
    sale = decide(redeem(amount(10_00)), view(card()), None).record
    return sale._replace(activity=activity, card_minor=minor, **changes)


def freed(activity: ActivityType, minor: int, **changes: Any) -> TransactionRecord:
    """
    Give a record after which so much more is available.
    """
    return row(
        activity,
        abs(minor),
        available_before_minor=100_00,
        available_after_minor=100_00 + minor,
        **changes,
    )


USED = DayUse(DAY, load_minor=50_00, loads=2, spend_minor=40_00, spends=3)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (row(A.LOAD), USED._replace(load_minor=60_00, loads=3)),
        (row(A.ACTIVATE), USED._replace(load_minor=60_00, loads=3)),
        (row(A.ACTIVATE, 0), USED),
        (row(A.REDEEM), USED._replace(spend_minor=50_00, spends=4)),
        (row(A.CASH_OUT), USED._replace(spend_minor=50_00, spends=4)),
        (row(A.AUTHORIZE), USED._replace(spend_minor=50_00, spends=4)),
        (
            row(A.AUTHORIZE, original_transaction_id=TransactionId(bytes(16))),
            USED._replace(spend_minor=50_00),
        ),
        (row(A.REDEEM, host_time=NEXT), DayUse(date(2026, 11, 22), 0, 0, 10_00, 1)),
        (row(A.REDEEM, card_seq=None), USED),
        (row(A.REDEEM, result=Result.INSUFFICIENT_FUNDS), USED),
        (row(A.REFUND), USED),
        (row(A.BLOCK, 0), USED),
        (row(A.REVERSAL, effective=False), USED),
    ],
)
def test_what_counts(record: TransactionRecord, expected: DayUse) -> None:
    """
    Loads, sales and holds; an increment enlarges, and is no sale of its own.
    """
    assert count_card(USED, record, zone=ZONE) == expected


@pytest.mark.parametrize(
    ("record", "placed_at", "spend_minor"),
    [
        (freed(A.CAPTURE, 12_00), world.NOW, 28_00),
        (freed(A.CAPTURE, 12_00), BEFORE, 40_00),
        (freed(A.CAPTURE, 12_00), None, 40_00),
        (freed(A.CAPTURE, -2_00), world.NOW, 42_00),
        (freed(A.CAPTURE, -2_00), BEFORE, 42_00),
        (freed(A.RELEASE, 40_00), world.NOW, 0),
        (freed(A.RELEASE, 40_00), BEFORE, 40_00),
    ],
)
def test_holds_give_back_what_they_free_on_their_day(
    record: TransactionRecord, placed_at: datetime | None, spend_minor: int
) -> None:
    """
    What is captured beyond a hold is spent today; a number of times stays.
    """
    after = count_card(USED, record, zone=ZONE, placed_at=placed_at)

    assert after == USED._replace(spend_minor=spend_minor)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (row(A.REDEEM), USED._replace(spend_minor=30_00, spends=2)),
        (row(A.LOAD), USED._replace(load_minor=40_00, loads=1)),
        (row(A.ACTIVATE, 0), USED),
        (row(A.AUTHORIZE), USED._replace(spend_minor=30_00, spends=2)),
        (
            row(A.AUTHORIZE, original_transaction_id=TransactionId(bytes(16))),
            USED._replace(spend_minor=30_00),
        ),
        (row(A.REDEEM, host_time=BEFORE), USED),
        (row(A.REDEEM, card_id=CardId(2)), USED),
        (row(A.REFUND), USED),
        (row(A.CAPTURE, host_time=BEFORE), USED._replace(spend_minor=30_00)),
    ],
)
def test_what_is_undone_is_given_back_on_its_day_and_card(
    original: TransactionRecord, expected: DayUse
) -> None:
    """
    A capture by the day of its hold; nothing without an original.
    """
    undoing = freed(A.REVERSAL, 10_00, effective=True)

    def after(placed_at: datetime) -> DayUse:
        return count_card(
            USED, undoing, zone=ZONE, original=original, placed_at=placed_at
        )

    assert after(world.NOW) == expected
    if original.activity is A.CAPTURE:
        assert after(BEFORE) == USED
    assert count_card(USED, undoing, zone=ZONE) == USED


@pytest.mark.parametrize(
    ("placed_at", "given_back"), [(world.NOW, 3), (BEFORE, 2), (None, 2)]
)
def test_an_increment_gives_back_no_more_than_it_counted_here(
    placed_at: datetime | None, given_back: int
) -> None:
    """
    Rounding may free a cent more than it held; another day or card counted that cent.
    """
    more = row(A.AUTHORIZE, 2, original_transaction_id=TransactionId(bytes(16)))
    undoing = freed(A.REVERSAL, 3, effective=True)

    after = count_card(USED, undoing, zone=ZONE, original=more, placed_at=placed_at)

    assert after == USED._replace(spend_minor=40_00 - given_back)


def test_a_terminal_counts_what_its_records_say() -> None:
    """
    By business days; what is undone the same day is given back, an increment once.
    """
    sale = row(A.REDEEM, terminal_minor=5)
    used = count_terminal(UNUSED, sale)
    more = count_terminal(used, row(A.LOAD, terminal_minor=7))
    held = count_terminal(
        used,
        row(A.AUTHORIZE, terminal_minor=1, original_transaction_id=sale.transaction_id),
    )
    undoing = row(A.VOID, effective=True)
    later = undoing._replace(business_date=sale.business_date + timedelta(days=1))

    assert used == DayUse(sale.business_date, spend_minor=5, spends=1)
    assert more == used._replace(load_minor=7, loads=1)
    assert held == used._replace(spend_minor=6)
    assert count_terminal(used, undoing, sale) == DayUse(sale.business_date)
    assert count_terminal(used, later, sale) is used
    assert count_terminal(used, undoing._replace(effective=False), sale) is used
    assert count_terminal(used, row(A.REDEEM)) is used
    assert count_terminal(used, row(A.REFUND, terminal_minor=1)) is used
    declined = sale._replace(result=Result.INSUFFICIENT_FUNDS)
    assert count_terminal(used, declined) is used


def test_uses_are_loads_and_sales() -> None:
    """
    Only what changed the card, under an id of its own.
    """
    sale = row(A.REDEEM)
    use = use_of(sale)

    assert use == Use(TransactionId((1).to_bytes(16)), Flow.SPEND, world.NOW)
    assert flow_of(row(A.LOAD)) is Flow.LOAD
    assert use_of(row(A.REFUND)) is None
    assert use_of(sale._replace(card_seq=None)) is None
    assert use_of(sale._replace(transaction_id=None)) is None
    assert without((use,), sale.transaction_id) == ()
    assert without((use,), None) == (use,)
    assert use.at.tzinfo is UTC


# --- A clock that goes back ---------------------------------------------------------


@pytest.mark.parametrize("known", [None, DAY, LATER])
def test_the_use_of_a_day_never_goes_back(known: date | None) -> None:
    """
    What is asked for an earlier day counts on the greater one, and it is not forgotten.
    """
    used = DayUse(known, 1, 2, 3, 4)

    assert used.on(DAY) == (used if known else DayUse(DAY))
    assert used.on(LATER) == (used if known == LATER else DayUse(LATER))


def test_a_terminal_counts_on_its_greater_day() -> None:
    """
    The clock went back over the cut-off: the limit of the later day goes on.
    """
    sale = row(A.REDEEM, terminal_minor=5)
    ahead = sale.business_date + timedelta(days=1)
    used = DayUse(ahead, spend_minor=7, spends=2)

    assert count_terminal(used, sale) == DayUse(ahead, spend_minor=12, spends=3)


def test_what_counted_on_another_day_is_not_given_back() -> None:
    """
    Neither to a terminal nor to a card: it would make room that nobody had.
    """
    sale, undoing = row(A.REDEEM, terminal_minor=5), row(A.VOID, effective=True)
    freeing = freed(A.RELEASE, 3_00)
    ahead = DayUse(LATER, spend_minor=7_00, spends=2)

    assert count_terminal(ahead, undoing, sale) is ahead
    assert count_card(ahead, undoing, zone=UTC, original=sale) is ahead
    assert count_card(ahead, freeing, zone=UTC, placed_at=world.NOW) is ahead
