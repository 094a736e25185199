"""
Adjust and ApproveAdjustment decide as domain 1.1 and 1.7 say: two people.
"""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount, CardRef
from gateway.domain.decide import activity_of, decide
from gateway.domain.decision import Decision
from gateway.domain.entries import adjusting
from gateway.domain.errors import InvariantError
from gateway.domain.ids import MerchantId, ProductId
from gateway.domain.originals import Original
from gateway.domain.policy import PartyState, Policy
from gateway.domain.record import (
    Account,
    AdjustmentApproved,
    AdjustmentAsked,
    TransactionRecord,
)
from gateway.domain.results import ActivityType, Channel, Result
from tests.support import world
from tests.support.desks import (
    AMIRA,
    DESKS,
    DOWN,
    OMAR,
    UP,
    adjust,
    approve,
    desk_policy,
    id_of,
    named,
    seen_from,
)
from tests.support.world import amount, card, redeem, reverse, undo, void

LIMITED = ProductId(9)


def limited() -> Policy:
    """
    Give rules with a product that holds 120.00 at most.
    """
    known = desk_policy()
    product = world.product(LIMITED, max_balance_minor=120_00)
    return replace(known, products=known.products | {LIMITED: product})


def ask(asked: Amount, seen: Card | None, **changes: Any) -> Decision:
    """
    Decide a request of amira.
    """
    up = changes.pop("up", True)
    return decide(adjust(asked, up=up), seen_from(seen, **changes), None)


def let(
    asked: Decision | TransactionRecord | None, seen: Card | None, **changes: Any
) -> Decision:
    """
    Decide omar's approval.
    """
    record = asked.record if isinstance(asked, Decision) else asked
    command = changes.pop("command", approve())
    state = {name: changes.pop(name) for name in ("confirmed",) if name in changes}
    original = None if record is None else named(record, **state)
    number = changes.pop("number", 2)
    return decide(command, seen_from(seen, by=OMAR, number=number, **changes), original)


@pytest.mark.parametrize(("up", "activity"), [(True, UP), (False, DOWN)])
def test_a_request_moves_nothing(*, up: bool, activity: ActivityType) -> None:
    """
    It is approved as a request: no posting, no change of the card, and who asked.
    """
    decision = ask(amount(30_00), card(), up=up)
    record = decision.record

    assert (record.result, record.activity) == (Result.APPROVED, activity)
    assert (record.effective, record.card_seq) == (False, None)
    assert (record.requested_minor, record.approved_minor) == (30_00, 0)
    assert (record.approval_code, record.balances_shown) == (None, True)
    assert (record.channel, record.actor) == (Channel.IVR, "amira")
    assert (decision.postings, decision.card) == ((), None)
    assert record.transaction_id is not None
    assert decision.adjustment == AdjustmentAsked(
        record.transaction_id, "amira", "paid twice"
    )


@pytest.mark.parametrize(("up", "change"), [(True, 30_00), (False, -30_00)])
def test_an_approval_moves_it(*, up: bool, change: int) -> None:
    """
    The balance changes by what was asked for; the programme's own account bears it.
    """
    asked = ask(amount(30_00), card(), up=up)
    decision = let(asked, card())
    record, after = decision.record, decision.card

    assert after is not None
    assert after.balance_minor == 100_00 + change
    assert (record.result, record.effective) == (Result.APPROVED, True)
    assert record.activity is asked.record.activity
    assert record.original_transaction_id == asked.record.transaction_id
    assert (record.approved_minor, record.card_minor) == (30_00, 30_00)
    assert (record.channel, record.actor) == (Channel.ADMIN, "omar")
    assert record.approval_code == "ABC234"
    assert [(one.account, one.amount_minor) for one in decision.postings] == [
        (Account.CARD_LIABILITY, -change),
        (Account.ADJUSTMENTS, change),
    ]
    assert {one.owner_id for one in decision.postings} == {world.PROGRAM}
    assert decision.adjustment == AdjustmentApproved(
        id_of(asked.record), id_of(record), "omar"
    )


