"""
A host that answers each step of a story as the story expects, but for what is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from currency import Money
from tests.unit.till.fake_host import USD, answer_of, remade
from till import Answer, CardNumber, GetBalance, GetTransaction, Request, Result
from till.answer import ShownCard
from till.codes import CardState
from till.pin import Pin
from till.simulation.purchases import FIRST_DAY
from till.simulation.rate_table import demo_rates, rate_book
from till.stories.desk import GetCard, StaffRequest
from till.stories.script import HeldCard
from till.stories.steps import Expected, Story, Upload
from till.stories.telling import HOLDERS, plan_stories

LAST_DAY = date(2025, 1, 4)
RATES = rate_book(demo_rates(FIRST_DAY, LAST_DAY))
NOW = datetime(2025, 1, 4, tzinfo=UTC)
WALLET = {
    holder: HeldCard(CardNumber(f"{number:016d}"), Pin("123459"))
    for number, holder in enumerate(
        holder for holders in HOLDERS.values() for holder in holders
    )
}


def planned(last_day: date = LAST_DAY) -> list[Story]:
    """
    Plan the stories.
    """
    return plan_stories(RATES, WALLET, last_day=last_day)


@dataclass
class ScriptedHost:
    """
    Be a Sender and a desk.
    """

    stories: Sequence[Story]
    changed: dict[UUID, Expected] = field(default_factory=dict)
    answers: dict[UUID, Answer] = field(default_factory=dict)
    asked: list[object] = field(default_factory=list)
    holds_more_cents: int = 0

    def __post_init__(self) -> None:
        self._expected = {
            _key(step.act.request): step.act.expected
            for story in self.stories
            for step in story.steps
            if not isinstance(step.act, Upload)
        }
        self._states = {
            request_id: state
            for story in self.stories
            for request_id, state in story.ends_as.items()
        }

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Answer a till.
        """
        if isinstance(request, GetTransaction):
            stored = self.answers[request.request_id]
            return remade(stored, state=self._states[request.request_id])
        return self._answer(request)

    async def ask(self, request: StaffRequest) -> Answer:
        """
        Answer somebody of the staff.
        """
        if request.request_id in self.answers:
            return remade(self.answers[request.request_id], replayed=True)
        if isinstance(request, GetCard) and _key(request) not in self._expected:
            return self._card(request)
        return self._answer(request)

    def _answer(self, request: Request | StaffRequest) -> Answer:
        self.asked.append(request)
        expected = self._expected[_key(request)] or Expected(result=Result.APPROVED)
        if request.request_id is not None:
            expected = self.changed.get(request.request_id, expected)
        answer = _answer_with(request, expected)
        if request.request_id is not None:
            self.answers[request.request_id] = answer
        return answer

    def _card(self, request: GetCard) -> Answer:
        (purse,) = (
            purse
            for story in self.stories
            for purse in story.purses
            if purse.number == request.card_number
        )
        expected = Expected(
            result=Result.APPROVED,
            available_cents=purse.available_cents,
            ledger_cents=purse.ledger_cents + self.holds_more_cents,
            held_cents=purse.held_cents,
        )
        return _answer_with(request, expected, state=purse.state)


def _key(request: Request | StaffRequest) -> UUID | int:
    """
    Give what tells requests apart; one without an id is itself.
    """
    return id(request) if request.request_id is None else request.request_id


def _answer_with(
    request: Request | StaffRequest,
    expected: Expected,
    *,
    state: CardState = CardState.ACTIVE,
) -> Answer:
    plain = answer_of(
        GetBalance(card_number=CardNumber("0" * 16), request_id=request.request_id),
        expected.result,
        NOW,
    )
    fields = {name: getattr(plain, name) for name in Answer.__slots__}
    fields |= {
        "transaction_id": uuid4(),
        "approved_amount": expected.approved,
        "available_balance": _dollars(expected.available_cents),
        "ledger_balance": _dollars(expected.ledger_cents),
        "held_amount": _dollars(expected.held_cents),
        "receipt_text": expected.sentence,
        "exception": expected.exception,
        "card": ShownCard(last_four="0000", state=state, currency=USD),
    }
    return Answer(**fields)


def _dollars(cents: int | None) -> Money | None:
    return None if cents is None else Money(cents, USD)
