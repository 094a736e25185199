"""
Many holds on one card, in random trading, against an independent model.

Batches are cut anywhere, time passes between them, rates move, and the card may be lost
for a while; every answer is the model's, and so are the books.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.cards import BlockReason, CardState
from gateway.domain.commands import MoneyCommand
from tests.support import world
from tests.support.held_world import authorize, cancel, capture, increment
from tests.support.hold_model import HoldModel, Shown
from tests.support.hold_side import CARD, Side, holding_lane

EXAMPLES: Final = 600
OPENING: Final = 100_00
LIVES_S: Final = 100
TIP: Final = Fraction(1, 5)
# Amounts at which something turns: a rounding, the balance, a tip, the whole.
AMOUNTS: Final = {
    "USD": (1, 5_00, 20_00, 60_00, 100_00, 130_00),
    "KWD": (1, 2, 4, 1_001, 6_150, 20_000, 30_751),
    "JPY": (1, 2, 333, 5_000, 15_038),
}
RATES: Final = ("3.2520", "3.3")
# A few keys, so that what is asked names what was, and sometimes what will be.
keys = st.integers(1, 12)
currencies = st.sampled_from(["USD", "KWD", "KWD", "JPY"])
sizes = st.integers(0, 6)


class Step(NamedTuple):
    """
    One thing that happens.
    """

    kind: str
    key: int
    original: int
    size: int
    currency: str
    flag: bool


steps = st.builds(
    Step,
    st.sampled_from(
        [
            *["place"] * 4,
            *["capture"] * 4,
            *["increment"] * 3,
            *["reverse"] * 3,
            *["cancel", "spend", "time", "settle", "settle"],
            *["rate", "lose", "find", "find"],
        ]
    ),
    keys,
    keys,
    sizes,
    currencies,
    st.booleans(),
)


@dataclass
class Trading:
    """
    The model and the engine, and what waits for the next batch.
    """

    model: HoldModel = field(
        default_factory=lambda: HoldModel(balance=OPENING, tip=TIP)
    )
    side: Side = field(
        default_factory=lambda: Side.of(holding_lane(TIP, LIVES_S), OPENING)
    )
    waiting: list[tuple[MoneyCommand, Shown]] = field(default_factory=list)
    known: dict[int, tuple[MoneyCommand, str]] = field(default_factory=dict)
    kwd: str = RATES[0]
    reversals: int = 0

    def settle(self) -> None:
        """
        Decide what waits as one batch, and compare.
        """
        commands = [command for command, _ in self.waiting]
        wanted = [shown for _, shown in self.waiting]
        self.waiting.clear()
        if commands:
            assert wanted == self.side.take(commands)

    def happen(self, step: Step) -> None:
        """
        Let one thing happen on both sides.
        """
        if step.kind in {"place", "capture", "increment", "cancel", "spend"}:
            self._ask(step)
        elif step.kind == "reverse":
            self.reversals += 1
            number = 1_000 + self.reversals
            command = world.reverse(step.original, number=number, with_card=False)
            self.waiting.append((command, self.model.reverse(step.original)))
        else:
            self.settle()
            self._change(step)

    def _change(self, step: Step) -> None:
        """
        Let time pass, rates move, the card be lost or found.
        """
        if step.kind == "time":
            seconds = (1, LIVES_S // 2, LIVES_S)[step.size % 3]
            self.model.pass_time(seconds)
            self.side.books.clock += timedelta(seconds=seconds)
        elif step.kind == "rate":
            self.kwd = RATES[self.kwd == RATES[0]]
            books = self.side.books
            version = books.rules.version + 1
            books.rules = holding_lane(TIP, LIVES_S, version=version, kwd=self.kwd)
        elif step.kind in {"lose", "find"}:
            self.model.lost = lost = step.kind == "lose"
            cards = self.side.books.cards
            cards[CARD] = replace(
                cards[CARD],
                state=CardState.BLOCKED if lost else CardState.ACTIVE,
                block_reason=BlockReason.LOST if lost else None,
            )

    def _ask(self, step: Step) -> None:
        """
        Ask under a key; what was asked under it before is asked again as it was.
        """
        before = self.known.get(step.key)
        if before is not None:
            command, kind = before
            self.waiting.append((command, self._again(step.key, kind)))
            return
        command, told = getattr(self, f"_{step.kind}")(step)
        self.known[step.key] = command, step.kind
        self.waiting.append((command, told))

    def _again(self, key: int, kind: str) -> Shown:
        model = self.model
        if kind == "place":
            return model.place(key, 1, Fraction(1), LIVES_S)
        if kind == "spend":
            return model.spend(key, 1)
        if kind == "increment":
            return model.increment(key, 0, 1)
        if kind == "cancel":
            return model.cancel(key, 0)
        return model.capture(key, 0, None, keep_open=False)

    def _rate(self, currency: str) -> Fraction:
        usd = {"USD": "1", "KWD": self.kwd, "JPY": "0.00665"}[currency]
        minor = {"USD": Fraction(1), "KWD": Fraction(1, 10), "JPY": Fraction(100)}
        return Fraction(usd) * minor[currency]

    def _place(self, step: Step) -> tuple[MoneyCommand, Shown]:
        minor = _of(step.currency, step.size)
        asked = world.amount(minor, step.currency)
        lives = (LIVES_S, LIVES_S // 4)[step.original % 2]
        command = authorize(
            asked, allow_partial=step.flag, live_s=lives, number=step.key
        )
        told = self.model.place(
            step.key, minor, self._rate(step.currency), lives, partial=step.flag
        )
        return command, told

    def _spend(self, step: Step) -> tuple[MoneyCommand, Shown]:
        minor = _of("USD", step.size)
        command = world.redeem(world.amount(minor), number=step.key)
        return command, self.model.spend(step.key, minor)

    def _increment(self, step: Step) -> tuple[MoneyCommand, Shown]:
        currency = self._currency_of(step.original, step.currency)
        minor = _of(currency, step.size % 5)
        asked = world.amount(minor, currency)
        command = increment(asked, step.original, number=step.key)
        return command, self.model.increment(step.key, step.original, minor)

    def _capture(self, step: Step) -> tuple[MoneyCommand, Shown]:
        currency = self._currency_of(step.original, step.currency)
        minor = _of(currency, step.size) if step.size % 3 else None
        asked = None if minor is None else world.amount(minor, currency)
        command = capture(asked, step.original, keep_open=step.flag, number=step.key)
        told = self.model.capture(step.key, step.original, minor, keep_open=step.flag)
        return command, told

    def _cancel(self, step: Step) -> tuple[MoneyCommand, Shown]:
        command = cancel(step.original, number=step.key)
        return command, self.model.cancel(step.key, step.original)

    def _currency_of(self, original: int, else_: str) -> str:
        """
        Give the currency of what is named, so that it is not refused for another.
        """
        for _ in self.known:
            named: Any = self.known.get(original, (None, ""))[0]
            amount = getattr(named, "amount", None)
            if amount is not None:
                code: str = amount.currency_code
                return code
            further = getattr(named, "original", None)
            if further is None:
                break
            original = int.from_bytes(further.request_id)
        return else_


def _of(currency: str, size: int) -> int:
    amounts = AMOUNTS[currency]
    return amounts[size % len(amounts)]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps=st.lists(steps, min_size=5, max_size=40))
def test_many_holds(steps: list[Step]) -> None:
    """
    Whatever is asked in whatever order, every answer is the model's.
    """
    trading = Trading()
    for step in steps:
        trading.happen(step)
    trading.settle()
    trading.side.check_end(trading.model, late=True)
