"""
Two messages and offline sales, against a model that knows nothing of the gateway.

The model keeps one figure for each request: what it put on the card, and whether that
still stands, and is confirmed. Everything else is added up from them.
"""

import asyncio
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from currency import Currency
from gateway.domain.commands import MoneyCommand
from gateway.domain.ids import CardId
from gateway.domain.results import APPROVALS, Result
from tests.support import world
from tests.support.engine_world import Bench, bench, lane_policy
from tests.support.late_requests import advice, confirm
from tests.support.world import amount, load, redeem, reverse, void

CARD = CardId(1)
START = 20_00
FLOOR = 15_00
TWENTY_ONE = "21"
KINDS = ("load", "redeem", "advice", "confirm", "reverse", "void")


@dataclass
class Move:
    """
    What one request put on the card (below zero: took), and what became of it.
    """

    kind: str
    minor: int
    exception: int = 0
    stands: bool = True
    undone_by: str = ""
    confirmed: bool = False

    @property
    def waits(self) -> bool:
        """
        Tell whether it is a credit that nobody may spend yet.
        """
        return self.stands and self.kind == "load" and not self.confirmed


class Model:
    """
    Say what each request must come to.
    """

    def __init__(self) -> None:
        self.moves: dict[int, Move] = {}
        self.shut: set[int] = set()
        self.declined: set[int] = set()
        self.unreversed: set[int] = set()

    @property
    def ledger(self) -> int:
        """
        Add up what stands.
        """
        return START + sum(move.minor for move in self.moves.values() if move.stands)

    @property
    def waiting(self) -> int:
        """
        Add up what nobody may spend yet.
        """
        return sum(move.minor for move in self.moves.values() if move.waits)

    @property
    def exceptions(self) -> int:
        """
        Add up what stands as an exception.
        """
        unpaid = sum(move.exception for move in self.moves.values() if move.stands)
        return unpaid + sum(
            self.moves[number].minor
            for number in self.unreversed
            if self.moves[number].stands
        )

    def code(self, kind: str, number: int, minor: int, original: int) -> str:
        """
        Take a request in; give its response code.
        """
        if number in self.shut:
            return TWENTY_ONE
        if kind == "load":
            self.moves[number] = Move(kind, minor)
            return "00"
        available = self.ledger - self.waiting
        if kind == "redeem":
            if minor > available:
                self.declined.add(number)
                return "51"
            self.moves[number] = Move(kind, -minor)
            return "00"
        if kind == "advice":
            paid = min(minor, FLOOR, available)
            self.moves[number] = Move(kind, -paid, exception=minor - paid)
            return "00"
        return self._about(kind, original, available)

    def _about(self, kind: str, original: int, available: int) -> str:
        if original in self.declined:
            return "00" if kind == "reverse" else TWENTY_ONE
        move = self.moves.get(original)
        if move is None:
            if kind == "reverse":
                self.shut.add(original)
            return "25"
        if kind == "confirm":
            if move.kind == "advice" or not move.stands:
                return TWENTY_ONE
            move.confirmed = True
            return "00"
        if not move.stands:
            again = kind == "reverse" and move.undone_by == "reverse"
            return "00" if again else TWENTY_ONE
        if kind == "reverse" and move.confirmed:
            return TWENTY_ONE
        if move.minor > 0 and not move.waits and available < move.minor:
            return TWENTY_ONE
        move.stands, move.undone_by = False, kind
        return "00"


def two_message_lane() -> Bench:
    """
    Make a lane whose terminal sends two messages and may sell offline too.
    """
    rules = lane_policy()
    here = rules.places[world.TERMINAL]
    terminal = replace(
        here.terminal,
        two_message=True,
        floor_limit_minor=FLOOR,
        floor_limit_currency=Currency.of("USD"),
    )
    place = replace(here, terminal=terminal)
    places = rules.places | {world.TERMINAL: place}
    return bench(world.card(START), rules=replace(rules, places=places))


def command_of(kind: str, number: int, minor: int, original: int) -> MoneyCommand:
    """
    Write a request.
    """
    asked = amount(minor)
    match kind:
        case "load":
            return load(asked, number=number)
        case "redeem":
            return redeem(asked, number=number)
        case "advice":
            return advice(asked, number=number)
        case "confirm":
            return confirm(original, number=number)
        case "void":
            return void(original, number=number)
        case _:
            return reverse(original, number=number, with_card=False)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(1, 30_00),
        # Which earlier or later request it is about, if it is about one.
        st.integers(1, 14),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sets(st.integers(1, 13)))
def test_the_lane_does_what_the_model_says(
    steps: list[tuple[str, int, int]], cuts: set[int]
) -> None:
    """
    Any order of messages, in one batch or in several: no difference.
    """
    lane, model = two_message_lane(), Model()
    numbered = list(enumerate(steps, start=1))
    # A request about itself is another matter, and kinds that name are no originals.
    moves = {number for number, step in numbered if step[0] in KINDS[:3]}
    asked = [
        (number, kind, minor, original)
        for number, (kind, minor, original) in numbered
        if kind in KINDS[:3] or original in moves or original > len(steps)
    ]
    expected: list[str] = []
    batches: list[list[MoneyCommand]] = []
    for number, kind, minor, original in asked:
        if number - 1 in cuts or not batches:
            batches.append([])
        batches[-1].append(command_of(kind, number, minor, original))
        expected.append(model.code(kind, number, minor, original))
        refused = expected[-1] == TWENTY_ONE and kind == "reverse"
        move = model.moves.get(original)
        if refused and move and move.stands and move.minor > 0 and not move.confirmed:
            model.unreversed.add(original)

    answers = [
        answer
        for commands in batches
        for answer in asyncio.run(lane.answers(*commands))
    ]

    card = lane.books.cards[CARD]
    assert [_code(answer.record.result) for answer in answers] == expected
    assert (card.balance_minor, card.unconfirmed_minor) == (model.ledger, model.waiting)
    assert _open_exceptions(lane) == model.exceptions


def _code(result: Result) -> str:
    known = {Result.ORIGINAL_NOT_FOUND: "25", Result.INSUFFICIENT_FUNDS: "51"}
    return "00" if result in APPROVALS else known.get(result, TWENTY_ONE)


def _open_exceptions(lane: Bench) -> int:
    undone = {
        record.original_transaction_id
        for record in lane.books.records.values()
        if record.effective and record.activity.name in {"REVERSAL", "VOID"}
    }
    return sum(
        item.amount_minor
        for item in lane.books.exceptions.values()
        if item.transaction_id not in undone
    )
