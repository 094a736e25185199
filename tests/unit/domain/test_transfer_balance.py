"""
TransferBalance decides as domain 1.7 and docs/adr/0017 say: what is available, or none.
"""

from dataclasses import replace
from typing import Any

import pytest

from currency import MAX_MINOR_UNITS, Currency
from gateway.domain.card_pins import PinProof
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.decide import decide
from gateway.domain.ids import ProgramId
from gateway.domain.limits import LimitKind
from gateway.domain.policy import PartyState
from gateway.domain.results import ActivityType, MovingEnd, Result
from tests.support import world
from tests.support.lives import (
    BARRED,
    BARRED_VERSION,
    LIMITED,
    OPEN,
    SECOND_ID,
    decided,
    lost,
    other,
    product,
    restricted,
    rules,
    transfer,
)
from tests.support.pins import RIGHT, WRONG, kept_pin, proof

FIRST, SECOND = None, MovingEnd.SECOND
EXPIRED = world.LONG_AGO.date()


def test_what_is_available_moves() -> None:
    """
    00: all of the first card comes onto the second, to which it is a load.
    """
    decision = decided(transfer(), world.card(70_00), other(5_00))
    record, given, (beside,) = decision.record, decision.card, decision.also
    received = beside.card

    assert given is not None
    assert received is not None
    assert (given.balance_minor, given.state) == (0, CardState.ACTIVE)
    assert (given.load_count, given.replaced_by) == (1, None)
    assert (received.balance_minor, received.load_count) == (75_00, 1)
    assert received.loaded_minor == 70_00
    assert record.activity is ActivityType.TRANSFER_BALANCE_FROM
    assert (record.approved_minor, record.requested_minor) == (70_00, 70_00)
    assert (record.available_before_minor, record.available_after_minor) == (70_00, 0)
    assert record.balances_shown
    assert record.reason is None
    assert beside.record.activity is ActivityType.TRANSFER_BALANCE_TO
    assert beside.record.original_transaction_id == record.transaction_id
    assert world.balanced(decision.postings)
    assert world.balanced(beside.postings)
    assert not decision.holds + beside.holds


def test_a_load_that_waits_stays() -> None:
    """
    Only what is available moves; an unconfirmed load stays where it is.
    """
    card = replace(world.card(70_00), unconfirmed_minor=20_00)
    decision = decided(transfer(), card, other())

    assert decision.card is not None
    assert (decision.card.balance_minor, decision.card.available_minor) == (20_00, 0)
    assert decision.record.approved_minor == 50_00


def test_a_card_of_one_load_is_depleted() -> None:
    """
    What moved from a single-use card has spent it.
    """
    decision = decided(transfer(), world.card(product_id=world.ONE_TIME), other())

    assert decision.card is not None
    assert decision.card.state is CardState.DEPLETED


@pytest.mark.parametrize(
    ("card", "second", "end", "result"),
    [
        (None, other(), FIRST, Result.INVALID_CARD),
        (world.card(), None, SECOND, Result.INVALID_CARD),
        (world.card(), other(program_id=ProgramId(2)), SECOND, Result.INVALID_CARD),
        (
            world.card(),
            other(product_id=world.ONE_TIME),
            SECOND,
            Result.CARD_NOT_RELOADABLE,
        ),
        (
            world.card(),
            other(state=CardState.DEPLETED),
            SECOND,
            Result.CARD_NOT_RELOADABLE,
        ),
        (lost(), other(), FIRST, Result.LOST_CARD),
        (
            world.card(0, state=CardState.PENDING),
            other(),
            FIRST,
            Result.CARD_NOT_ACTIVE,
        ),
        (world.card(), other(state=CardState.PENDING), SECOND, Result.CARD_NOT_ACTIVE),
        (
            world.card(),
            other(state=CardState.BLOCKED, block_reason=BlockReason.STOLEN),
            SECOND,
            Result.STOLEN_CARD,
        ),
        (lost(), other(state=CardState.PENDING), FIRST, Result.LOST_CARD),
        (world.card(expires_on=EXPIRED), other(), FIRST, Result.EXPIRED_CARD),
        (world.card(), other(expires_on=EXPIRED), SECOND, Result.EXPIRED_CARD),
        (
            world.card(expires_on=EXPIRED),
            other(state=CardState.PENDING),
            SECOND,
            Result.CARD_NOT_ACTIVE,
        ),
        (
            world.card(),
            other(product_id=world.EURO, currency=Currency.of("EUR")),
            SECOND,
            Result.CURRENCY_NOT_SUPPORTED,
        ),
        (world.card(), other(MAX_MINOR_UNITS), SECOND, Result.INVALID_AMOUNT),
        (
            world.card(),
            other(20_01, product_id=LIMITED),
            SECOND,
            Result.LIMIT_EXCEEDED,
        ),
        (world.card(held_minor=1), other(), FIRST, Result.NOT_PERMITTED),
        (world.card(1_00, held_minor=1_00), other(), FIRST, Result.NOT_PERMITTED),
        (world.card(0), other(), FIRST, Result.INSUFFICIENT_FUNDS),
        (
            world.card(0, state=CardState.DEPLETED, product_id=world.ONE_TIME),
            other(MAX_MINOR_UNITS),
            FIRST,
            Result.INSUFFICIENT_FUNDS,
        ),
    ],
)
def test_what_refuses_it(
    card: Card | None, second: Card | None, end: MovingEnd | None, result: Result
) -> None:
    """
    Each check is made for the first card, then for the second; nothing changes.
    """
    policy = rules()
    both = policy.accepted | {(ProgramId(2), world.MERCHANT)}
    decision = decided(transfer(), card, second, policy=replace(policy, accepted=both))

    assert decision.record.result is result
    assert decision.record.reason is end
    assert (decision.card, decision.also, decision.postings) == (None, (), ())


