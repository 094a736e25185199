"""
Double entry: debits positive, each currency by itself, nothing for nothing (design 4).
"""

from typing import Any

import pytest

from gateway.domain.cards import CardState
from gateway.domain.entries import postings_of, reversing
from gateway.domain.errors import InvariantError
from gateway.domain.ids import TransactionId
from gateway.domain.record import Account, Posting, TransactionRecord
from tests.support import world
from tests.support.world import (
    activate,
    amount,
    balanced,
    card,
    cash_out,
    done,
    load,
    policy,
    product,
    redeem,
)


def record_of(minor: int, code: str) -> TransactionRecord:
    """
    Give an approved sale's record.
    """
    return done(redeem(amount(minor, code)), card())[0]


def lines(postings: tuple[Posting, ...]) -> list[tuple[int, Account, int, str, int]]:
    """
    Read postings as lines of a journal.
    """
    return [
        (p.line, p.account, p.owner_id, p.currency, p.amount_minor) for p in postings
    ]


def test_a_sale_in_the_cards_currency_is_two_lines() -> None:
    """
    DR card liability, CR merchant payable.
    """
    assert lines(postings_of(record_of(30_00, "USD"))) == [
        (1, Account.CARD_LIABILITY, world.PROGRAM, "USD", 30_00),
        (2, Account.MERCHANT_PAYABLE, world.MERCHANT, "USD", -30_00),
    ]


def test_a_sale_in_another_currency_passes_through_clearing() -> None:
    """
    DR liability USD / CR clearing USD; DR clearing JPY / CR payable JPY.
    """
    assert lines(postings_of(record_of(100, "JPY"))) == [
        (1, Account.CARD_LIABILITY, world.PROGRAM, "USD", 67),
        (2, Account.FX_CLEARING, world.PROGRAM, "USD", -67),
        (3, Account.FX_CLEARING, world.PROGRAM, "JPY", 100),
        (4, Account.MERCHANT_PAYABLE, world.MERCHANT, "JPY", -100),
    ]


def test_a_load_is_the_other_way_round() -> None:
    """
    DR merchant receivable, CR card liability.
    """
    record, _ = done(load(amount(40_00)), card())

    assert lines(postings_of(record)) == [
        (1, Account.CARD_LIABILITY, world.PROGRAM, "USD", -40_00),
        (2, Account.MERCHANT_RECEIVABLE, world.MERCHANT, "USD", 40_00),
    ]


def test_a_cash_out_is_owed_to_the_merchant() -> None:
    """
    DR card liability, CR merchant payable: the till paid the cash.
    """
    rules = policy(
        products=[product(world.RELOADABLE, cash_out_limit_minor=100_00)],
    )
    record, _ = done(cash_out(), card(8_00), rules=rules)

    assert lines(postings_of(record)) == [
        (1, Account.CARD_LIABILITY, world.PROGRAM, "USD", 8_00),
        (2, Account.MERCHANT_PAYABLE, world.MERCHANT, "USD", -8_00),
    ]


@pytest.mark.parametrize("code", ["USD", "KWD"])
def test_a_reversal_turns_every_line(code: str) -> None:
    """
    The same accounts and owners, the opposite amounts, under the reversal's id.
    """
    record = record_of(10_000, code)
    undoing = TransactionId(b"\x09" * 16)
    reversal = record._replace(transaction_id=undoing)

    before, after = postings_of(record), reversing(reversal, record)

    assert balanced(after)
    assert [p._replace(amount_minor=-p.amount_minor) for p in after] == [
        p._replace(transaction_id=undoing) for p in before
    ]


def test_nothing_posts_nothing() -> None:
    """
    An activation without money has no postings, and neither has its reversal.
    """
    pending = card(0, state=CardState.PENDING, load_count=0)
    record, _ = done(activate(), pending)

    assert postings_of(record) == ()
    assert reversing(record, record) == ()


@pytest.mark.parametrize(
    "missing",
    [
        {"transaction_id": None},
        {"card_id": None},
        {"program_id": None},
        {"transaction_currency": None},
        {"card_currency": None},
    ],
)
def test_money_without_a_place_is_a_fault_of_ours(missing: dict[str, Any]) -> None:
    """
    What cannot be posted is never left out in silence.
    """
    record = record_of(30_00, "USD")._replace(**missing)

    with pytest.raises(InvariantError):
        postings_of(record)


def test_a_reversal_that_is_not_recorded_posts_nothing() -> None:
    """
    Only what has an id can undo something.
    """
    record = record_of(30_00, "USD")

    with pytest.raises(InvariantError):
        reversing(record._replace(transaction_id=None), record)