@pytest.mark.parametrize(
    ("seen", "asked", "up", "result"),
    [
        (card(), amount(0), True, Result.INVALID_AMOUNT),
        (card(), amount(1_00, exponent=3), True, Result.INVALID_AMOUNT),
        (None, amount(1_00), True, Result.INVALID_CARD),
        (card(0, state=CardState.CREATED), amount(1), True, Result.CARD_NOT_ACTIVE),
        (card(0, state=CardState.PENDING), amount(1), True, Result.CARD_NOT_ACTIVE),
        (card(0, state=CardState.DEACTIVATED), amount(1), True, Result.CARD_CLOSED),
        (card(0, state=CardState.REPLACED), amount(1), True, Result.CARD_CLOSED),
        (card(), amount(1_00, "EUR"), True, Result.CURRENCY_NOT_SUPPORTED),
        (card(), amount(10**15), True, Result.INVALID_AMOUNT),
        (card(product_id=LIMITED), amount(20_01), True, Result.LIMIT_EXCEEDED),
        (card(product_id=LIMITED), amount(20_00), True, Result.APPROVED),
        (card(), amount(100_01), False, Result.INSUFFICIENT_FUNDS),
        (card(held_minor=1), amount(100_00), False, Result.INSUFFICIENT_FUNDS),
        (card(), amount(100_00), False, Result.APPROVED),
    ],
)
def test_what_can_be_asked_for(
    seen: Card | None, asked: Amount, up: bool, result: Result
) -> None:
    """
    What could not happen now is refused at once, in the order of the checks.
    """
    decision = ask(asked, seen, up=up, rules=limited())

    assert decision.record.result is result
    assert (decision.adjustment is None) is (result is not Result.APPROVED)
    assert not decision.postings


def test_a_desk_that_is_closed_asks_for_nothing() -> None:
    """
    Check 4 comes first, for the request and for the approval.
    """
    known = desk_policy()
    places = {
        key: replace(one, store=replace(one.store, state=PartyState.SUSPENDED))
        for key, one in known.places.items()
    }
    rules = replace(known, places=places)
    asked = ask(amount(1_00), card())

    assert ask(amount(0), card(), rules=rules).record.result is Result.INVALID_MERCHANT
    assert let(asked, card(), rules=rules).record.result is Result.INVALID_MERCHANT


@pytest.mark.parametrize(
    ("seen", "change", "result"),
    [
        (card(state=CardState.DEACTIVATED), "up", Result.CARD_CLOSED),
        (card(29_99), "down", Result.INSUFFICIENT_FUNDS),
        (card(10**15), "up", Result.INVALID_AMOUNT),
    ],
)
def test_an_approval_looks_at_the_card_again(
    seen: Card, change: str, result: Result
) -> None:
    """
    The card may have changed since the request: what cannot be now is declined.
    """
    asked = ask(amount(30_00), card(), up=change == "up")

    decision = let(asked, seen)

    assert decision.record.result is result
    assert (decision.card, decision.adjustment) == (None, None)


def test_nobody_approves_their_own() -> None:
    """
    The same person at any desk: 57, also of what was approved already.
    """
    asked = ask(amount(30_00), card())
    own = replace(approve(), actor="amira")

    for confirmed in (False, True):
        decision = let(asked, card(), command=own, confirmed=confirmed)
        assert decision.record.result is Result.NOT_PERMITTED
        assert decision.card is None


def test_what_does_not_wait_is_not_approved() -> None:
    """
    Approved before, declined, or itself an approval: 21.
    """
    asked, declined = ask(amount(30_00), card()), ask(amount(0), card())
    done = let(asked, card())
    another = replace(approve(), actor="zeina")
    unknown = ask(amount(30_00), None)

    for decision in (
        let(asked, card(), confirmed=True),
        let(declined, card()),
        let(unknown, None),
        let(done, card(), command=another),
    ):
        assert decision.record.result is Result.CANNOT_BE_REVERSED
        assert decision.card is None


def test_what_is_no_adjustment_is_not_found() -> None:
    """
    Nothing there, or a sale: 25, and nothing is told of its card.
    """
    sale, _ = world.done(redeem(amount(30_00)), card())

    for record in (None, sale):
        decision = let(record, card())
        assert decision.record.result is Result.ORIGINAL_NOT_FOUND
        assert decision.record.activity is UP
        assert decision.record.card_id is None


