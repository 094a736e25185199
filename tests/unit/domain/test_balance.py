"""
GetBalance tells what a till may know, and nothing is recorded (domain 1.6).
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.domain.balance import read_balance
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import NO_CONTEXT, CardRef, GetBalance, TillContext
from gateway.domain.ids import RequestId
from gateway.domain.policy import PartyState
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import card, policy, view


def look(seen: Card | None, **more: Any) -> TransactionRecord:
    """
    Ask for the balance of a card.
    """
    question = GetBalance(
        request_id=None,
        terminal_id=world.TERMINAL,
        card=CardRef(world.NUMBER_INDEX, "1234"),
        till=NO_CONTEXT,
    )
    return read_balance(question, view(seen, **more))


def test_the_balance_is_told() -> None:
    """
    Ledger, what is held, and what can be spent; before and after are one.
    """
    record = look(card(held_minor=30_00))

    assert (record.activity, record.result) == (ActivityType.BALANCE, Result.APPROVED)
    assert record.balances_shown
    assert (record.balance_after_minor, record.held_after_minor) == (100_00, 30_00)
    assert (record.available_before_minor, record.available_after_minor) == (
        70_00,
        70_00,
    )
    assert (record.card_seq, record.approval_code, record.transaction_currency) == (
        None,
        None,
        None,
    )


def test_1_an_unknown_number() -> None:
    """
    14, no balance field.
    """
    record = look(None)

    assert record.result is Result.INVALID_CARD
    assert not record.balances_shown
    assert record.balance_after_minor is None


def test_34_a_card_of_another_programme_reads_like_an_unknown_one() -> None:
    """
    Every field is the same: nothing tells that the card exists.
    """
    foreign = policy(accepted=False)

    assert look(card(), rules=foreign) == look(None, rules=foreign)


@pytest.mark.parametrize(
    ("state", "reason", "result"),
    [
        (CardState.CREATED, None, Result.CARD_NOT_ACTIVE),
        (CardState.PENDING, None, Result.CARD_NOT_ACTIVE),
        (CardState.BLOCKED, BlockReason.LOST, Result.LOST_CARD),
        (CardState.BLOCKED, BlockReason.STOLEN, Result.STOLEN_CARD),
        (CardState.BLOCKED, BlockReason.CUSTOMER, Result.RESTRICTED_CARD),
        (CardState.DEACTIVATED, None, Result.CARD_CLOSED),
        (CardState.REPLACED, None, Result.CARD_CLOSED),
    ],
)
def test_2_what_cannot_be_used_tells_no_balance(
    state: CardState, reason: BlockReason | None, result: Result
) -> None:
    """
    A card that is pending, blocked or closed says so, and not what it holds.
    """
    record = look(card(state=state, block_reason=reason))

    assert record.result is result
    assert not record.balances_shown
    assert (record.balance_after_minor, record.card_id) == (None, None)


def test_a_depleted_card_has_nothing() -> None:
    """
    DEPLETED is no fault of a question: the balance is 0.00.
    """
    record = look(card(0, state=CardState.DEPLETED))

    assert (record.result, record.balance_after_minor) == (Result.APPROVED, 0)


def test_35_an_expired_card() -> None:
    """
    54 from midnight in the programme's zone, which is Dubai's (20:00 UTC).
    """
    seen = card(expires_on=date(2026, 11, 21))
    times = [datetime(2026, 11, 21, hour, 59, tzinfo=UTC) for hour in (19, 20)]

    records = [look(seen, now=now) for now in times]

    assert [r.result for r in records] == [Result.APPROVED, Result.EXPIRED_CARD]
    assert [r.balances_shown for r in records] == [True, False]


def test_order_of_checks() -> None:
    """
    The place, then the card, then its state, then its last day.
    """
    old = date(2020, 1, 1)
    blocked = card(
        state=CardState.BLOCKED, block_reason=BlockReason.LOST, expires_on=old
    )
    shut = policy(at=world.place(terminal=PartyState.CLOSED, store=PartyState.CLOSED))
    suspended = policy(at=world.place(merchant=PartyState.SUSPENDED))

    assert [
        look(None, rules=shut).result,
        look(None, rules=suspended).result,
        look(blocked, rules=policy(accepted=False)).result,
        look(blocked).result,
        look(card(expires_on=old)).result,
    ] == [
        Result.INVALID_TERMINAL,
        Result.INVALID_MERCHANT,
        Result.INVALID_CARD,
        Result.LOST_CARD,
        Result.EXPIRED_CARD,
    ]


def test_a_request_id_and_the_tills_own_fields_are_echoed() -> None:
    """
    The id is optional and comes back where it was sent; so do the till's references.
    """
    question = GetBalance(
        request_id=RequestId(b"\x05" * 16),
        terminal_id=world.TERMINAL,
        card=CardRef(world.NUMBER_INDEX, "1234"),
        till=TillContext(merchant_reference="order 7", system_trace_no="000123"),
    )

    record = read_balance(question, view(card()))

    assert record.request_id == b"\x05" * 16
    assert (record.merchant_reference, record.system_trace_no) == ("order 7", "000123")
