"""
Explain a transaction: decide it again on what was recorded, and tell what was checked.

The decision is the one that tills get; this only watches it (ADR 0022).
"""

from collections.abc import Iterator
from typing import Any, Final

from gateway.domain.check_numbers import (
    DECIDED_LATE,
    DECIDED_OTHERWISE,
    FIRST_CHECKS,
    LATER_CHECKS,
    LATER_OF,
    PRICE,
    QUOTE,
    RECEIPT,
    RULE,
    WATCHED,
)
from gateway.domain.check_values import (
    SHOWN,
    of_pin,
    of_product,
    of_state,
    of_two,
)
from gateway.domain.commands import Activate, Advice, CashOut, Command, Naming
from gateway.domain.decision import Decision
from gateway.domain.explanation import (
    Check,
    CheckOutcome,
    Difference,
    Explanation,
)
from gateway.domain.explanation import CheckNumber as No
from gateway.domain.ids import uuid_text
from gateway.domain.later_values import (
    of_cash_out,
    of_floor,
    of_funds,
    of_hold,
    of_limits,
    of_original,
    of_price,
    of_quote,
)
from gateway.domain.recall import Recalled, Recorded, recall
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import Refusal
from gateway.domain.results import APPROVALS, ActivityType, Result
from gateway.domain.seen import EXPIRY
from gateway.domain.value_texts import Values, values_of
from gateway.domain.watching import Call, FunctionName, watched

_LAST: Final = No.FUNDS


def explain(recorded: Recorded) -> Explanation:
    """
    Tell why a transaction ended as it did.
    """
    recalled = recall(recorded)
    decision, calls = watched(recalled.decide, WATCHED)
    differences = _differences(recorded, decision)
    operation = EXPIRY
    checks: tuple[Check, ...] = (_expiry(recalled),)
    decided_by = None
    if recalled.command is not None:
        operation = type(recalled.command).__name__
        found = _Checks(recalled.command, recalled, decision, calls)
        checks, decided_by = tuple(found.listed()), found.decided_by
        differences += found.differences()
    return Explanation(
        record=recorded.record,
        place=recalled.view.place,
        operation=operation,
        checks=checks,
        decided_by=decided_by,
        differences=differences,
    )


def _differences(recorded: Recorded, decision: Decision) -> tuple[Difference, ...]:
    """
    Compare field by field what was recorded with what is decided now.
    """
    second = decision.also[0].record if decision.also else None
    return (
        *_compare(recorded.record, decision.record, ""),
        *_compare(recorded.second, second, "second card: "),
    )


def _compare(
    recorded: TransactionRecord | None, decided: TransactionRecord | None, prefix: str
) -> Iterator[Difference]:
    if recorded is None or decided is None:
        if recorded is not decided:
            yield Difference(f"{prefix}row", _there(recorded), _there(decided))
        return
    for name in TransactionRecord._fields:
        was, is_now = getattr(recorded, name), getattr(decided, name)
        # What is kept of what was seen grows from release to release.
        if was != is_now and name != "seen":
            yield Difference(f"{prefix}{name}", _plain(was), _plain(is_now))


def _there(record: TransactionRecord | None) -> str:
    return "none" if record is None else "one"


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _expiry(recalled: Recalled) -> Check:
    hold = recalled.original.hold if recalled.original else None
    values = () if hold is None else of_hold(hold)
    return Check(No.ORIGINAL, CheckOutcome.PASSED, values=values)


