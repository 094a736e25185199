"""
The engine and the domain against an independent model, in random trading.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.model_moves import (
    Amount,
    Event,
    Share,
    amount_fields,
    amounts,
    events,
)
from tests.support.model_rows import Ask, Key
from tests.support.model_trading import OPENING, UNKNOWN_NUMBER, Trading

EXAMPLES = 2_000
STEPS = 25
LARGEST_BATCH = 8
NUMBERS = [*(card.number for card in OPENING), UNKNOWN_NUMBER]
SIBLINGS = {1: 2, 2: 1}
PARTS = ("third", "third", "third", "rest", "whole", "one", "more")

terminals = st.sampled_from([1, 1, 1, 1, 2, 2, 3, 4])
# None is the card that this history turns about.
aims = st.sampled_from([*[None] * 30, *NUMBERS])
asked = st.sampled_from(amounts())
asked_nothing = Share(4)
back = st.integers(0, 11)
bends = st.sampled_from([True, True, True, False])


class DomainMachine(RuleBasedStateMachine):
    """
    Tills, an operator and a call centre, in any order, batches cut anywhere.
    """

    finished = 0

    def __init__(self) -> None:
        super().__init__()
        self.trading = Trading()
        self.focus = 1
        self.sales: list[Ask] = []
        self.reversals: list[Ask] = []
        self.awaited: list[Key] = []
        self.requests = 0

    @initialize(focus=st.sampled_from([1, 1, 2, 2, 3, 3, 4, 5, 8, 9]))
    def begin(self, focus: int) -> None:
        """
        Choose the card that most of it is about.
        """
        self.focus = focus

    @rule(terminal=terminals, aim=aims, amount=asked, bend=bends)
    def activate(
        self, terminal: int, aim: int | None, amount: Amount, bend: bool
    ) -> None:
        """
        Ask to make a card usable.
        """
        self._sell("ACTIVATE", terminal, aim, amount, bend=bend)

    @rule(terminal=terminals, aim=aims, amount=asked, bend=bends)
    def load(self, terminal: int, aim: int | None, amount: Amount, bend: bool) -> None:
        """
        Ask to add value.
        """
        self._sell("LOAD", terminal, aim, amount, bend=bend)

    @rule(terminal=terminals, aim=aims, amount=asked, bend=bends)
    def redeem(
        self, terminal: int, aim: int | None, amount: Amount, bend: bool
    ) -> None:
        """
        Ask to spend.
        """
        self._sell("REDEEM", terminal, aim, amount, bend=bend)

    @rule(terminal=terminals, aim=aims, bend=bends)
    def cash_out(self, terminal: int, aim: int | None, bend: bool) -> None:
        """
        Ask to be paid the rest.
        """
        self._sell("CASH_OUT", terminal, aim, asked_nothing, bend=bend)

    @precondition(lambda self: self.sales)
    @rule(which=back, reason=st.integers(1, 4), card=st.sampled_from("----=!"))
    def reverse(self, which: int, reason: int, card: str) -> None:
        """
        Ask to undo something asked before, with no card, its card, or another's.
        """
        original = _nth_last(self.sales, which)
        self._reverse(original.terminal, original, reason, card)

    @precondition(lambda self: self.sales)
    @rule(which=back, sibling=st.booleans())
    def reverse_from_beside(self, which: int, sibling: bool) -> None:
        """
        Ask to undo a reversal, or from another terminal of the store.
        """
        of = self.sales if sibling or not self.reversals else self.reversals
        original = _nth_last(of, which)
        terminal = SIBLINGS.get(original.terminal, original.terminal)
        self._reverse(terminal, original, 1, "-=!"[which % 3])

    @rule(terminal=terminals, what=st.sampled_from(["ahead", "itself", "late"]))
    def reverse_strangely(self, terminal: int, what: str) -> None:
        """
        Undo what has not arrived, undo what asks for it, or let the late one arrive.
        """
        own = (terminal, self._new())
        if what == "itself":
            self._send(Ask("REVERSAL", *own, reason=4, original=own))
        elif what == "ahead" or not self.awaited:
            ahead = (terminal, self._new())
            self.awaited.append(ahead)
            self._send(Ask("REVERSAL", *own, reason=4, original=ahead))
        elif own[1] % 4:
            late = self.awaited[own[1] % len(self.awaited)]
            self._send(Ask("REDEEM", *late, self.focus, 1_00, "USD", 2))
        else:
            late = self.awaited[own[1] % len(self.awaited)]
            original = (late[0], self._new())
            self._send(Ask("REVERSAL", *late, reason=1, original=original))

    @precondition(lambda self: self.sales)
    @rule(which=back, part=st.sampled_from(PARTS), card=st.sampled_from("-----=!"))
    def refund(self, which: int, part: str, card: str) -> None:
        """
        Ask to give back a part of something asked before, mostly of a sale.
        """
        spent = self._approved("REDEEM")
        original = _nth_last(spent if spent and which != 11 else self.sales, which % 3)
        self._refund(original, part, which, card)

    @rule(
        terminal=terminals,
        amount=asked,
        parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=4),
        undone=st.sampled_from([None, None, "VOID", "REVERSAL"]),
    )
    def sell_and_give_back(
        self, terminal: int, amount: Amount, parts: list[str], undone: str | None
    ) -> None:
        """
        Spend, refund it in parts, and perhaps undo the first of them and refund again.
        """
        self._sell("REDEEM", terminal, None, amount, bend=True)
        sale = self.sales[-1]
        for part in parts:
            self._refund(sale, part, 0, "-")
        if undone is not None:
            first = self.sales[-len(parts)].key
            reason = 1 if undone == "REVERSAL" else None
            self._send(
                Ask(undone, terminal, self._new(), reason=reason, original=first)
            )
            self._refund(sale, parts[0], 0, "=")

    @precondition(lambda self: self.sales)
    @rule(which=back, of_sale=bends, card=st.sampled_from("-----=!"))
    def void(self, which: int, of_sale: bool, card: str) -> None:
        """
        Ask to void something asked before.
        """
        done = self._approved(
            "ACTIVATE", "LOAD", "REDEEM", "CASH_OUT", "REFUND", "VOID"
        )
        of = done if of_sale and done else [*self.sales, *self.reversals]
        original = _nth_last(of, which)
        ask = Ask(
            "VOID",
            self._beside(original, which),
            self._new(),
            self._number(original, card),
            original=original.key,
        )
        self.sales.append(ask)
        self._send(ask)

    @rule(terminal=terminals, void=st.booleans())
    def follow_nothing(self, terminal: int, void: bool) -> None:
        """
        Ask to void or refund what is not there yet; then let it come.
        """
        ahead = (terminal, self._new())
        ask = Ask("VOID", terminal, self._new(), original=ahead)
        if not void:
            ask = ask._replace(operation="REFUND", minor=1_00, code="USD", exponent=2)
        self._send(ask)
        self._send(Ask("REDEEM", *ahead, self.focus, 1_00, "USD", 2))

    @precondition(lambda self: self.sales)
    @rule(which=back, of_sale=st.booleans())
    def repeat(self, which: int, of_sale: bool) -> None:
        """
        Send a request again as it was.
        """
        of = self.sales if of_sale or not self.reversals else self.reversals
        self._send(_nth_last(of, which))

    @precondition(lambda self: self.sales)
    @rule(which=back, change=st.sampled_from(["card", "amount", "reverse", "kind"]))
    def reuse(self, which: int, change: str) -> None:
        """
        Send something else under an id that was used before.
        """
        of = self.sales if which % 2 or not self.reversals else self.reversals
        before = _nth_last(of, which)
        if change == "reverse":
            ahead = (before.terminal, self._new())
            self.awaited.append(ahead)
            self._send(Ask("REVERSAL", *before.key, reason=4, original=ahead))
        elif change == "card":
            number = 1 if before.number != 1 else 2
            self._send(before._replace(number=number))
        elif change == "amount" and before.minor is not None:
            self._send(before._replace(minor=before.minor + 1))
        else:
            self._send(Ask("REDEEM", *before.key, self.focus, 77, "USD", 2))

    @rule()
    def settle(self) -> None:
        """
        End the batch here.
        """
        self.trading.settle()

    @rule(event=st.sampled_from(events()), aim=aims)
    def happen(self, event: Event, aim: int | None) -> None:
        """
        Let something happen beside the tills; then look at a balance.
        """
        event(self.trading, aim or self.focus)
        self.trading.look(1 + (aim or 0) % 4, aim or self.focus)

    def teardown(self) -> None:
        """
        Settle what waits.
        """
        self.trading.settle()
        DomainMachine.finished += 1

    def _new(self) -> int:
        self.requests += 1
        return self.requests

    def _sell(
        self, operation: str, terminal: int, aim: int | None, amount: Amount, bend: bool
    ) -> None:
        """
        Ask for a sale; `bend` makes it one that the card's state allows.
        """
        number, request = aim or self.focus, self._new()
        card = self.trading.model.cards.get(number)
        if bend and card is not None:
            if card.state == "PENDING":
                operation = "ACTIVATE"
            elif operation == "ACTIVATE":
                operation = "REDEEM"
        fields = amount_fields(amount, card)
        if operation == "CASH_OUT" or (operation == "ACTIVATE" and request % 2):
            fields = {}
        elif operation == "LOAD":
            fields["reason"] = 1 + request % 3
        elif operation == "REDEEM":
            fields["partial"] = bool(request % 2)
        ask = Ask(operation, terminal, request, number, **fields)
        self.sales.append(ask)
        self._send(ask)

    def _approved(self, *operations: str) -> list[Ask]:
        """
        List what was asked and approved of these operations, so far as it is decided.
        """
        kept = self.trading.model.keys
        return [
            ask
            for ask in self.sales
            if ask.operation in operations
            and ask.key in kept
            and kept[ask.key].approved
            and kept[ask.key].content == ask.content
        ]

    def _refund(self, original: Ask, part: str, which: int, card: str) -> None:
        """
        Ask for a part of what was asked for in a sale, mostly in its currency.
        """
        minor = original.minor or 7
        own = original.code is not None and which != 5
        ask = Ask(
            "REFUND",
            self._beside(original, which),
            self._new(),
            self._number(original, card),
            minor={
                "third": minor // 3,
                "rest": minor - 2 * (minor // 3),
                "whole": minor,
                "one": 1,
                "more": minor + 1,
            }[part],
            code=original.code if own else "USD",
            exponent=original.exponent if own else 2,
            original=original.key,
        )
        self.sales.append(ask)
        self._send(ask)

    def _number(self, original: Ask, card: str) -> int | None:
        """
        Give no card number, the original's, or another.
        """
        other = 2 if original.number == 1 else 1
        return {"-": None, "=": original.number, "!": other}[card]

    def _beside(self, original: Ask, which: int) -> int:
        """
        Give the original's terminal, or at times its sibling.
        """
        own = original.terminal
        return SIBLINGS.get(own, own) if which % 5 == 4 else own

    def _reverse(self, terminal: int, original: Ask, reason: int, card: str) -> None:
        ask = Ask(
            "REVERSAL",
            terminal,
            self._new(),
            self._number(original, card),
            reason=reason,
            original=original.key,
        )
        self.reversals.append(ask)
        self._send(ask)

    def _send(self, ask: Ask) -> None:
        self.trading.ask(ask)
        if len(self.trading.waiting) >= LARGEST_BATCH:
            self.trading.settle()


def _nth_last(asks: list[Ask], which: int) -> Ask:
    return asks[-1 - which % len(asks)]


@pytest.mark.timeout(600)
def test_the_engine_and_the_model_agree() -> None:
    """
    In 2,000 random histories every answer is the model's and the books stay whole.
    """
    DomainMachine.finished = 0

    run_state_machine_as_test(
        DomainMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert DomainMachine.finished >= EXAMPLES
