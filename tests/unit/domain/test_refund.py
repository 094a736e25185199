"""
Refund decides as domain 1.2 to 1.7 and behaviour 47 say.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount, CardRef
from gateway.domain.decide import decide
from gateway.domain.ids import MerchantId
from gateway.domain.originals import NO_REFUNDS, Refunds
from gateway.domain.policy import PartyState
from gateway.domain.record import Account, TransactionRecord
from gateway.domain.results import ActivityType, LoadType, Result
from tests.support import world
from tests.support.world import (
    activate,
    amount,
    balanced,
    card,
    done,
    follow,
    load,
    policy,
    redeem,
    refund,
    undo,
    view,
    void,
)


def sold(minor: int = 30_00, code: str = "USD") -> tuple[TransactionRecord, Card]:
    """
    Sell from the world's card.
    """
    return done(redeem(amount(minor, code)), card())


def test_the_share_of_the_sale_is_credited() -> None:
    """
    A refund in part: the card has it, the merchant owes it less, the sale is named.
    """
    sale, after = sold()

    decision = follow(refund(amount(12_34)), sale, after)
    record, back = decision.record, decision.card

    assert back is not None
    assert record.activity is ActivityType.REFUND
    assert record.result is Result.APPROVED
    assert (record.requested_minor, record.approved_minor) == (12_34, 12_34)
    assert (record.card_minor, back.balance_minor) == (12_34, 82_34)
    assert record.original_transaction_id == sale.transaction_id
    assert record.effective is None
    assert record.rounding is None
    assert record.card_seq == back.version == after.version + 1
    assert back.load_count == after.load_count
    assert [(p.account, p.amount_minor) for p in decision.postings] == [
        (Account.CARD_LIABILITY, -12_34),
        (Account.MERCHANT_PAYABLE, 12_34),
    ]


def test_47_refunds_come_to_the_sale_at_its_own_rate() -> None:
    """
    47: 66.50 comes back as 22.16, 22.17, 22.17 under a new table, and not a yen more.
    """
    sale, seen = sold(10_000, "JPY")
    rules = policy(rates=[world.rate("JPY", "0.00999", version=2)])
    refunds, credited = NO_REFUNDS, []
    for part in (3_333, 3_333, 3_334):
        decision = follow(
            refund(amount(part, "JPY")), sale, seen, rules=rules, refunds=refunds
        )
        record = decision.record
        assert decision.card is not None
        assert balanced(decision.postings)
        assert len(decision.postings) == 4
        assert record.rate_transaction == sale.rate_transaction
        assert record.rate_table_version == sale.rate_table_version
        seen = decision.card
        credited.append((record.card_minor, record.rounding))
        refunds = Refunds(
            refunds.approved_minor + part, refunds.card_minor + record.card_minor
        )
    beyond = follow(
        refund(amount(1, "JPY")), sale, seen, rules=rules, refunds=refunds
    ).record

    assert credited == [
        (22_16, Decimal("-0.00445")),
        (22_17, Decimal("0.00110")),
        (22_17, Decimal(0)),
    ]
    assert seen.balance_minor == 100_00
    assert beyond.result is Result.INVALID_AMOUNT


def test_more_than_is_left_is_declined() -> None:
    """
    What was refunded before counts; a decline tells the balance and changes nothing.
    """
    sale, after = sold()
    before = Refunds(20_00, 20_00)

    whole = follow(refund(amount(10_00)), sale, after, refunds=before)
    beyond = follow(refund(amount(10_01)), sale, after, refunds=before)

    assert whole.record.result is Result.APPROVED
    assert beyond.record.result is Result.INVALID_AMOUNT
    assert (beyond.record.approved_minor, beyond.card, beyond.postings) == (0, None, ())
    assert beyond.record.balances_shown


def test_a_refund_of_a_partial_approval_is_of_what_was_approved() -> None:
    """
    Of KWD 5.000 asked and 3.075 approved, 3.075 can be given back, and is 10.00.
    """
    poor = card(10_00)
    sale, after = done(redeem(amount(5_000, "KWD"), allow_partial=True), poor)

    back = follow(refund(amount(3_075, "KWD")), sale, after)
    beyond = follow(refund(amount(3_076, "KWD")), sale, after)

    assert back.record.card_minor == 10_00
    assert beyond.record.result is Result.INVALID_AMOUNT


def test_what_rounds_to_nothing_is_declined() -> None:
    """
    Check 13: a share of less than half a minor unit credited nothing, so it is none.
    """
    sale, after = sold(1_000_000_00, "LBP")

    nothing = follow(refund(amount(100_00, "LBP")), sale, after)

    assert nothing.record.result is Result.INVALID_AMOUNT


def test_a_credit_beyond_all_bounds_is_declined() -> None:
    """
    Check 13: no balance above 10^15.
    """
    sale, after = sold()
    rich = replace(after, balance_minor=MAX_MINOR_UNITS)

    assert (
        follow(refund(amount(1_00)), sale, rich).record.result is Result.INVALID_AMOUNT
    )


@pytest.mark.parametrize(
    ("state", "block", "result", "ends"),
    [
        (CardState.ACTIVE, None, Result.APPROVED, CardState.ACTIVE),
        (CardState.DEPLETED, None, Result.APPROVED, CardState.ACTIVE),
        (CardState.BLOCKED, BlockReason.LOST, Result.APPROVED, CardState.BLOCKED),
        (CardState.DEACTIVATED, None, Result.CARD_CLOSED, None),
        (CardState.REPLACED, None, Result.CARD_CLOSED, None),
        (CardState.PENDING, None, Result.CARD_NOT_ACTIVE, None),
    ],
)
def test_the_state_of_the_card(
    state: CardState,
    block: BlockReason | None,
    result: Result,
    ends: CardState | None,
) -> None:
    """
    Check 8: a blocked card takes it and stays blocked, an emptied one lives again.
    """
    sale, after = sold(100_00)
    seen = replace(after, state=state, block_reason=block)

    decision = follow(refund(amount(5_00)), sale, seen)

    assert decision.record.result is result
    assert (decision.card.state if decision.card else None) is ends
    assert decision.record.card_state is (ends or state)
    assert decision.record.balances_shown is (result is Result.APPROVED)


def test_checks_that_do_not_apply() -> None:
    """
    Checks 7, 9, 12 and 14: product, last day, rates, limits have no say in a refund.
    """
    sale, after = sold(10_000, "KWD")
    strict = world.product(
        world.RELOADABLE, permitted=frozenset(), max_load_minor=1, max_balance_minor=1
    )
    gone = replace(after, expires_on=(world.NOW - timedelta(days=9)).date())
    here = world.place(currencies=["USD"])
    rules = policy(at=here, products=[strict], rates=[])

    back = follow(refund(amount(10_000, "KWD")), sale, gone, rules=rules)

    assert back.record.result is Result.APPROVED
    assert back.record.card_minor == 32_52


@pytest.mark.parametrize("code", ["EUR", "ZZZ"])
def test_another_currency_than_the_sales(code: str) -> None:
    """
    Check 12: 57, also for a currency that is none.
    """
    sale, after = sold()

    record = follow(refund(Amount(1_00, code, 2)), sale, after).record

    assert record.result is Result.CURRENCY_NOT_SUPPORTED
    assert record.original_transaction_id == sale.transaction_id


@pytest.mark.parametrize("by", [ActivityType.REVERSAL, ActivityType.VOID])
def test_a_sale_that_was_undone(by: ActivityType) -> None:
    """
    Check 15: what was reversed or voided has nothing left: 21.
    """
    sale, after = sold()

    record = follow(refund(amount(1_00)), sale, after, undone_by=by).record

    assert record.result is Result.ALREADY_REVERSED
    assert record.balances_shown


def test_only_an_approved_sale_is_refunded() -> None:
    """
    Check 15: a load, an activation, a refund, what undid something: 21.
    """
    sale, after = sold()
    back = follow(refund(amount(5_00)), sale, after)
    assert back.card is not None
    pending = card(0, state=CardState.PENDING, load_count=0)
    originals = [
        done(load(amount(5_00)), card()),
        done(activate(), pending),
        (back.record, back.card),
        (undo(sale, after).record, after),
        (follow(void(), sale, after).record, after),
    ]

    for record, seen in originals:
        refused = follow(refund(amount(5_00)), record, seen).record
        assert refused.result is Result.CANNOT_BE_REVERSED
        assert refused.balances_shown


def test_a_decline_is_not_refunded_and_tells_no_balance() -> None:
    """
    Check 15: nothing was paid; what the decline hid stays hidden.
    """
    blocked = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)
    known = decide(redeem(amount(1_00)), view(blocked), None).record
    unknown = decide(redeem(amount(1_00)), view(None), None).record

    told = follow(refund(amount(1_00)), known, blocked).record
    blind = follow(refund(amount(1_00)), unknown, None).record

    assert (told.result, told.balances_shown) == (Result.CANNOT_BE_REVERSED, False)
    assert (blind.result, blind.card_id) == (Result.CANNOT_BE_REVERSED, None)


def test_nothing_to_refund() -> None:
    """
    Check 15: without an original 25, and nothing is told of any card.
    """
    record = decide(refund(amount(1_00), with_card=True), view(None), None).record

    assert record.result is Result.ORIGINAL_NOT_FOUND
    assert record.original_transaction_id is None
    assert record.card_number_index == world.NUMBER_INDEX


def test_another_card_or_merchant_learns_nothing() -> None:
    """
    The card sent is not the sale's, or the sale another merchant's: 25.
    """
    sale, after = sold()
    stranger = replace(refund(amount(1_00)), card=CardRef(b"\x09" * 32, "9999"))
    foreign = sale._replace(merchant_id=MerchantId(9))

    for record in (
        follow(stranger, sale, after).record,
        follow(refund(amount(1_00)), foreign, after).record,
    ):
        assert record.result is Result.ORIGINAL_NOT_FOUND
        assert record.original_transaction_id is None
        assert record.card_id is None


def test_the_programme_left() -> None:
    """
    Check 6: where the card's programme is no longer accepted: 14.
    """
    sale, after = sold()

    refused = follow(refund(amount(1_00)), sale, after, rules=policy(accepted=False))

    assert refused.record.result is Result.INVALID_CARD
    assert refused.record.card_id is None


def test_checks_before_the_original() -> None:
    """
    Checks 4 and 5 come first, whatever there is to refund.
    """
    closed = policy(at=world.place(terminal=PartyState.SUSPENDED))
    sale, after = sold()

    shut = follow(refund(amount(0)), sale, after, rules=closed).record
    zero = decide(refund(amount(0)), view(None), None).record

    assert shut.result is Result.INVALID_TERMINAL
    assert zero.result is Result.INVALID_AMOUNT
    assert LoadType.SALE not in {shut.reason, zero.reason}


def test_the_order_of_checks() -> None:
    """
    8 before 12 before 13 before 15: a refund with many faults gets the earliest.
    """
    sale, after = sold(1_000_000_00, "LBP")
    closed = replace(after, state=CardState.DEACTIVATED)
    undone = ActivityType.VOID
    nothing, dollars = amount(1_00, "LBP"), amount(999_00)
    beyond = amount(1_000_000_01, "LBP")

    results = [
        follow(refund(dollars), sale, closed, undone_by=undone).record.result,
        follow(refund(dollars), sale, after, undone_by=undone).record.result,
        follow(refund(nothing), sale, after, undone_by=undone).record.result,
        follow(refund(beyond), sale, after, undone_by=undone).record.result,
        follow(refund(beyond), sale, after).record.result,
    ]

    assert results == [
        Result.CARD_CLOSED,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.INVALID_AMOUNT,
        Result.ALREADY_REVERSED,
        Result.INVALID_AMOUNT,
    ]


def test_a_faulty_currency_comes_before_the_kind_of_original() -> None:
    """
    Check 12 before 15: another currency than a load's is 57, the load's own 21.
    """
    loaded, after = done(load(amount(5_00)), card())

    other = follow(refund(amount(1_00, "EUR")), loaded, after).record

    assert other.result is Result.CURRENCY_NOT_SUPPORTED
