"""
A card's balance for pages and displays: how it was a moment ago, and when that was.
"""

import re
from dataclasses import dataclass
from typing import Final

from currency import Currency, CurrencyError
from gateway.domain.cards import Card, CardState
from gateway.domain.ids import CardId

# The function library reads the first two: they decide which snapshot is newer.
_TEXT: Final = re.compile(
    r"(\d{1,19}) (\d{1,19}) (-?\d{1,19}) (-?\d{1,19}) (-?\d{1,19}) (\d{1,3}) ([A-Z]{3})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    One card as it stood `age_ms` ago. Money is in minor units of `currency`.
    """

    card_id: CardId
    version: int
    available_minor: int
    ledger_minor: int
    held_minor: int
    state: CardState
    currency: Currency
    at_ms: int
    age_ms: int


def encode_snapshot(card: Card, at_ms: int) -> str:
    """
    Write a snapshot: version, time, available, ledger, held, state, currency.
    """
    return (
        f"{card.version} {at_ms} {card.available_minor} {card.balance_minor}"
        f" {card.held_minor} {card.state.value} {card.currency.code}"
    )


def decode_snapshot(card_id: CardId, text: str, now_ms: int) -> Snapshot | None:
    """
    Read a snapshot; None when it is none of ours.

    Two machines' clocks may differ: an age is never below zero.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    *numbers, state, code = found.groups()
    version, at_ms, available, ledger, held = map(int, numbers)
    try:
        return Snapshot(
            card_id=card_id,
            version=version,
            available_minor=available,
            ledger_minor=ledger,
            held_minor=held,
            state=CardState(int(state)),
            currency=Currency.of(code),
            at_ms=at_ms,
            age_ms=max(0, now_ms - at_ms),
        )
    except (ValueError, CurrencyError):
        return None
