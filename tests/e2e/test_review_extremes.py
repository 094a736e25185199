"""
Values at the edges of their types: each is answered, none breaks the batch it is in.
"""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Final

import pytest

from currency import MAX_MINOR_UNITS, find_currency
from tests.support.tills import MakeCard, Outcome, Till, money, request_of

AMOUNTS: Final = (
    -(2**63),
    -1,
    0,
    1,
    MAX_MINOR_UNITS,
    MAX_MINOR_UNITS + 1,
    2**63 - 1,
)
EXPONENTS: Final = (-(2**31), -1, 0, 2, 3, 2**31 - 1)
# Known here, of ISO 4217 but not taken, without digits, of nobody, and not a code.
CURRENCIES: Final = ("USD", "JPY", "KWD", "TRY", "CLF", "XAU", "ZZZ", "usd")
TAKEN: Final = frozenset({"USD", "EUR", "KWD", "JPY", "LBP", "GBP"})
# In each, what is left when 13 and 57 have passed: 10^15 is too much for 100.00, and
# one yen is 0.67 cents.
THEN: Final = {
    "Activate": {"12"},
    "Load": {"00", "13"},
    "Redeem": {"00", "13", "51"},
}


def expected(method: str, minor: int, code: str, exponent: int) -> set[str]:
    """
    Give what may be answered: check 5, check 8 of an Activate, check 12, the rest.
    """
    known = find_currency(code)
    wrong_digits = known is not None and exponent != known.exponent
    if not 0 < minor <= MAX_MINOR_UNITS or wrong_digits:
        return {"13"}
    if method == "Activate":
        return THEN[method]
    return THEN[method] if code in TAKEN else {"57"}


@pytest.mark.parametrize("method", ["Activate", "Load", "Redeem"])
async def test_amounts_at_the_edges(till: Till, card: MakeCard, method: str) -> None:
    """
    All together, so that they share batches: 13, 57, or what the card allows.
    """
    number = (await card()).number
    field = "initial_amount" if method == "Activate" else "amount"

    async def ask(minor: int, code: str, exponent: int) -> Outcome:
        amount = money(minor, code, exponent)
        request = request_of(method, card_number=number, **{field: amount})
        first = (await till.send(method, request)).outcome
        again = (await till.send(method, request)).outcome
        assert again.replayed
        again.replayed = False
        assert first == again
        return first

    cases = list(product(AMOUNTS, CURRENCIES, EXPONENTS))
    told = await asyncio.gather(*[ask(*case) for case in cases])

    for case, outcome in zip(cases, told, strict=True):
        assert outcome.response_code in expected(method, *case), (case, outcome)
        asked = outcome.requested_amount
        assert (asked.minor_units, asked.currency_code, asked.exponent) == case
