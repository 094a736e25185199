"""
The engine and the domain against an independent model of the lives of cards.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import CardRef, MoneyCommand
from gateway.domain.ids import CardId
from gateway.domain.record import Account
from gateway.domain.results import Channel
from gateway.engine.answers import Answer
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Hints, RestartError
from gateway.engine.items import Item
from tests.support import world
from tests.support.desks import AMIRA
from tests.support.engine_world import CONTROLLER
from tests.support.fake_ports import at_once
from tests.support.lives import (
    block,
    deactivate,
    new,
    take_place,
    transfer,
    unblock,
)
from tests.support.model_cards import GRAVER, MONEY, LifeCard, LifeModel, Wish
from tests.support.staffed import asked_at_desk, staffed
from tests.support.world import activate, amount, load, redeem, refund, reverse

CARDS: Final = 8
# Sold before it begins; the others wait to be sold, or to take a card's place.
OPEN: Final = (1, 2, 3)
ONCE: Final = frozenset({2, 7})
LARGEST_BATCH: Final = 9
# A batch starts again where a line proves longer than what is locked, or a tombstone
# proves unearned: here both at most once.
MOST_RESTARTS: Final = 2

MOSTLY, HALF, RARELY = 0.8, 0.5, 0.1
NUMBERS: Final = (1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8)
MINORS: Final = (1, 5_00, 10_00, 10_00, 30_00, 100_00)
STEPS: Final = 40


def index_of(card_id: int) -> bytes:
    """
    Give the number's index of a card.
    """
    return world.NUMBER_INDEX if card_id == 1 else bytes([0x10 + card_id]) * 32


class Lives:
    """
    The engine, the model, and what waits for the next batch.
    """

    def __init__(self) -> None:
        self.model = LifeModel(
            {number: LifeCard(once=number in ONCE) for number in range(1, CARDS + 1)}
        )
        self.lane = staffed(*map(_printed, self.model.cards))
        self.asked: list[tuple[int, Wish]] = []
        self.waiting: list[tuple[int, Wish]] = []

    def ask(self, asked: Wish) -> None:
        """
        Put a request into the next batch.
        """
        number = len(self.asked) + 1
        self.asked.append((number, asked))
        self.waiting.append((number, asked))

    def repeat(self, which: int) -> None:
        """
        Send something again as it was.
        """
        if self.asked:
            self.waiting.append(self.asked[-1 - which % len(self.asked)])

    def settle(self) -> None:
        """
        Decide what waits on both sides, and compare answers and cards.
        """
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        answers = self._run([command_of(*one) for one in waiting])
        for (number, asked), answer in zip(waiting, answers, strict=True):
            known = self.model.done.get(number)
            done = known or self.model.answer(number, asked)
            record = answer.record
            assert (record.result.name, record.approved_minor, answer.replayed) == (
                done.result,
                done.minor,
                known is not None,
            ), asked
        self._compare_cards()
        self._check_ledger()

    def _run(self, commands: list[MoneyCommand]) -> list[Answer]:
        nobody = cast("asyncio.Future[Answer]", None)
        items = [
            Item(
                caller=AMIRA if command.channel is Channel.IVR else CONTROLLER,
                command=asked_at_desk(command),
                deadline=0,
                future=nobody,
            )
            for command in commands
        ]
        hints = Hints()
        for _ in range(MOST_RESTARTS + 1):
            try:
                done = at_once(Attempt(self.lane.tools, items, hints).run())
            except RestartError as restart:
                if restart.refused:
                    raise
            else:
                return [answer for _, answer in done.answers]
        message = "the batch kept changing"
        raise AssertionError(message)

    def _compare_cards(self) -> None:
        for number, wanted in self.model.cards.items():
            card = self.lane.books.cards[CardId(number)]
            blocked = card.state is CardState.BLOCKED
            assert (
                card.state.name,
                card.balance_minor,
                card.load_count,
                card.loaded_minor,
                card.replaced_by or 0,
            ) == (
                wanted.state,
                wanted.balance,
                wanted.loads,
                wanted.loaded,
                wanted.successor,
            ), number
            if blocked and card.block_reason is not None:
                assert card.block_reason.name == wanted.block

    def _check_ledger(self) -> None:
        liabilities: Counter[int] = Counter()
        accounts: Counter[Account] = Counter()
        for posting in self.lane.books.postings:
            accounts[posting.account] += posting.amount_minor
            if posting.account is Account.CARD_LIABILITY:
                liabilities[posting.card_id] -= posting.amount_minor
        for number, card in self.model.cards.items():
            assert liabilities[number] == card.balance
        assert not accounts[Account.TRANSFERS]
        assert not sum(accounts.values())


def _printed(number: int) -> Card:
    product = world.ONE_TIME if number in ONCE else world.RELOADABLE
    return new(
        card_id=CardId(number), number_index=index_of(number), product_id=product
    )


def command_of(number: int, asked: Wish) -> MoneyCommand:
    """
    Give a wish as the gateway reads it.
    """
    command = _plain(number, asked)
    changes: dict[str, Any] = {}
    if asked.card:
        changes["card"] = CardRef(index_of(asked.card), f"{asked.card:04}")
    if asked.what == "BLOCK":
        changes["channel"] = Channel.IVR if asked.staff else Channel.API
    return replace(command, **changes)


def _plain(number: int, asked: Wish) -> MoneyCommand:
    money, other = amount(asked.minor or 1), index_of(asked.other or 1)
    match asked.what:
        case "ACTIVATE":
            return activate(money, number=number)
        case "LOAD":
            return load(money, number=number)
        case "REDEEM":
            return redeem(money, number=number)
        case "REVERSE":
            return reverse(asked.of, number=number, with_card=False)
        case "REFUND":
            return refund(money, asked.of, number=number)
        case "BLOCK":
            return block(BlockReason[asked.reason], number=number)
        case "UNBLOCK":
            return unblock(number=number)
        case "DEACTIVATE":
            return deactivate(number=number)
        case "REPLACE":
            return take_place(number=number, index=other)
        case _:
            return transfer(number=number, index=other)


def drawn(chance: Random, lives: Lives) -> list[Wish]:
    """
    Draw what is asked next: one thing, or a card that is lost, or one that is emptied.
    """
    card, other = chance.choice(NUMBERS), chance.randint(1, CARDS)
    minor, staff = chance.choice(MINORS), chance.random() < MOSTLY
    what = chance.choice(
        ["SELL"] * 8 + ["BACK"] * 6 + ["LOSE"] * 3 + ["EMPTY", "BLOCK", "END", "MOVE"]
    )
    if what == "LOSE":
        reported = Wish("BLOCK", card, reason=chance.choice(GRAVER[2:]), staff=True)
        return [reported, Wish("REPLACE", card, other=other)]
    if what == "EMPTY":
        return [Wish("TRANSFER", card, other=other), Wish("DEACTIVATE", card)]
    if what == "BLOCK":
        return [Wish("BLOCK", card, reason=chance.choice(GRAVER), staff=staff)]
    if what == "END":
        end = chance.choice(["UNBLOCK", "UNBLOCK", "DEACTIVATE"])
        return [Wish(end, card)]
    if what == "MOVE":
        move = chance.choice(["REPLACE", "TRANSFER"])
        return [Wish(move, card, other=other)]
    if what == "BACK":
        return [_back(chance, lives, minor)]
    pending = lives.model.cards[card].state == "PENDING"
    usual = ["ACTIVATE"] if pending else ["LOAD", "REDEEM", "REDEEM"]
    sale = chance.choice([*usual * 3, "ACTIVATE", "LOAD", "REDEEM"])
    return [Wish(sale, card, minor)]


def _back(chance: Random, lives: Lives, minor: int) -> Wish:
    """
    Name something asked before: of any kind, or a sale that was approved.
    """
    asked = [number for number, _ in lives.asked]
    approved = [
        number
        for number, done in lives.model.done.items()
        if done.wish.what in MONEY and done.result == "APPROVED"
    ]
    named = chance.choice(approved if approved and chance.random() < MOSTLY else asked)
    if chance.random() < HALF:
        return Wish("REVERSE", of=named)
    return Wish("REFUND", minor=minor, of=named)


@pytest.mark.timeout(600)
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**63))
def test_the_lives_of_cards_agree_with_the_model(seed: int) -> None:
    """
    In random lives every answer is the model's, and no money comes or goes on the way.
    """
    lives, chance = Lives(), Random(seed)
    for card in OPEN:
        lives.ask(Wish("ACTIVATE", card, 100_00))
    for _ in range(STEPS):
        for asked in drawn(chance, lives):
            lives.ask(asked)
        if chance.random() < RARELY:
            lives.repeat(chance.randrange(LARGEST_BATCH))
        if chance.random() < HALF or len(lives.waiting) >= LARGEST_BATCH:
            lives.settle()
    lives.settle()


def test_what_names_nothing_tells_of_no_card() -> None:
    """
    A refund of what a desk asked finds no original, and so no card: 25, then 21.

    However long the line of refunds that name one another, no state of the card at its
    end is told: that would be check 8 of a card which none of them found.
    """
    lives = Lives()
    lives.ask(Wish("BLOCK", 4, reason="LOST", staff=True))
    for named in (1, 2, 3, 4):
        lives.ask(Wish("REFUND", minor=1_00, of=named))
    lives.ask(Wish("REVERSE", of=5))
    lives.settle()

    assert [done.result for done in lives.model.done.values()] == [
        "CARD_NOT_ACTIVE",
        "ORIGINAL_NOT_FOUND",
        *["CANNOT_BE_REVERSED"] * 3,
        "APPROVED",
    ]
