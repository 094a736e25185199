"""
The sentence of a limit, for each kind.
"""

import pytest

from gateway.api.receipts import receipt_text
from gateway.domain.decide import decide
from gateway.domain.limits import Exceeded, LimitKind
from gateway.domain.record import TransactionRecord
from tests.support.world import amount, card, redeem, view


def refused(kind: LimitKind, value: int, window_s: int | None) -> TransactionRecord:
    """
    Give the record of a decline by a limit.
    """
    sale = decide(redeem(amount(10_00)), view(card()), None).record
    return sale._replace(
        result=Exceeded(kind, value).result,
        limit_kind=kind,
        limit_value=value,
        limit_window_s=window_s,
        balances_shown=False,
    )


@pytest.mark.parametrize(
    ("kind", "value", "window_s", "text"),
    [
        ("LOAD_AMOUNT", 5_00, None, "at most 5.00 USD can be loaded at a time"),
        (
            "LOAD_DAY_AMOUNT",
            2_000_00,
            None,
            "the card can be loaded with at most 2000.00 USD a day",
        ),
        ("LOAD_DAY_COUNT", 1, None, "the card can be loaded only once a day"),
        (
            "LOAD_WINDOW_COUNT",
            2,
            3_600,
            "the card can be loaded only twice in one hour",
        ),
        ("SPEND_AMOUNT", 5_00, None, "at most 5.00 USD can be paid at a time"),
        ("SPEND_DAY_AMOUNT", 5_00, None, "the card can pay at most 5.00 USD a day"),
        ("SPEND_DAY_COUNT", 3, None, "the card can pay only 3 times a day"),
        ("SPEND_WINDOW_COUNT", 3, 90, "the card can pay only 3 times in 90 seconds"),
        ("BALANCE", 5_00, None, "the card can hold at most 5.00 USD"),
        (
            "TERMINAL_LOAD_DAY_AMOUNT",
            1,
            None,
            "this is more than this terminal may still load today",
        ),
        ("TERMINAL_LOAD_DAY_COUNT", 2, None, "this terminal may load only twice a day"),
        (
            "TERMINAL_SPEND_DAY_AMOUNT",
            1,
            None,
            "this is more than this terminal may still take today",
        ),
        (
            "TERMINAL_SPEND_DAY_COUNT",
            2,
            None,
            "this terminal may take cards only twice a day",
        ),
    ],
)
def test_each_limit_is_said(
    kind: str, value: int, window_s: int | None, text: str
) -> None:
    """
    With the limit itself, but for a terminal's amounts, which are the store's matter.
    """
    record = refused(LimitKind[kind], value, window_s)

    assert receipt_text(record) == f"Declined: {text}."


def test_every_kind_has_a_sentence() -> None:
    """
    None is left out.
    """
    for kind in LimitKind:
        assert receipt_text(refused(kind, 1, 60)).startswith("Declined: ")
