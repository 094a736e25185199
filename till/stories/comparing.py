"""
Compare an answer with what a story expects of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from currency import Money
from till.answer import Answer
from till.stories.steps import Expected


def differences(expected: Expected, answer: Answer) -> Iterator[str]:
    """
    Name everything in which an answer differs.
    """
    if answer.result is not expected.result:
        text = f" ({answer.receipt_text})" if answer.receipt_text else ""
        yield f"{answer.result.name} and not {expected.result.name}{text}"
        return
    if expected.approved is not None and answer.approved_amount != expected.approved:
        yield f"{answer.approved_amount} was approved, not {expected.approved}"
    if answer.exception is not expected.exception:
        yield f"the exception is {answer.exception!r}, not {expected.exception!r}"
    if expected.tells_balances:
        yield from _balance_differences(expected, answer)
    if expected.sentence not in answer.receipt_text:
        yield f"it says {answer.receipt_text!r}, not {expected.sentence!r}"


def _balance_differences(expected: Expected, answer: Answer) -> Iterator[str]:
    for name, cents, told in (
        ("available", expected.available_cents, answer.available_balance),
        ("on the card", expected.ledger_cents, answer.ledger_balance),
        ("held", expected.held_cents, answer.held_amount),
    ):
        if cents != _cents(told):
            yield f"{_shown(_cents(told))} {name}, not {_shown(cents)}"


def _cents(told: Money | None) -> int | None:
    return None if told is None else told.minor_units


def _shown(cents: int | None) -> str:
    return "nothing told" if cents is None else f"{cents} cents"
