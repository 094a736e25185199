"""
Say which limit a request would exceed, in words for the till.
"""

from collections.abc import Callable
from typing import Final

from gateway.api.wire_money import exponent_of, spoken
from gateway.domain.limits import LimitKind
from gateway.domain.record import TransactionRecord

_UNITS: Final = ((3_600, "hour"), (60, "minute"), (1, "second"))


def spoken_limit(record: TransactionRecord, kind: LimitKind) -> str:
    """
    Give the part of a sentence after "Declined: ". Amounts are in the card's currency.
    """
    return _TEXTS[kind](record)


def _amount(record: TransactionRecord) -> str:
    code = record.card_currency or ""
    return spoken(record.limit_value or 0, code, exponent_of(code))


def _times(record: TransactionRecord) -> str:
    times = record.limit_value or 0
    if times == 1:
        return "once"
    return "twice" if times == 2 else f"{times} times"  # noqa: PLR2004 -- a word


def _window(record: TransactionRecord) -> str:
    """
    Say a length of time in the greatest unit that divides it.
    """
    seconds = record.limit_window_s or 0
    size, unit = next(pair for pair in _UNITS if seconds % pair[0] == 0)
    count = seconds // size
    return f"in {count} {unit}s" if count != 1 else f"in one {unit}"


def _says(form: str) -> Callable[[TransactionRecord], str]:
    return lambda record: form.format(
        amount=_amount(record), times=_times(record), window=_window(record)
    )


_TEXTS: Final[dict[LimitKind, Callable[[TransactionRecord], str]]] = {
    LimitKind.LOAD_AMOUNT: _says("at most {amount} can be loaded at a time"),
    LimitKind.LOAD_DAY_AMOUNT: _says(
        "the card can be loaded with at most {amount} a day"
    ),
    LimitKind.LOAD_DAY_COUNT: _says("the card can be loaded only {times} a day"),
    LimitKind.LOAD_WINDOW_COUNT: _says("the card can be loaded only {times} {window}"),
    LimitKind.SPEND_AMOUNT: _says("at most {amount} can be paid at a time"),
    LimitKind.SPEND_DAY_AMOUNT: _says("the card can pay at most {amount} a day"),
    LimitKind.SPEND_DAY_COUNT: _says("the card can pay only {times} a day"),
    LimitKind.SPEND_WINDOW_COUNT: _says("the card can pay only {times} {window}"),
    LimitKind.BALANCE: _says("the card can hold at most {amount}"),
    LimitKind.TERMINAL_LOAD_DAY_AMOUNT: _says(
        "this is more than this terminal may still load today"
    ),
    LimitKind.TERMINAL_LOAD_DAY_COUNT: _says(
        "this terminal may load only {times} a day"
    ),
    LimitKind.TERMINAL_SPEND_DAY_AMOUNT: _says(
        "this is more than this terminal may still take today"
    ),
    LimitKind.TERMINAL_SPEND_DAY_COUNT: _says(
        "this terminal may take cards only {times} a day"
    ),
}
