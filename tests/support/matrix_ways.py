"""
Ways to prepare what an entry of the table sends, and what may come after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.look import CardRow
from tests.support.matrix import Case
from tests.support.tills import request_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.matrix import Bench
    from tests.support.server import Card
    from tests.support.told import Outcome

    Prepare = Callable[[Bench], Awaitable[Case]]
    Before = Callable[[Bench, Card], Awaitable[Outcome]]
    Meanwhile = Callable[[Bench, Case], Awaitable[object]]


def active(balance: int, *, loads: int = 1, **more: int) -> tuple[CardRow, ...]:
    """
    Write one card that is ACTIVE.
    """
    return (CardRow("ACTIVE", balance, loads, **more),)


async def approved(asked: Awaitable[Outcome]) -> Outcome:
    """
    Await an answer that has to be approved.
    """
    outcome = await asked
    assert outcome.response_code == "00", outcome
    return outcome


def on_card(
    operation: str, *, balance: int | None = 100_00, product: str = "usd", **fields: Any
) -> Prepare:
    """
    Make a card and a request that names it; a balance of None leaves it PENDING.
    """

    async def prepare(bench: Bench) -> Case:
        card = await bench.card(balance, product=product)
        request = request_of(operation, card_number=card.number, **fields)
        return Case(request=request, cards=(card,))

    return prepare


def on_original(
    operation: str, original: Before, *, balance: int | None = 100_00, **fields: Any
) -> Prepare:
    """
    Make a card, do something with it, and write a request that names what was done.
    """

    async def prepare(bench: Bench) -> Case:
        card = await bench.card(balance)
        done = await approved(original(bench, card))
        request = request_of(operation, original_request_id=done.request_id, **fields)
        return Case(request=request, cards=(card,))

    return prepare


async def activated(bench: Bench, card: Card) -> Outcome:
    """
    Have a card activated with 25.00.
    """
    return await bench.till.activate(card, 25_00)


async def loaded(bench: Bench, card: Card) -> Outcome:
    """
    Have 40.00 loaded.
    """
    return await bench.till.load(card, 40_00)


async def sold(bench: Bench, card: Card) -> Outcome:
    """
    Have 30.00 spent.
    """
    return await bench.till.redeem(card, 30_00)


async def refunded(bench: Bench, card: Card) -> Outcome:
    """
    Have 30.00 spent and 10.00 of them given back.
    """
    return await bench.till.refund(await sold(bench, card), 10_00)


def spending(minor: int) -> Meanwhile:
    """
    Spend some of the first card's money.
    """

    async def spend(bench: Bench, case: Case) -> None:
        await approved(bench.till.redeem(case.cards[0], minor))

    return spend


async def refunding(bench: Bench, case: Case) -> None:
    """
    Give 10.00 of it back.
    """
    await approved(bench.till.refund(case.request.request_id, 10_00))


async def loaded_unconfirmed(bench: Bench, card: Card) -> Outcome:
    """
    Have 40.00 loaded at a terminal that still has to confirm it.
    """
    return await (await bench.tills("two-message")).load(card, 40_00)


async def sold_unconfirmed(bench: Bench, card: Card) -> Outcome:
    """
    Have 30.00 spent at a terminal that still has to confirm it.
    """
    return await (await bench.tills("two-message")).redeem(card, 30_00)


async def confirming(bench: Bench, case: Case) -> None:
    """
    Confirm it.
    """
    till = await bench.tills("two-message")
    await approved(till.confirm(case.request.request_id))