def test_another_card_or_merchant_finds_nothing() -> None:
    """
    As for everything that names an original: 25 blindly, 14 where not accepted.
    """
    asked = ask(amount(30_00), card())
    other = replace(approve(with_card=True), card=CardRef(b"\x09" * 32, "9999"))
    foreign = asked.record._replace(merchant_id=MerchantId(9))
    closed = replace(desk_policy(), accepted=frozenset())

    assert let(asked, card(), command=other).record.result is Result.ORIGINAL_NOT_FOUND
    assert let(foreign, card()).record.result is Result.ORIGINAL_NOT_FOUND
    assert let(asked, card(), rules=closed).record.result is Result.INVALID_CARD
    assert let(asked, card(), command=approve(with_card=True)).card is not None


@pytest.mark.parametrize(
    ("seen", "asked", "up", "state"),
    [
        (card(10_00, product_id=world.ONE_TIME), 10_00, False, CardState.DEPLETED),
        (card(10_00, product_id=world.ONE_TIME), 9_99, False, CardState.ACTIVE),
        (card(10_00), 10_00, False, CardState.ACTIVE),
        (
            card(0, state=CardState.DEPLETED, product_id=world.ONE_TIME),
            1,
            True,
            CardState.ACTIVE,
        ),
        (
            card(10_00, state=CardState.BLOCKED, block_reason=BlockReason.LOST),
            10_00,
            False,
            CardState.BLOCKED,
        ),
        (
            card(10_00, state=CardState.BLOCKED, block_reason=BlockReason.LOST),
            10_00,
            True,
            CardState.BLOCKED,
        ),
    ],
)
def test_what_becomes_of_the_card(
    seen: Card, asked: int, up: bool, state: CardState
) -> None:
    """
    An emptied card of one load is DEPLETED, a filled one ACTIVE; a block stays.
    """
    decision = let(ask(amount(asked), seen, up=up), seen)

    assert decision.card is not None
    assert decision.card.state is state
    assert decision.card.load_count == seen.load_count


def test_an_adjustment_is_not_undone() -> None:
    """
    Neither request nor approval is reversed or voided: 21; a declined one is 00.
    """
    asked = ask(amount(30_00), card())
    done = let(asked, card())
    declined = ask(amount(0), card())

    for record in (asked.record, done.record):
        assert undo(record, card()).record.result is Result.CANNOT_BE_REVERSED
        voided = decide(void(), world.view(card()), Original(record, False, False))
        assert voided.record.result is Result.CANNOT_BE_REVERSED
    assert undo(declined.record, card()).record.result is Result.APPROVED


def test_what_is_asked_names_its_activity() -> None:
    """
    A request is recorded as what it asks for, everything else as its kind.
    """
    assert activity_of(adjust(amount(1), up=False)) is DOWN
    assert activity_of(adjust(amount(1))) is UP
    assert activity_of(approve()) is UP
    assert activity_of(reverse(1)) is ActivityType.REVERSAL


def test_rows_that_make_no_sense_are_our_fault() -> None:
    """
    Nobody asked, nothing recorded, no card: an invariant, never a decision.
    """
    asked = ask(amount(30_00), card())
    unsigned = replace(adjust(amount(1_00)), actor=None)
    with pytest.raises(InvariantError, match="somebody asks"):
        decide(unsigned, seen_from(card()), None)
    with pytest.raises(InvariantError, match="somebody gives"):
        let(asked, card(), command=replace(approve(), actor=None))
    with pytest.raises(InvariantError, match="who asked"):
        let(asked.record._replace(actor=None, requested_minor=None), card())
    with pytest.raises(InvariantError, match="known card"):
        adjusting(asked.record._replace(card_id=None))


def test_the_desks_are_the_ones_meant() -> None:
    """
    The request counts for amira's own terminal, the approval for omar's.
    """
    asked = ask(amount(30_00), card())

    assert asked.record.terminal_id == DESKS[AMIRA]
    assert let(asked, card()).record.terminal_id == DESKS[OMAR]
