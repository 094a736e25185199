"""
Replace decides as domain 1.3 and 1.7 and docs/adr/0017 say: all goes on on a new card.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from currency import Currency
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.ids import CardId, IssueBatchId, ProgramId
from gateway.domain.policy import PartyState
from gateway.domain.record import Account
from gateway.domain.results import ActivityType, Channel, MovingEnd, Result
from tests.support import world
from tests.support.lives import (
    BARRED,
    LIMITED,
    OPEN,
    SECOND_ID,
    decided,
    lost,
    new,
    open_hold,
    restricted,
    rules,
    take_place,
)

LAST_DAY = world.NOW.date() + timedelta(days=90)


@pytest.mark.parametrize("reason", [BlockReason.LOST, BlockReason.STOLEN])
def test_everything_goes_on_on_the_new_card(reason: BlockReason) -> None:
    """
    Balance, waiting loads, holds, loads and last day move; the old card keeps nothing.
    """
    hold = open_hold(70, 30_00)
    old = replace(
        lost(held_minor=30_00, expires_on=LAST_DAY, loaded_minor=120_00),
        block_reason=reason,
        unconfirmed_minor=10_00,
        next_hold_expiry=hold.expires_at,
    )
    decision = decided(take_place(), old, new(), holds=(hold,))
    given = decision.card
    (beside,) = decision.also
    received = beside.card

    assert given is not None
    assert received is not None
    assert given == replace(
        old,
        state=CardState.REPLACED,
        replaced_by=received.card_id,
        balance_minor=0,
        held_minor=0,
        unconfirmed_minor=0,
        load_count=0,
        loaded_minor=0,
        next_hold_expiry=None,
        version=2,
        last_transaction_at=world.NOW,
    )
    assert received == replace(
        new(),
        state=CardState.ACTIVE,
        balance_minor=100_00,
        held_minor=30_00,
        unconfirmed_minor=10_00,
        load_count=1,
        loaded_minor=120_00,
        expires_on=LAST_DAY,
        next_hold_expiry=hold.expires_at,
        version=2,
        last_transaction_at=world.NOW,
    )
    assert beside.holds == (replace(hold, card_id=received.card_id),)


def test_the_two_rows_of_a_replacement() -> None:
    """
    The request's row is on the old card, one that nobody asked for on the new.
    """
    decision = decided(take_place(number=4), lost(), new())
    first, (beside,) = decision.record, decision.also
    second = beside.record

    assert first.activity is ActivityType.TRANSFER_BALANCE_FROM
    assert second.activity is ActivityType.TRANSFER_BALANCE_TO
    assert (second.transaction_id, second.request_id) == (SECOND_ID, None)
    assert second.original_transaction_id == first.transaction_id
    assert first.original_transaction_id is None
    assert (first.card_id, second.card_id) == (1, 2)
    assert (first.card_state, second.card_state) == (
        CardState.REPLACED,
        CardState.ACTIVE,
    )
    for record in (first, second):
        assert record.result is Result.APPROVED
        assert (record.approved_minor, record.card_minor) == (100_00, 100_00)
        assert (record.reason, record.actor) == (BlockReason.LOST, "clerk-7")
        assert record.channel is Channel.IVR
    assert (first.balance_before_minor, first.balance_after_minor) == (100_00, 0)
    assert (second.balance_before_minor, second.balance_after_minor) == (0, 100_00)
    assert first.approval_code
    assert second.approval_code is None


def test_the_money_passes_through_the_transfers_account() -> None:
    """
    DR liability of the old, CR transfers; DR transfers, CR liability of the new.
    """
    decision = decided(take_place(), lost(), new())
    (beside,) = decision.also

    def lines(postings: Any) -> list[tuple[int, Account, int, str, int]]:
        return [
            (one.card_id, one.account, one.owner_id, one.currency, one.amount_minor)
            for one in postings
        ]

    assert lines(decision.postings) == [
        (1, Account.CARD_LIABILITY, world.PROGRAM, "USD", 100_00),
        (1, Account.TRANSFERS, world.PROGRAM, "USD", -100_00),
    ]
    assert lines(beside.postings) == [
        (2, Account.CARD_LIABILITY, world.PROGRAM, "USD", -100_00),
        (2, Account.TRANSFERS, world.PROGRAM, "USD", 100_00),
    ]


def test_an_empty_card_is_replaced_too() -> None:
    """
    Refunds may come: 00 with nothing moved and nothing posted.
    """
    decision = decided(take_place(), lost(0), new())
    (beside,) = decision.also

    assert decision.record.result is Result.APPROVED
    assert (decision.postings, beside.postings) == ((), ())
    assert beside.card is not None
    assert beside.card.state is CardState.ACTIVE


def test_a_spent_card_of_one_load_stays_spent() -> None:
    """
    What takes the place of a spent single-use card is DEPLETED.
    """
    old = lost(0, product_id=world.ONE_TIME)
    (beside,) = decided(take_place(), old, new(product_id=world.ONE_TIME)).also

    assert beside.card is not None
    assert beside.card.state is CardState.DEPLETED


def test_no_limit_of_the_new_product_stands_in_the_way() -> None:
    """
    130.00 come onto a product of at most 120.00: nobody's money may vanish.
    """
    decision = decided(take_place(), lost(130_00), new(product_id=LIMITED))

    assert decision.record.result is Result.APPROVED


EXPIRED = world.LONG_AGO.date()


@pytest.mark.parametrize(
    ("old", "result"),
    [
        (None, Result.INVALID_CARD),
        (world.card(), Result.CARD_NOT_FLAGGED),
        (world.card(0, state=CardState.DEPLETED), Result.CARD_NOT_FLAGGED),
        (lost(block_reason=BlockReason.FRAUD), Result.CARD_NOT_FLAGGED),
        (lost(block_reason=BlockReason.CUSTOMER), Result.CARD_NOT_FLAGGED),
        (world.card(0, state=CardState.PENDING), Result.CARD_NOT_ACTIVE),
        (world.card(0, state=CardState.DEACTIVATED), Result.CARD_CLOSED),
        (lost(expires_on=EXPIRED), Result.EXPIRED_CARD),
    ],
)
def test_a_card_that_cannot_be_replaced(old: Card | None, result: Result) -> None:
    """
    12 for what is not reported lost or stolen; nothing changes.
    """
    decision = decided(take_place(), old, new())

    assert decision.record.result is result
    assert decision.record.reason is None
    assert (decision.card, decision.also, decision.postings) == (None, (), ())


@pytest.mark.parametrize(
    ("successor", "result"),
    [
        (None, Result.INVALID_CARD),
        (new(program_id=ProgramId(2)), Result.INVALID_CARD),
        (replace(new(), state=CardState.ACTIVE), Result.CARD_ALREADY_ACTIVATED),
        (replace(new(), state=CardState.DEPLETED), Result.CARD_ALREADY_ACTIVATED),
        (replace(new(), state=CardState.CREATED), Result.CARD_NOT_ACTIVE),
        (replace(new(), state=CardState.DEACTIVATED), Result.CARD_CLOSED),
        (replace(lost(0), card_id=CardId(2)), Result.LOST_CARD),
        (new(expires_on=EXPIRED), Result.EXPIRED_CARD),
        (
            new(product_id=world.EURO, currency=Currency.of("EUR")),
            Result.CURRENCY_NOT_SUPPORTED,
        ),
    ],
)
def test_a_card_that_cannot_take_its_place(
    successor: Card | None, result: Result
) -> None:
    """
    The refusal says that it is the second card's, and the row is on the first.
    """
    if successor is not None and successor.program_id == 2:
        policy = rules()
        accepted = policy.accepted | {(ProgramId(2), world.MERCHANT)}
        policy = replace(policy, accepted=accepted)
    else:
        policy = rules()
    decision = decided(take_place(), lost(), successor, policy=policy)

    assert decision.record.result is result
    assert decision.record.reason == MovingEnd.SECOND
    assert decision.record.card_id == 1
    assert (decision.card, decision.also) == (None, ())


def test_a_card_does_not_replace_itself() -> None:
    """
    57, before its state is looked at.
    """
    same = lost()
    record = decided(take_place(index=world.NUMBER_INDEX), same, same).record

    assert (record.result, record.reason) == (Result.NOT_PERMITTED, None)


@pytest.mark.parametrize("channel", [Channel.API, Channel.PORTAL])
def test_only_staff_replace(channel: Channel) -> None:
    """
    57 for whoever else asks.
    """
    record = decided(take_place(channel=channel), lost(), new()).record

    assert record.result is Result.NOT_PERMITTED


def test_the_terminal_comes_first() -> None:
    """
    58 before 14.
    """
    policy = rules(at=world.place(terminal=PartyState.SUSPENDED))
    record = decided(take_place(), None, None, policy=policy).record

    assert record.result is Result.INVALID_TERMINAL


BATCH = IssueBatchId(8)


@pytest.mark.parametrize(
    ("old", "successor", "result"),
    [
        ({"restriction_set_id": BARRED}, {}, Result.NOT_PERMITTED),
        (
            {"restriction_set_id": BARRED},
            {"restriction_set_id": OPEN},
            Result.NOT_PERMITTED,
        ),
        ({"issue_batch_id": BATCH}, {}, Result.NOT_PERMITTED),
        (
            {"restriction_set_id": BARRED},
            {"restriction_set_id": BARRED},
            Result.APPROVED,
        ),
        ({"issue_batch_id": BATCH}, {"restriction_set_id": OPEN}, Result.APPROVED),
        ({}, {"restriction_set_id": BARRED}, Result.APPROVED),
    ],
)
def test_money_does_not_leave_its_restriction(
    old: dict[str, Any], successor: dict[str, Any], result: Result
) -> None:
    """
    57 where the new card may be used where the old one may not.
    """
    policy = replace(restricted(rules()), issue_batches={BATCH: OPEN})
    decision = decided(
        take_place(), replace(lost(), **old), new(**successor), policy=policy
    )

    assert decision.record.result is result
