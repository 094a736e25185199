"""
What changes a card's life stands: nothing that names it undoes it, or tells a balance.
"""

from dataclasses import replace

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount, CardRef, Command
from gateway.domain.decide import decide
from gateway.domain.entries import transferring
from gateway.domain.errors import InvariantError
from gateway.domain.originals import Original
from gateway.domain.results import Result
from tests.support import world
from tests.support.lives import (
    block,
    deactivate,
    decided,
    lost,
    new,
    other,
    rules,
    take_place,
    transfer,
    unblock,
)

BACK = world.amount(1_00)
LIVES: list[tuple[Command, Card, Card | None]] = [
    (block(number=1), world.card(), None),
    (unblock(number=1), lost(), None),
    (deactivate(number=1), world.card(0), None),
    (take_place(number=1), lost(), new()),
    (transfer(number=1), world.card(), other()),
]


@pytest.mark.parametrize(("command", "card", "second"), LIVES)
@pytest.mark.parametrize(
    "undoing",
    [world.reverse(1, with_card=False), world.void(1), world.refund(BACK, 1)],
)
def test_what_stands_is_not_undone(
    command: Command, card: Card, second: Card | None, undoing: Command
) -> None:
    """
    21, or 78 for a refund to a closed card; the balance is not told.
    """
    done = decided(command, card, second)
    last = done.also[0].card if done.record.card_state == 7 else done.card
    original = Original(done.record, reversed=False, later_activity=False)
    decision = decide(undoing, world.view(last, rules=rules(), number=9), original)

    assert done.record.result is Result.APPROVED
    assert decision.record.result in {Result.CANNOT_BE_REVERSED, Result.CARD_CLOSED}
    assert not decision.record.balances_shown
    assert (decision.card, decision.postings) == (None, ())


@pytest.mark.parametrize(
    "number", [world.NUMBER_INDEX, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32]
)
def test_any_number_of_the_line_names_the_card(number: bytes) -> None:
    """
    A till may send the number of the sale, or of any card that took its place since.
    """
    record, _ = world.done(world.redeem(world.amount(10_00)), world.card())
    last = replace(world.card(90_00), number_index=b"\x03" * 32)
    original = Original(
        record,
        reversed=False,
        later_activity=False,
        number_index=world.NUMBER_INDEX,
        successors=(b"\x02" * 32, b"\x03" * 32),
    )
    asked = replace(world.reverse(1), card=CardRef(number, "1234"))
    result = decide(asked, world.view(last), original).record.result
    strange = number == b"\x04" * 32

    assert result is (Result.ORIGINAL_NOT_FOUND if strange else Result.APPROVED)


def test_what_undoes_a_sale_is_posted_on_the_last_card() -> None:
    """
    The sale was on card 1; its liability comes back on card 2, which took its place.
    """
    record, _ = world.done(world.redeem(world.amount(10_00)), world.card())
    last = other(90_00)
    undone = world.undo(record, last)

    assert {posting.card_id for posting in undone.postings} == {last.card_id}
    assert undone.card is not None
    assert undone.card.balance_minor == 100_00


def test_a_move_is_posted_on_known_cards() -> None:
    """
    A record without its card is nothing to post.
    """
    record = decided(transfer(), world.card(), other()).record

    with pytest.raises(InvariantError, match="known card"):
        transferring(record._replace(card_id=None))


@pytest.mark.parametrize("first", [None, world.amount(25_00)])
@pytest.mark.parametrize("reason", BlockReason)
def test_24_a_block_that_stands_is_later_activity(
    first: Amount | None, reason: BlockReason
) -> None:
    """
    Reverse and Void of an Activate on a blocked card: 21. Unblocked, it goes: PENDING.

    Undone on a blocked card it would leave none that was ever activated, and nobody
    could tell once it is unblocked. PENDING at once, whoever found it could activate it
    again.
    """
    limited = rules(world.product(world.RELOADABLE, validity_days=365))
    unsold = world.card(0, state=CardState.PENDING, load_count=0)
    record, after = world.done(world.activate(first), unsold, rules=limited)
    stopped = replace(after, state=CardState.BLOCKED, block_reason=reason)
    refused = world.undo(record, stopped, rules=limited)
    void = world.follow(world.void(), record, stopped, rules=limited)
    again = decided(unblock(), stopped, policy=limited).card
    assert again is not None
    back = world.undo(record, again, rules=limited).card

    for decision in (refused, void):
        assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
        assert (decision.card, decision.postings) == (None, ())
    assert (refused.exception is not None) == (first is not None)
    assert (again.state, again.expires_on) == (CardState.ACTIVE, after.expires_on)
    assert back is not None
    assert (back.state, back.balance_minor, back.expires_on) == (
        CardState.PENDING,
        0,
        None,
    )
