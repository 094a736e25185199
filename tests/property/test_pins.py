"""
PINs against a small model: a list of what happened, counted anew each time.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.balance import decide_balance
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.results import Channel, Result
from tests.support.desks import reset_pin
from tests.support.explaining import require_explainable
from tests.support.held_world import held, holding_rules, increment
from tests.support.pins import (
    RIGHT,
    WRONG,
    ask_balance,
    kept_pin,
    pin_policy,
    with_pin,
)
from tests.support.world import NOW, amount, card, redeem, view

LOCK_S = 600
SALES = ("sale", "dear sale")
# A sale of nothing is refused before check 10. An increment has no PIN of its own.
PRICES = {"sale": 1_00, "dear sale": 999_999_00, "sale of nothing": 0}
KINDS = [*SALES, "sale", "sale of nothing", "balance", "reset", "increment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One thing that happens to a card, so many seconds after the one before.
    """

    kind: str
    pin: str | None
    channel: Channel
    after_s: int


EVENTS = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from(KINDS),
        pin=st.sampled_from([WRONG, WRONG, RIGHT, None]),
        channel=st.sampled_from([Channel.API, Channel.API, Channel.IVR]),
        after_s=st.sampled_from([0, 1, LOCK_S // 2, LOCK_S - 1, LOCK_S, 2 * LOCK_S]),
    ),
    max_size=25,
)


def expected(events: Sequence[Event], most: int) -> Iterator[Result | None]:
    """
    Tell what check 10 says of each; None: it lets it pass.

    The model keeps no counter: it looks back at the compares since the last pardon.
    """
    past: list[tuple[int, Event, Result | None]] = []
    at = 0
    for event in events:
        at += event.after_s
        result: Result | None = None
        if event.kind == "reset":
            result = None
        elif event.kind == "sale of nothing":
            result = Result.INVALID_AMOUNT
        elif event.pin is None and event.kind != "increment":
            result = Result.PIN_REQUIRED
        else:
            wrong: list[int] = []
            for then, earlier, said in past:
                if earlier.kind == "reset":
                    wrong = []
                elif earlier.channel is event.channel and said is Result.INCORRECT_PIN:
                    wrong = wrong if wrong and then - wrong[-1] < LOCK_S else []
                    wrong.append(then)
                elif (
                    earlier.channel is event.channel
                    and earlier.pin == RIGHT
                    and earlier.kind != "increment"
                    and said is None
                ):
                    wrong = []
            if wrong and at - wrong[-1] >= LOCK_S:
                wrong = []
            if len(wrong) >= most:
                result = Result.PIN_TRIES_EXCEEDED
            elif event.pin == WRONG and event.kind != "increment":
                result = Result.INCORRECT_PIN
        past.append((at, event, result))
        yield result


def happen(events: Sequence[Event], most: int) -> Iterator[tuple[Event, Decision]]:
    """
    Let the domain decide one after the other, each on what the one before left.
    """
    rules = pin_policy(max_tries=most, lock_s=LOCK_S, rules=holding_rules())
    on = held(amount(1_00), card(100_000_00))
    pin, mine, at = kept_pin(), on.card, NOW
    for number, event in enumerate(events, 1):
        at += timedelta(seconds=event.after_s)
        seen = view(mine, rules=rules, now=at, number=number, pin=pin)
        if event.kind == "balance":
            question = ask_balance(event.pin, channel=event.channel)
            decision = decide_balance(question, seen)
        elif event.kind == "reset":
            decision = decide(reset_pin(number=number), seen, None)
        elif event.kind == "increment":
            more = increment(amount(1), number=number)
            asked = replace(more, channel=event.channel)
            decision = decide(asked, seen, on.original())
            require_explainable(asked, seen, on.original())
            on = on.after(decision) if decision.holds else on
        else:
            price = amount(PRICES[event.kind])
            sale = with_pin(redeem(price, number=number), event.pin)
            sale = replace(sale, channel=event.channel)
            decision = decide(sale, seen, None)
            require_explainable(sale, seen, None)
        for counted in decision.tries:
            before = pin.tries.get(counted.channel)
            assert counted.wrong_total >= (before.wrong_total if before else 0)
            pin = pin.tried(counted)
        if decision.card is not None:
            assert decision.card.version == mine.version + 1
            assert decision.record.card_seq == decision.card.version
            mine = decision.card
        yield event, decision


@given(EVENTS, st.integers(1, 4))
def test_tries_are_counted_as_the_model_counts_them(
    events: list[Event], most: int
) -> None:
    """
    Sales, paid or not, balances, resets, two channels, any pauses: no difference.

    And at no time have more wrong PINs been compared in a row than the product allows.
    """
    said = expected(events, most)

    for (event, decision), result in zip(happen(events, most), said, strict=True):
        passed = (
            Result.INSUFFICIENT_FUNDS if event.kind == "dear sale" else Result.APPROVED
        )
        assert decision.record.result is (result or passed)
        assert all(counted.tries <= most for counted in decision.tries)


@given(EVENTS, st.integers(1, 4))
def test_a_verdict_is_kept_where_the_model_compares(
    events: list[Event], most: int
) -> None:
    """
    Of no other PIN the table tells whether it was right, so it is no way to guess.
    """
    said = expected(events, most)

    for (event, decision), result in zip(happen(events, most), said, strict=True):
        if event.kind == "balance":
            assert decision.record.seen is None
            continue
        assert decision.record.seen is not None
        came, right, _ = json.loads(decision.record.seen)["pin"]
        compares = event.kind in SALES and event.pin is not None
        verdict = {None: True, Result.INCORRECT_PIN: False}.get(result)
        assert came is (event.kind.startswith(("sale", "dear")) and bool(event.pin))
        assert right is (verdict if compares else None)