class _Checks:
    """
    The checks that one decision made.
    """

    def __init__(
        self,
        command: Command,
        recalled: Recalled,
        decision: Decision,
        calls: list[Call],
    ) -> None:
        self._command = command
        self._view, self._original = recalled.view, recalled.original
        self._record = record = decision.record
        self._calls = calls
        self._first = self._first_checks()
        refused = self._first[-1].result if self._first else None
        self._told = record.result if record.result not in APPROVALS else None
        if record.offline and record.reason is not None:
            # What was sold already is approved: the reason says what kept it unpaid.
            self._told = Result(record.reason)
        self._refused = refused
        self.decided_by: No | None = None
        if refused is not None:
            self.decided_by = self._first[-1].number
        elif self._told is not None:
            self.decided_by = self._decided_late(self._told)

    def _decided_late(self, told: Result) -> No:
        """
        Tell which check gave a result, if no function of checks 4 to 11 did.
        """
        if told is Result.NOT_PERMITTED:
            card, other = self._view.card, self._view.other
            if card is not None and other is not None and card.card_id == other.card_id:
                return No.OPERATION
            receipt = self._gave(RECEIPT)
            if receipt is not None and receipt[0] is told:
                return No.CURRENCY
        own = DECIDED_OTHERWISE.get((type(self._command), told))
        return own or DECIDED_LATE.get(told, _LAST)

    def differences(self) -> tuple[Difference, ...]:
        """
        Tell if the check that refused is not the one that the record tells of.
        """
        if self._refused is None or self._refused is self._told:
            return ()
        told = "none" if self._told is None else self._told.name
        return (Difference("check", told, self._refused.name),)

    def listed(self) -> Iterator[Check]:
        """
        Give the checks in their order, up to the one that decided.
        """
        last = _LAST if self.decided_by is None else self.decided_by
        passed = CheckOutcome.PASSED
        yield Check(No.IDENTITY, passed, None, self._caller())
        yield Check(No.READABLE, passed)
        yield Check(No.KEY, passed, None, self._key())
        for number in list(No)[No.KEY : last]:
            made = [check for check in self._first if check.number == number]
            decided = number == self.decided_by and self._refused is None
            if decided or (not made and self._came_to(number)):
                made.append(self._later(number))
            yield from made or [Check(number, CheckOutcome.NOT_APPLIED)]

    def _first_checks(self) -> list[Check]:
        """
        Give checks 4 to 11 as they were called, up to the first that refused.

        A check that is asked again with the same card has been told of.
        """
        made: list[Check] = []
        for call in self._calls:
            number = FIRST_CHECKS.get(call.function)
            if number is None:
                continue
            result = _result_of(call.gave)
            outcome = CheckOutcome.PASSED if result is None else CheckOutcome.REFUSED
            values = self._shown(number, call)
            check = Check(number, outcome, result, values)
            if check not in made:
                made.append(check)
            if result is not None:
                break
        return made

    def _shown(self, number: No, call: Call) -> Values:
        name = call.function[1]
        if name == "_refuse_approval":
            asked_by = self._original.record.actor if self._original else None
            return values_of(asked_by=asked_by, approved_by=self._command.actor)
        if name == "refuse_tills":
            return values_of(channel=self._command.channel)
        if name == "_refuse_receiving":
            other, policy = call.given["other"], call.given["policy"]
            product = policy.products[other.product_id]
            return of_product(other, product, ActivityType.TRANSFER_BALANCE_TO)
        return SHOWN[number](call.given, call.gave)

    def _came_to(self, number: No) -> bool:
        """
        Tell whether the decision came to one of checks 12 to 16.
        """
        if number not in LATER_OF.get(type(self._command), ()):
            return False
        seen = {n for call in self._calls for n in LATER_CHECKS.get(call.function, ())}
        if isinstance(self._command, Naming) and number < No.ORIGINAL:
            return number in seen
        return bool(seen) or not isinstance(self._command, Activate)

    def _later(self, number: No) -> Check:
        refused = number == self.decided_by
        return Check(
            number,
            CheckOutcome.REFUSED if refused else CheckOutcome.PASSED,
            self._told if refused else None,
            self._values(number),
        )

    def _values(self, number: No) -> Values:
        card, other, policy = self._view.card, self._view.other, self._view.policy
        if number is No.ORIGINAL:
            return of_original(self._original)
        if card is None:  # pragma: no cover - without a card check 6 has decided
            return ()
        if other is not None and number in {No.CARD, No.OPERATION}:
            return of_two(card, other)
        if number is No.STATE:
            return of_state(card)
        if number is No.PIN:
            return of_pin(self._command, self._view, card, self._record.activity)
        if number is No.CURRENCY:
            return self._of_currency()
        price = self._first_price()
        if number is No.PRICE:
            return () if price is None else of_price(price, card)
        if number is No.LIMITS:
            limits = of_limits(self._view, card, self._record)
            advice = isinstance(self._command, Advice)
            return limits + of_floor(self._view) if advice else limits
        needed = None if price is None else price.card_minor
        partial = getattr(self._command, "allow_partial", None)
        funds = of_funds(card, needed, allow_partial=partial)
        if isinstance(self._command, CashOut):
            product = policy.products[card.product_id]
            funds += of_cash_out(card, product, self._gave(RULE))
        return funds

    def _of_currency(self) -> Values:
        for call in self._calls:
            if call.function == QUOTE:
                given = call.given
                return of_quote(
                    given["currency_code"],
                    given["card"],
                    given["store"],
                    given["policy"],
                    given["now"],
                )
        card, record = self._view.card, self._record
        return values_of(
            currency=record.transaction_currency,
            currency_of_the_card=None if card is None else card.currency.code,
            currency_of_the_original=(
                None
                if self._original is None
                else self._original.record.transaction_currency
            ),
        )

    def _first_price(self) -> Any:  # noqa: ANN401 - what a watched function gave
        return self._gave(PRICE)

    def _gave(self, function: FunctionName) -> Any:  # noqa: ANN401 - as above
        """
        Give what a function gave when it was first called, None if it was not.
        """
        return next(
            (call.gave for call in self._calls if call.function == function), None
        )

    def _caller(self) -> Values:
        return values_of(
            terminal=self._view.place.terminal.code,
            channel=self._command.channel,
            staff=self._command.actor,
        )

    def _key(self) -> Values:
        return values_of(request_id=uuid_text(self._command.request_id))


def _result_of(gave: object) -> Result | None:
    if isinstance(gave, Refusal):
        return Result.RESTRICTED_CARD
    if isinstance(gave, tuple):
        # The check of the PIN gives what it counted besides.
        gave = gave[0]
    return gave if isinstance(gave, Result) else None
