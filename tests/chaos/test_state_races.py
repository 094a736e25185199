"""
What makes a card usable races what uses it, over two workers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import UUID, uuid4

from currency import Money
from tests.support.chaos_check import check_journal, opening_of
from tests.support.chaos_journal import Entry
from tests.support.chaos_load import USD
from tests.support.chaos_race import Counts, at_once, send_until_answered
from tests.support.server import Card, Gateway
from tests.support.tills import Till, open_tills
from till.card_number import CardNumber
from till.codes import ReversalReason
from till.requests import Activate, Load, Redeem, Request, Reverse

CARDS = 40
PENDING, ACTIVE = 2, 3


def activate(card: Card) -> Activate:
    """
    Activate with 25.00.
    """
    number = CardNumber(card.number)
    return Activate(
        request_id=uuid4(), card_number=number, initial_amount=Money(25_00, USD)
    )


def redeem(card: Card, minor: int) -> Redeem:
    """
    Spend an amount or nothing.
    """
    number = CardNumber(card.number)
    return Redeem(request_id=uuid4(), card_number=number, amount=Money(minor, USD))


def reverse(original: UUID) -> Reverse:
    """
    Undo a request.
    """
    return Reverse(
        request_id=uuid4(),
        original_request_id=original,
        reason=ReversalReason.CUSTOMER_CANCELLATION,
    )


async def race(
    card: Card, requests: Sequence[Request], tills: Sequence[Till]
) -> list[Entry]:
    """
    Send all at once, each over any of the connections, in any order.
    """
    entries = [Entry(request=request, card=card) for request in requests]
    calls = [
        send_until_answered(entry, random.choice(tills), Counts()) for entry in entries
    ]
    random.shuffle(calls)
    await at_once(*calls)
    return entries


async def test_an_activation_races_its_use_and_its_reversal(gateway: Gateway) -> None:
    """
    24: a card is spent from, or its activation is undone, and never both.

    40 cards; each is activated twice, spent from and un-activated, all at once.
    """
    cards = gateway.new_cards(CARDS)
    opening = opening_of(gateway, cards)
    async with open_tills(gateway) as tills:
        both = [await tills("till-1", worker=worker) for worker in (1, 2)]
        journal: list[Entry] = []
        for card in cards:
            first = activate(card)
            requests: list[Request] = [
                first,
                activate(card),
                redeem(card, 10_00),
                redeem(card, 10_00),
                reverse(first.request_id),
            ]
            journal += await race(card, requests, both)

    check_journal(gateway, journal, opening)
    query = "SELECT card_id, state, balance_minor FROM card WHERE card_id = ANY(%s)"
    kept = {row[0]: row[1:] for row in gateway.sql(query, [*opening])}
    for number, card in enumerate(cards):
        told = [entry.answers[0] for entry in journal[number * 5 : number * 5 + 5]]
        one, other, *spent, undone = (answer.approved for answer in told)
        if other or (one and not undone):
            assert kept[card.card_id] == (ACTIVE, 25_00 - 10_00 * sum(spent))
        else:
            assert kept[card.card_id] == (PENDING, 0)
            assert not any(spent)


async def test_a_card_for_one_load_is_loaded_once(gateway: Gateway) -> None:
    """
    7: of loads that race on a single-use card one is approved, however many workers.
    """
    cards = gateway.new_cards(10, product="one-time")
    opening = opening_of(gateway, cards)
    async with open_tills(gateway) as tills:
        both = [await tills("till-1", worker=worker) for worker in (1, 2)]
        journal: list[Entry] = []
        for card in cards:
            number = CardNumber(card.number)
            empty = Activate(request_id=uuid4(), card_number=number)
            journal += await race(card, [empty], both)
            loads = [
                Load(request_id=uuid4(), card_number=number, amount=Money(20_00, USD))
                for _ in range(6)
            ]
            raced = await race(card, loads, both)
            assert sum(entry.answers[0].approved for entry in raced) == 1
            assert {entry.answers[0].response_code for entry in raced} == {"00", "57"}
            journal += raced

    check_journal(gateway, journal, opening)
    assert {gateway.balance_of(card) for card in cards} == {20_00}
