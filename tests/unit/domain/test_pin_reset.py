"""
Staff let a PIN be tried again.
"""

import pytest

from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.ids import CardId
from gateway.domain.policy import PartyState
from gateway.domain.results import ActivityType, Channel, Result
from tests.support.desks import reset_pin, seen_from
from tests.support.pins import kept_pin
from tests.support.world import NOW, card, place, policy, view


def decided(pin: CardPin | None, seen: Card | None = None) -> Decision:
    """
    Decide a reset on a card.
    """
    return decide(reset_pin(), seen_from(seen or card(), pin=pin), None)


def test_staff_let_a_pin_be_tried_again() -> None:
    """
    PIN_RESET: by every channel; a change of the card, with who did it. They see it.
    """
    pin = kept_pin(3).tried(PinTries(CardId(1), Channel.IVR, 2, NOW, 5))
    decision = decided(pin)
    record = decision.record

    assert (record.activity, record.result) == (
        ActivityType.PIN_RESET,
        Result.APPROVED,
    )
    assert (record.channel, record.actor) == (Channel.IVR, "amira")
    assert (record.card_seq, record.balances_shown) == (card().version + 1, True)
    assert decision.card == card().moved(0, NOW, expires_on=None)
    assert {
        (counted.channel, counted.tries, counted.wrong_total)
        for counted in decision.tries
    } == {(Channel.API, 0, 3), (Channel.IVR, 0, 5)}
    untried = decided(kept_pin())
    assert (untried.record.result, untried.tries) == (Result.APPROVED, ())
    assert untried.record.card_seq == card().version + 1


@pytest.mark.parametrize(
    ("seen", "pin", "result"),
    [
        (card(), None, Result.NOT_PERMITTED),
        (card(state=CardState.DEACTIVATED), kept_pin(3), Result.CARD_CLOSED),
    ],
)
def test_a_reset_that_makes_no_sense(
    seen: Card, pin: CardPin | None, result: Result
) -> None:
    """
    57 without a PIN, 78 for a closed card; nothing changes.
    """
    decision = decided(pin, seen)

    assert decision.record.result is result
    assert (decision.card, decision.tries) == (None, ())


def test_a_reset_of_an_unknown_card() -> None:
    """
    14; a suspended terminal is told of first.
    """
    assert decide(reset_pin(), view(None), None).record.result is Result.INVALID_CARD
    rules = policy(at=place(terminal=PartyState.SUSPENDED))
    refused = decide(reset_pin(), view(card(), rules=rules), None)
    assert refused.record.result is Result.INVALID_TERMINAL


def test_a_blocked_card_keeps_its_reset() -> None:
    """
    A card that is blocked may be unblocked later: its PIN can be reset meanwhile.
    """
    blocked = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)

    assert decided(kept_pin(3), blocked).record.result is (Result.APPROVED)
