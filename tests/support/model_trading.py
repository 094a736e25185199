"""
Trade on the gateway's engine and on the independent model at once, and compare.

Requests wait until a batch is made of them; the engine decides it as a lane would, on
books in memory, and the model answers the same requests one by one.
"""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import cast

from gateway.domain.balance import read_balance
from gateway.domain.commands import CardRef, GetBalance
from gateway.domain.decision import Stamp, View
from gateway.domain.explain import explain
from gateway.domain.explanation import CheckOutcome
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.policy import Policy
from gateway.domain.recall import recall
from gateway.domain.record import TransactionRecord
from gateway.domain.results import APPROVALS
from gateway.engine.answers import Answer
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Done, Hints, RestartError
from gateway.engine.items import Item
from gateway.engine.policies import Policies
from gateway.engine.tools import Tools
from tests.support.explaining import recorded_in
from tests.support.fake_books import FakeBooks
from tests.support.fake_ports import CountingIds, FakeCodes, FakeFaultPoint, at_once
from tests.support.model import Model
from tests.support.model_bridge import (
    caller_of,
    card_of,
    command_of,
    number_index,
    policy_of,
    seen,
)
from tests.support.model_invariants import BooksCheck
from tests.support.model_rows import Ask, ModelCard
from tests.support.model_rules import PRODUCTS, Rules

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
# Without rivals a batch starts again only to give tombstones up, all at once.
MOST_RESTARTS = 1
OPENING = (
    ModelCard(1, PRODUCTS[1], "ACTIVE", 100_00, loads=1, loaded=100_00, batch=1),
    ModelCard(2, PRODUCTS[2], batch=1),
    ModelCard(3, PRODUCTS[3], batch=2),
    ModelCard(4, PRODUCTS[4]),
    ModelCard(5, PRODUCTS[5], "ACTIVE", 50_00, held=5_00, loads=1),
    ModelCard(6, PRODUCTS[6]),
    ModelCard(7, PRODUCTS[7], "ACTIVE", 70_00, loads=1),
    ModelCard(8, PRODUCTS[8], "ACTIVE", 5_000, loads=1, expires=START.date()),
    ModelCard(9, PRODUCTS[1], "CREATED"),
)
UNKNOWN_NUMBER = 99


@cache
def opening_policy() -> Policy:
    """
    Give the policy that every example begins with.
    """
    return policy_of(Rules())


class Trading:
    """
    The engine, the model, and what waits for the next batch.
    """

    def __init__(self) -> None:
        self.rules = Rules()
        self.model = Model([deepcopy(card) for card in OPENING], self.rules)
        first = opening_policy()
        self.policies = {first.version: first}
        self.books = FakeBooks(first, [card_of(card) for card in OPENING], START)
        self.waiting: list[Ask] = []
        self.key_id = 1
        self.tools = Tools(
            books=self.books,
            policies=Policies(self.books, first),
            codes=FakeCodes(),
            ids=CountingIds(),
            faults=FakeFaultPoint(),
        )
        self._check = BooksCheck(self.books, self.model)

    def ask(self, ask: Ask) -> None:
        """
        Put a request into the next batch.
        """
        self.waiting.append(ask)

    def pass_time(self, passed: timedelta) -> None:
        """
        Move the host's clock; a worker whose clock lags moves it back.
        """
        self.books.clock += passed

    def change_rules(self, change: Callable[[Rules], None]) -> None:
        """
        Let the operator change something: a new version of the policy.
        """
        change(self.rules)
        self.rules.version += 1
        self.books.rules = policy_of(self.rules)
        self.policies[self.rules.version] = self.books.rules

    def move_card(self, number: int, state: str, block: str | None = None) -> None:
        """
        Let the call centre move a card to another state, its money untouched.
        """
        card = self.model.cards[number]
        card.state, card.block = state, block
        self.books.cards[CardId(number)] = card_of(card)

    def restrict_card(self, number: int, restriction: int | None) -> None:
        """
        Let the operator give one card a restriction of its own, or take it away.
        """
        card = self.model.cards.get(number)
        if card is not None:
            card.restriction = restriction
            self.books.cards[CardId(number)] = card_of(card)

    def settle(self) -> None:
        """
        Make a batch of what waits, decide it on both sides, and compare every answer.
        """
        asks, self.waiting = self.waiting, []
        if not asks:
            return
        done = self._run(asks)
        assert len(done.answers) == len(asks)
        for (_, answer), ask in zip(done.answers, asks, strict=True):
            self._compare(ask, answer)
        for card in self.model.cards.values():
            assert card_of(card) == self.books.cards[CardId(card.number)]
        self._check.run()

    def look(self, terminal: int, number: int) -> None:
        """
        Compare what GetBalance tells.
        """
        question = GetBalance(
            request_id=None,
            terminal_id=TerminalId(terminal),
            card=CardRef(number_index(number), f"{number:04}"),
            till=command_of(Ask("ACTIVATE", 1, 1, number), 1).till,
        )
        policy = self.books.rules
        view = View(
            policy.places[TerminalId(terminal)],
            self.books.cards.get(CardId(number)),
            policy,
            Stamp(None, "", self.books.clock, 1),
        )
        record = read_balance(question, view)
        expected = self.model.balance(terminal, number, self.books.clock)

        assert expected == (
            record.result.name,
            record.available_after_minor,
            record.balance_after_minor,
            record.held_after_minor,
        )

    def _explain(self, record: TransactionRecord) -> None:
        """
        Decide again on what was recorded: the record comes out, field by field.
        """
        assert record.transaction_id is not None
        policy = self.policies[record.policy_version]
        recorded = recorded_in(self.books, record.transaction_id, policy)
        assert recall(recorded).decide().record == record
        explanation = explain(recorded)
        assert not explanation.differences
        *passed, last = explanation.checks
        assert all(check.outcome is not CheckOutcome.REFUSED for check in passed)
        assert last.number == (explanation.decided_by or 16)
        refused = None if record.result in APPROVALS else record.result
        assert last.result == refused

    def _run(self, asks: list[Ask]) -> Done:
        """
        Attempt the batch as the runner does: again, with what was learned.
        """
        nobody = cast("asyncio.Future[Answer]", None)
        items = [
            Item(
                caller=caller_of(ask.terminal),
                command=command_of(ask, self.key_id),
                deadline=0,
                future=nobody,
            )
            for ask in asks
        ]
        hints = Hints()
        for _ in range(MOST_RESTARTS + 1):
            try:
                return at_once(Attempt(self.tools, items, hints).run())
            except RestartError as restart:
                if restart.refused:
                    raise
        message = "the batch kept changing"
        raise AssertionError(message)

    def _compare(self, ask: Ask, answer: Answer) -> None:
        record = answer.record
        expected = self.model.answer(ask, self.books.clock, record.transaction_id)
        got, wanted = seen(record), dict(expected.row)
        if not expected.recorded:
            # What is not kept has no id, and its moment binds nobody.
            assert record.transaction_id is None
            wanted |= {
                name: got[name]
                for name in ("transaction_id", "host_time", "business_date")
            }

        assert got == wanted
        if record.transaction_id is not None and not answer.replayed:
            self._explain(record)
        assert (answer.replayed, answer.state.name) == (
            expected.replayed,
            expected.state,
        )