def test_up_to_the_largest_balance() -> None:
    """
    One that reaches it is taken.
    """
    decision = decided(transfer(), world.card(), other(20_00, product_id=LIMITED))

    assert decision.record.result is Result.APPROVED


def test_a_card_is_not_its_own_second() -> None:
    """
    57 where the same card is named twice.
    """
    same = world.card()
    record = decided(transfer(index=world.NUMBER_INDEX), same, same).record

    assert (record.result, record.balances_shown) == (Result.NOT_PERMITTED, False)


def test_the_terminal_comes_first() -> None:
    """
    58 before 14.
    """
    policy = rules(at=world.place(terminal=PartyState.SUSPENDED))

    assert decided(transfer(), None, None, policy=policy).record.result is (
        Result.INVALID_TERMINAL
    )


@pytest.mark.parametrize(
    ("taken", "end"),
    [
        (ActivityType.TRANSFER_BALANCE_FROM, FIRST),
        (ActivityType.TRANSFER_BALANCE_TO, SECOND),
    ],
)
def test_either_product_may_not_permit_it(
    taken: ActivityType, end: MovingEnd | None
) -> None:
    """
    57: a product says by itself whether money may leave its cards, or come onto them.
    """
    permitted = frozenset(ActivityType) - {taken}
    policy = rules(product(world.RELOADABLE, permitted=permitted))
    record = decided(transfer(), world.card(), other(), policy=policy).record

    assert (record.result, record.reason) == (Result.NOT_PERMITTED, end)


@pytest.mark.parametrize(
    ("first", "second", "result", "end"),
    [
        (BARRED, BARRED, Result.RESTRICTED_CARD, FIRST),
        (None, BARRED, Result.RESTRICTED_CARD, SECOND),
        (OPEN, None, Result.NOT_PERMITTED, SECOND),
        (OPEN, OPEN, Result.APPROVED, FIRST),
        (None, OPEN, Result.APPROVED, FIRST),
    ],
)
def test_restrictions_of_either_card(
    first: Any, second: Any, result: Result, end: MovingEnd | None
) -> None:
    """
    62 where one of them bars the store; 57 where money would leave its restriction.
    """
    card = replace(world.card(), restriction_set_id=first)
    receiver = other(restriction_set_id=second)
    policy = restricted(rules())
    record = decided(transfer(), card, receiver, policy=policy).record

    assert (record.result, record.reason) == (result, end)
    barred = result is Result.RESTRICTED_CARD
    assert record.restriction_version_id == (BARRED_VERSION if barred else None)


@pytest.mark.parametrize(
    ("sent", "tries", "result"),
    [
        (None, 0, Result.PIN_REQUIRED),
        (proof(WRONG), 0, Result.INCORRECT_PIN),
        (proof(RIGHT), 3, Result.PIN_TRIES_EXCEEDED),
        (proof(RIGHT), 2, Result.APPROVED),
    ],
)
def test_the_first_cards_pin(sent: PinProof | None, tries: int, result: Result) -> None:
    """
    55 or 75 after the last day of either card; the tries are counted, or forgiven.
    """
    needed = frozenset({ActivityType.TRANSFER_BALANCE_FROM})
    policy = rules(product(world.RELOADABLE, pin_required_for=needed))
    command = replace(transfer(), pin=sent)
    seen = world.view(world.card(), rules=policy, number=5)
    seen = seen._replace(
        stamp=seen.stamp._replace(second_id=SECOND_ID),
        other=other(),
        pin=kept_pin(tries=tries),
    )
    decision = decide(command, seen, None)

    assert decision.record.result is result
    counted = [one.tries for one in decision.tries]
    assert counted == {
        Result.INCORRECT_PIN: [1],
        Result.APPROVED: [0],
    }.get(result, [])


def test_a_right_pin_forgives_also_where_the_move_is_refused() -> None:
    """
    The second card is too full: what was counted wrong is forgiven all the same.
    """
    seen = world.view(world.card(), rules=rules(), number=5)
    full = other(20_01, product_id=LIMITED)
    seen = seen._replace(other=full, pin=kept_pin(tries=2))
    decision = decide(replace(transfer(), pin=proof(RIGHT)), seen, None)

    assert decision.record.result is Result.LIMIT_EXCEEDED
    assert decision.record.limit_kind is LimitKind.BALANCE
    assert [one.tries for one in decision.tries] == [0]
    assert decision.card is not None
