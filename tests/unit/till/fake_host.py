"""
A host in memory that counts money as the contract says, for simulated tills.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from currency import USD_RATE, Currency, Money, RateBook, convert
from till import (
    Activate,
    ActivityType,
    Answer,
    ConversionRecord,
    CurrentState,
    GetBalance,
    GetTransaction,
    Load,
    NotRecordedError,
    Redeem,
    Request,
    Result,
    Reverse,
)
from till.requests import NO_CONTEXT

USD = Currency.of("USD")
TYPES = {
    Activate: ActivityType.ACTIVATE,
    Load: ActivityType.LOAD,
    Redeem: ActivityType.REDEEM,
    Reverse: ActivityType.REVERSAL,
}


@dataclass(kw_only=True)
class FakeHost:
    """
    Be a Sender, and the clock that the replay moves.
    """

    rates: RateBook
    now: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    balances: dict[str, int] = field(default_factory=dict)
    answers: dict[UUID, Answer] = field(default_factory=dict)
    effects: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    tombstones: set[UUID] = field(default_factory=set)
    moves: list[datetime] = field(default_factory=list)
    greatest_balance: int = 0
    greatest_load: int = 0

    async def move_to(self, moment: datetime) -> None:
        """
        Move the clock.
        """
        self.moves.append(moment)
        self.now = moment

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Decide once for each request id.
        """
        assert not isinstance(request, GetBalance)
        stored = self.answers.get(request.request_id)
        if isinstance(request, GetTransaction):
            if stored is None:
                raise NotRecordedError("nothing", final=False, advice="reverse it")
            return stored
        if stored is not None:
            return remade(stored, replayed=True)
        if request.request_id in self.tombstones:
            return answer_of(request, Result.ALREADY_REVERSED, self.now)
        if isinstance(request, Reverse):
            answer = self._reverse(request)
        else:
            kinds = Activate | Load | Redeem
            assert isinstance(request, kinds), "simulated tills send no other"
            answer = self._move(request)
        self.answers[request.request_id] = answer
        return answer

    def _move(self, request: Activate | Load | Redeem) -> Answer:
        amount = (
            request.initial_amount if isinstance(request, Activate) else request.amount
        )
        assert amount is not None
        if amount.minor_units <= 0:
            return answer_of(request, Result.INVALID_AMOUNT, self.now)
        rate = self.rates.rate_at(amount.currency.code, self.now)
        assert rate is not None
        cents = convert(
            amount.minor_units, amount.currency, USD, rate, USD_RATE
        ).amount_minor
        card = request.card_number.digits
        if isinstance(request, Activate):
            if card in self.balances:
                return answer_of(request, Result.CARD_ALREADY_ACTIVATED, self.now)
            self.balances[card] = 0
        if card not in self.balances:
            return answer_of(request, Result.CARD_NOT_ACTIVE, self.now)
        change = -cents if isinstance(request, Redeem) else cents
        if self.balances[card] + change < 0:
            return answer_of(request, Result.INSUFFICIENT_FUNDS, self.now)
        self.greatest_load = max(self.greatest_load, change)
        self.balances[card] += change
        self.greatest_balance = max(self.greatest_balance, self.balances[card])
        self.effects[request.request_id] = (card, change)
        record = ConversionRecord(
            transaction_amount=amount,
            card_amount=Money(cents, USD),
            settlement_amount=None,
            transaction_rate_to_usd=rate.usd_per_unit or Decimal(0),
            card_rate_to_usd=Decimal(1),
            applied_rate=rate.usd_per_unit or Decimal(0),
            rate_table_version=1,
            rate_effective_from="",
            rounding=Decimal(0),
            markup_bps=0,
        )
        return answer_of(request, Result.APPROVED, self.now, record=record)

    def _reverse(self, request: Reverse) -> Answer:
        original = self.answers.get(request.original_request_id)
        if original is None:
            self.tombstones.add(request.original_request_id)
            return answer_of(request, Result.ORIGINAL_NOT_FOUND, self.now)
        effect = self.effects.pop(request.original_request_id, None)
        if effect is not None:
            card, change = effect
            self.balances[card] -= change
            if original.activity_type is ActivityType.ACTIVATE:
                del self.balances[card]
            self.answers[request.original_request_id] = remade(
                original, state=CurrentState.REVERSED
            )
        return answer_of(request, Result.APPROVED, self.now)


def remade(
    answer: Answer, *, replayed: bool = False, state: CurrentState | None = None
) -> Answer:
    """
    Give the answer as a replay, or with what has become of it.
    """
    fields = {name: getattr(answer, name) for name in Answer.__slots__}
    fields["replayed"] = replayed
    fields["current_state"] = state or answer.current_state
    return Answer(**fields)


def answer_of(
    request: Request,
    result: Result,
    now: datetime,
    *,
    record: ConversionRecord | None = None,
) -> Answer:
    """
    Build an answer.
    """
    approved = result is Result.APPROVED
    return Answer(
        result=result,
        response_code="00" if approved else "xx",
        request_id=request.request_id,
        transaction_id=uuid4(),
        approval_code="",
        activity_type=TYPES.get(type(request), ActivityType.UNSPECIFIED),
        requested_amount=None,
        approved_amount=record.transaction_amount if record else None,
        amount_due=None,
        previous_balance=None,
        available_balance=None,
        ledger_balance=None,
        held_amount=None,
        cash_back_amount=None,
        expires_on=None,
        receipt_text="",
        host_time=now,
        business_date=now.date(),
        batch_no=1,
        replayed=False,
        current_state=CurrentState.POSTED if approved else CurrentState.DECLINED,
        card=None,
        conversion=record,
        original_transaction_id=None,
        terminal_id=request.terminal_id,
        context=NO_CONTEXT,
    )
