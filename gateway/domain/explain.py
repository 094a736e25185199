"""
Explain a transaction: decide it again on what was recorded, and tell what was checked.

The decision is the one that tills get; this only watches it (ADR 0022).
"""

from collections.abc import Iterator
from typing import Any, Final

from gateway.domain.check_values import (
    SHOWN,
    Values,
    of_cash_out,
    of_funds,
    of_hold,
    of_limits,
    of_original,
    of_pin,
    of_price,
    of_quote,
    of_state,
    values_of,
)
from gateway.domain.commands import (
    Activate,
    Adjust,
    ApproveAdjustment,
    Authorize,
    CancelAuthorization,
    Capture,
    CashOut,
    Command,
    IncrementAuthorization,
    Load,
    Naming,
    Redeem,
    Refund,
    ResetPin,
    Reverse,
    Void,
)
from gateway.domain.decision import Decision
from gateway.domain.explanation import (
    CHECKS,
    Check,
    CheckOutcome,
    Difference,
    Explanation,
)
from gateway.domain.ids import uuid_text
from gateway.domain.recall import Recalled, Recorded, recall
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import Refusal
from gateway.domain.results import APPROVALS, Result
from gateway.domain.seen import EXPIRY
from gateway.domain.watching import Call, FunctionName, watched

_DOMAIN: Final = "gateway.domain"


def _named(module: str, *names: str) -> Iterator[FunctionName]:
    return ((f"{_DOMAIN}.{module}", name) for name in names)


# The functions that are checks 4 to 11, whichever operations call them.
FIRST_CHECKS: Final[dict[FunctionName, int]] = {
    **dict.fromkeys(_named("checks", "refuse_place"), 4),
    **dict.fromkeys(_named("checks", "refuse_amount"), 5),
    **dict.fromkeys(_named("checks", "refuse_card"), 6),
    **dict.fromkeys(_named("checks", "refuse_product"), 7),
    **dict.fromkeys(_named("adjust", "_refuse_approval"), 7),
    **dict.fromkeys(
        _named("checks", "refuse_state", "refuse_refund", "refuse_activation"), 8
    ),
    **dict.fromkeys(_named("adjust", "_refuse_state"), 8),
    **dict.fromkeys(_named("checks", "refuse_expired"), 9),
    **dict.fromkeys(_named("pin", "check_pin"), 10),
    **dict.fromkeys(_named("checks", "refuse_restricted"), 11),
}
_QUOTE, _PRICE = (f"{_DOMAIN}.pricing", "quote"), (f"{_DOMAIN}.pricing", "Quote.price")
# What tells that checks 12 to 14 were come to, for operations that may end before.
LATER_CHECKS: Final[dict[FunctionName, tuple[int, ...]]] = {
    _QUOTE: (12,),
    _PRICE: (13,),
    (f"{_DOMAIN}.reverse", "_refuse_undoing"): (13,),
    (f"{_DOMAIN}.refund", "_refuse_refunding"): (12, 13),
    (f"{_DOMAIN}.adjust", "_refuse_change"): (12, 13, 14),
    (f"{_DOMAIN}.authorize", "_refuse_other_currency"): (12,),
    (f"{_DOMAIN}.limit_checks", "refuse_limits_of_more"): (14,),
    (f"{_DOMAIN}.capture", "_refuse_taking"): (12, 13),
}
_RULE: Final = (f"{_DOMAIN}.cash_out_rules", "CashOutRules.rule_for")
# What is looked at only to hide a card is no check.
_HIDING: Final = frozenset(
    {(f"{_DOMAIN}.decision", "decline"), (f"{_DOMAIN}.seen", "seen_of")}
)
WATCHED: Final = frozenset({*FIRST_CHECKS, *LATER_CHECKS, _RULE, *_HIDING})

