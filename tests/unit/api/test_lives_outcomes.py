"""
What is told of a card that was blocked, closed or replaced, and what is kept back.
"""

from dataclasses import replace
from typing import Any

import pytest

from gateway.api.outcomes import outcome
from gateway.domain.cards import Card, CardState
from gateway.domain.commands import Command
from gateway.domain.results import Channel, CurrentState
from gateway.engine.answers import Answer
from scrip.v1 import card_pb2, transaction_pb2
from tests.support import world
from tests.support.lives import (
    BARRED,
    block,
    deactivate,
    decided,
    lost,
    new,
    other,
    product,
    restricted,
    rules,
    take_place,
    transfer,
    unblock,
)

HIDDEN, SHOWN = False, True


def told(
    command: Command, card: Card, second: Card | None = None, policy: Any = None
) -> transaction_pb2.Outcome:
    """
    Decide a command, and write its answer.
    """
    known = policy or rules()
    record = decided(command, card, second, policy=known).record
    return outcome(Answer(record, replayed=False, state=CurrentState.POSTED), known)


@pytest.mark.parametrize(
    ("command", "card", "second", "state", "balance"),
    [
        (block(), world.card(), None, "BLOCKED", HIDDEN),
        (block(), lost(), None, "BLOCKED", HIDDEN),
        (block(channel=Channel.IVR), world.card(), None, "BLOCKED", SHOWN),
        (unblock(), lost(), None, "ACTIVE", SHOWN),
        (deactivate(), world.card(0), None, "DEACTIVATED", SHOWN),
        (deactivate(), lost(0), None, "DEACTIVATED", HIDDEN),
        (take_place(), lost(), new(), "REPLACED", SHOWN),
        (transfer(), world.card(), other(), "ACTIVE", SHOWN),
        (take_place(), world.card(), new(), "ACTIVE", HIDDEN),
        (transfer(), world.card(), lost(0), "ACTIVE", HIDDEN),
    ],
)
def test_the_first_card_is_told_as_it_is_now(
    command: Command, card: Card, second: Card | None, state: str, balance: bool
) -> None:
    """
    Its state always; its balances only where a block does not hide them.
    """
    answer = told(command, card, second)

    assert card_pb2.Card.State.Name(answer.card.state) == f"STATE_{state}"
    assert answer.card.last_four == "1234"
    assert answer.HasField("available_balance") is balance


FORBIDDEN = rules(product(world.RELOADABLE, permitted=frozenset()))


SENTENCES: list[tuple[transaction_pb2.Outcome, str]] = [
    (told(block(), world.card()), "Card blocked."),
    (told(unblock(), lost()), "Card unblocked. Balance: 100.00 USD."),
    (told(deactivate(), world.card(0)), "Card closed. Balance: 0.00 USD."),
    (
        told(deactivate(), world.card()),
        "Declined: there is money on the card. Balance: 100.00 USD.",
    ),
    (told(deactivate(), lost()), "Declined: the card does not permit this."),
    (
        told(take_place(), lost(), new()),
        "Card replaced. 100.00 USD moved to the new card. Balance: 0.00 USD.",
    ),
    (
        told(take_place(), world.card(), new()),
        "Declined: the card is not reported lost or stolen.",
    ),
    (
        told(take_place(), lost(), other()),
        "Declined: the other card is active already.",
    ),
    (
        told(transfer(), world.card(70_00), other()),
        "Moved 70.00 USD to the other card. Balance: 0.00 USD.",
    ),
    (
        told(transfer(), world.card(), None),
        "Declined: the other card is not known here.",
    ),
    (
        told(transfer(), world.card(), other(state=CardState.PENDING)),
        "Declined: the other card is not active yet.",
    ),
    (
        told(transfer(), world.card(10_00, held_minor=1_00), other()),
        "Declined: a part of the balance is held for a payment. Balance: 9.00 USD.",
    ),
    (
        told(transfer(), world.card(0), other()),
        "Declined: there is nothing on the card to move. Balance: 0.00 USD.",
    ),
    (
        told(transfer(), world.card(), other(), FORBIDDEN),
        "Declined: the card does not permit this.",
    ),
    (
        told(
            transfer(),
            world.card(),
            other(product_id=world.ONE_TIME),
            rules(product(world.ONE_TIME, permitted=frozenset())),
        ),
        "Declined: the other card does not permit this.",
    ),
    (
        told(
            transfer(),
            world.card(),
            other(restriction_set_id=BARRED),
            restricted(rules()),
        ),
        "Declined: the other card is not valid at this store.",
    ),
    (
        told(
            transfer(),
            replace(world.card(), restriction_set_id=BARRED),
            other(),
            restricted(rules()),
        ),
        "Declined: the card is not valid at this store.",
    ),
]


def test_what_the_receipt_says() -> None:
    """
    Which of the two cards is in the way, and what moved.
    """
    for answer, text in SENTENCES:
        assert answer.receipt_text == text


def test_a_move_tells_how_much_moved() -> None:
    """
    The till named no amount; the answer does, in the card's currency.
    """
    answer = told(transfer(), world.card(70_00), other())

    assert answer.approved_amount.minor_units == 70_00
    assert answer.requested_amount == answer.approved_amount
    assert not answer.amount_due.minor_units