# Which of checks 12 to 16 an operation has.
LATER_OF: Final[dict[type[Command], tuple[int, ...]]] = {
    Activate: (12, 13, 14),
    Load: (12, 13, 14),
    Redeem: (12, 13, 14, 16),
    CashOut: (12, 14, 16),
    Reverse: (13, 15),
    Void: (13, 15),
    Refund: (12, 13, 15),
    Adjust: (12, 13, 14, 16),
    ApproveAdjustment: (12, 13, 14, 15, 16),
    Authorize: (12, 13, 14, 16),
    IncrementAuthorization: (12, 13, 14, 15, 16),
    Capture: (12, 13, 15, 16),
    CancelAuthorization: (15,),
    ResetPin: (),
}
# Which check gives a result, if none of 4 to 11 did.
DECIDED_LATE: Final[dict[Result, int]] = {
    Result.CARD_CLOSED: 8,
    Result.CURRENCY_NOT_SUPPORTED: 12,
    Result.FX_RATE_UNAVAILABLE: 12,
    Result.INVALID_AMOUNT: 13,
    Result.LIMIT_EXCEEDED: 14,
    Result.COUNT_EXCEEDED: 14,
    Result.ORIGINAL_NOT_FOUND: 15,
    Result.CANNOT_BE_REVERSED: 15,
    Result.ALREADY_REVERSED: 15,
    Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL: 15,
    Result.AUTHORIZATION_EXPIRED: 15,
    Result.EXCEEDS_AUTHORIZED: 15,
    Result.INSUFFICIENT_FUNDS: 16,
    Result.NOT_PERMITTED: 16,
}
# The same where an operation gives a result at a check of its own.
DECIDED_OTHERWISE: Final[dict[tuple[type[Command], Result], int]] = {
    (ResetPin, Result.NOT_PERMITTED): 10,
}
_LAST: Final = max(CHECKS)
_ORIGINAL: Final = 15


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
    return Check(_ORIGINAL, CHECKS[_ORIGINAL], CheckOutcome.PASSED, values=values)


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
        self.decided_by: int | None = None
        if refused is not None:
            self.decided_by = self._first[-1].number
        elif self._told is not None:
            own = DECIDED_OTHERWISE.get((type(command), self._told))
            self.decided_by = own or DECIDED_LATE.get(self._told, _LAST)

    def differences(self) -> tuple[Difference, ...]:
        """
        Tell if the check that refused is not the one that the record tells of.
        """
        if self._refused in {None, self._told}:
            return ()
        told = "none" if self._told is None else self._told.name
        return (Difference("check", told, f"{self._refused!s}"),)

    def listed(self) -> Iterator[Check]:
        """
        Give the checks in their order, up to the one that decided.
        """
        last = _LAST if self.decided_by is None else self.decided_by
        yield Check(1, CHECKS[1], CheckOutcome.PASSED, None, self._caller())
        yield Check(2, CHECKS[2], CheckOutcome.PASSED)
        yield Check(3, CHECKS[3], CheckOutcome.PASSED, None, self._key())
        for number in range(4, last + 1):
            made = [check for check in self._first if check.number == number]
            if not made and self._came_to(number):
                made = [self._later(number)]
            yield from made or [Check(number, CHECKS[number], CheckOutcome.NOT_APPLIED)]

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
            check = Check(number, CHECKS[number], outcome, result, values)
            if check not in made:
                made.append(check)
            if result is not None:
                break
        return made

    def _shown(self, number: int, call: Call) -> Values:
        if call.function[1] == "_refuse_approval":
            asked_by = self._original.record.actor if self._original else None
            return values_of(asked_by=asked_by, approved_by=self._command.actor)
        return SHOWN[number](call.given, call.gave)

    def _came_to(self, number: int) -> bool:
        """
        Tell whether the decision came to one of checks 12 to 16.
        """
        if number == self.decided_by:
            return True
        if number not in LATER_OF.get(type(self._command), ()):
            return False
        seen = {n for call in self._calls for n in LATER_CHECKS.get(call.function, ())}
        if number in seen:
            return True
        if isinstance(self._command, Naming) and number < _ORIGINAL:
            return False
        return 13 in seen or isinstance(self._command, CashOut | Naming)  # noqa: PLR2004 - the check's number

    def _later(self, number: int) -> Check:
        refused = number == self.decided_by
        return Check(
            number,
            CHECKS[number],
            CheckOutcome.REFUSED if refused else CheckOutcome.PASSED,
            self._told if refused else None,
            self._values(number),
        )

    def _values(self, number: int) -> Values:
        card, policy = self._view.card, self._view.policy
        if number == _ORIGINAL:
            return of_original(self._original)
        if card is None:
            return ()
        if number == 8:  # noqa: PLR2004 - the check's number
            return of_state(card)
        if number == 10:  # noqa: PLR2004 - the check's number
            return of_pin(self._command, self._view, self._record.activity)
        if number == 12:  # noqa: PLR2004 - the check's number
            return self._of_currency()
        price = self._first_price()
        if number == 13:  # noqa: PLR2004 - the check's number
            return () if price is None else of_price(price, card)
        if number == 14:  # noqa: PLR2004 - the check's number
            return of_limits(self._view, card, self._record)
        needed = None if price is None else price.card_minor
        partial = getattr(self._command, "allow_partial", None)
        funds = of_funds(card, needed, allow_partial=partial)
        if isinstance(self._command, CashOut):
            product = policy.products[card.product_id]
            funds += of_cash_out(card, product, self._gave(_RULE))
        return funds

    def _of_currency(self) -> Values:
        for call in self._calls:
            if call.function == _QUOTE:
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
        return self._gave(_PRICE)

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
