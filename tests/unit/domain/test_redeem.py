"""
Redeem decides as domain 1.2, 1.5 and the behaviours of domain 2 say.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.cards import BlockReason, CardState
from gateway.domain.commands import Amount
from gateway.domain.decide import decide
from gateway.domain.ids import ProductId
from gateway.domain.policy import PartyState
from gateway.domain.record import Account
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import amount, card, policy, product, redeem, view

DUBAI = ZoneInfo("Asia/Dubai")


def test_8_full_approval_moves_the_money_once() -> None:
    """
    Redeem 30.00 of 100.00: 00, available 70.00, liability to payable.
    """
    decision = decide(redeem(amount(30_00)), view(card()), None)

    record, after = decision.record, decision.card

    assert after is not None
    assert record.result is Result.APPROVED
    assert (record.approved_minor, record.card_minor) == (30_00, 30_00)
    assert (record.available_before_minor, record.available_after_minor) == (
        100_00,
        70_00,
    )
    assert (after.balance_minor, after.version, record.card_seq) == (70_00, 2, 2)
    assert [(p.account, p.currency, p.amount_minor) for p in decision.postings] == [
        (Account.CARD_LIABILITY, "USD", 30_00),
        (Account.MERCHANT_PAYABLE, "USD", -30_00),
    ]
    assert record.approval_code == "ABC234"
    assert record.balances_shown


@pytest.mark.parametrize(
    ("balance", "partial", "result", "approved"),
    [
        (100_00, True, Result.APPROVED_PARTIAL, 100_00),
        (100_00, False, Result.INSUFFICIENT_FUNDS, 0),
        (0, True, Result.INSUFFICIENT_FUNDS, 0),
    ],
)
def test_9_10_11_partial(
    balance: int,
    partial: bool,
    result: Result,
    approved: int,
) -> None:
    """
    Redeem 130.00: in part where allowed, 51 where not, never "10 with 0.00".
    """
    decision = decide(
        redeem(amount(130_00), allow_partial=partial), view(card(balance)), None
    )

    assert (decision.record.result, decision.record.approved_minor) == (
        result,
        approved,
    )
    assert (decision.card is None) == (approved == 0)
    assert bool(decision.postings) == bool(approved)


@pytest.mark.parametrize(
    ("code", "minor", "currency", "balance", "partial", "expected"),
    [
        ("KWD", 10_000, "USD", 100_00, False, (Result.APPROVED, 10_000, 32_52)),
        ("KWD", 5_000, "USD", 10_00, True, (Result.APPROVED_PARTIAL, 3_075, 10_00)),
        ("KWD", 5_143, "EUR", 50_00, False, (Result.APPROVED, 5_143, 15_41)),
        ("KWD", 20_000, "EUR", 50_00, True, (Result.APPROVED_PARTIAL, 16_682, 50_00)),
        ("JPY", 100, "USD", 100_00, False, (Result.APPROVED, 100, 67)),
        ("LBP", 100_00, "USD", 100_00, False, (Result.INVALID_AMOUNT, 0, 0)),
        (
            "LBP",
            100_000_000,
            "USD",
            100_00,
            False,
            (Result.APPROVED, 100_000_000, 11_16),
        ),
    ],
)
def test_41_to_46_other_currencies(
    code: str,
    minor: int,
    currency: str,
    balance: int,
    partial: bool,
    expected: tuple[Result, int, int],
) -> None:
    """
    Convert once, HALF_UP at the end; a part is floored and debited back.
    """
    chosen = world.EURO if currency == "EUR" else world.RELOADABLE
    seen = card(balance, currency=currency, product_id=chosen)

    decision = decide(
        redeem(amount(minor, code), allow_partial=partial), view(seen), None
    )

    record = decision.record
    assert (record.result, record.approved_minor, record.card_minor) == expected
    sums: dict[str, int] = {}
    for posting in decision.postings:
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount_minor
    assert all(total == 0 for total in sums.values())
    assert len(decision.postings) == (4 if record.approved_minor else 0)


def test_11_a_part_that_comes_to_nothing_is_no_part() -> None:
    """
    What the card has is less than one minor unit of the sale's currency: 51.
    """
    rules = policy(products=[product(_sealed(), "JPY")])
    seen = card(1, currency="JPY", product_id=_sealed())

    decision = decide(
        redeem(amount(5_00), allow_partial=True), view(seen, rules=rules), None
    )

    assert decision.record.result is Result.INSUFFICIENT_FUNDS
    assert (decision.card, decision.postings) == (None, ())
    assert decision.record.balances_shown


def test_rounding_is_kept_exact() -> None:
    """
    JPY 100 is USD 0.665: 0.67 is debited, 0.005 more than exact.
    """
    record = decide(redeem(amount(100, "JPY")), view(card()), None).record

    assert record.rounding == Decimal("0.005")
    assert record.rate_transaction == Decimal("0.00665")
    assert record.rate_card == Decimal(1)
    assert (record.rate_table_version, record.rate_effective_from) == (
        1,
        world.LONG_AGO,
    )


@pytest.mark.parametrize(
    ("minor", "code", "exponent"),
    [
        (0, "USD", 2),
        (-5_00, "USD", 2),
        (10_005, "USD", 3),
        (15, "JPY", 1),
        (10**15 + 1, "USD", 2),
    ],
)
def test_6_amounts_that_are_none(minor: int, code: str, exponent: int) -> None:
    """
    Zero, negative, of a wrong exponent or beyond 10^15: 13, and no balance is told.
    """
    decision = decide(redeem(amount(minor, code, exponent)), view(card()), None)

    assert decision.record.result is Result.INVALID_AMOUNT
    assert decision.card is None
    assert not decision.postings
    assert not decision.record.balances_shown


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (amount(50_00), Result.APPROVED),
        (amount(50_01), Result.LIMIT_EXCEEDED),
        (amount(15_376, "KWD"), Result.APPROVED),
        (amount(15_377, "KWD"), Result.LIMIT_EXCEEDED),
    ],
)
def test_the_limit_of_a_sale_holds_in_the_cards_currency(
    asked: Amount, result: Result
) -> None:
    """
    Up to the limit after conversion; also where a part would be within it.
    """
    rules = policy(products=[product(_sealed(), max_redeem_minor=50_00)])
    seen = card(product_id=_sealed())

    record = decide(
        redeem(asked, allow_partial=True), view(seen, rules=rules), None
    ).record

    assert record.result is result


def test_the_greatest_amount_is_one() -> None:
    """
    10^15 minor units are an amount: there is only not enough money.
    """
    record = decide(redeem(amount(10**15)), view(card()), None).record

    assert record.result is Result.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(
    ("state", "reason", "result"),
    [
        (CardState.CREATED, None, Result.CARD_NOT_ACTIVE),
        (CardState.PENDING, None, Result.CARD_NOT_ACTIVE),
        (CardState.BLOCKED, BlockReason.LOST, Result.LOST_CARD),
        (CardState.BLOCKED, BlockReason.STOLEN, Result.STOLEN_CARD),
        (CardState.BLOCKED, BlockReason.FRAUD, Result.RESTRICTED_CARD),
        (CardState.BLOCKED, BlockReason.CUSTOMER, Result.RESTRICTED_CARD),
        (CardState.DEACTIVATED, None, Result.CARD_CLOSED),
        (CardState.REPLACED, None, Result.CARD_CLOSED),
    ],
)
def test_states_that_refuse(
    state: CardState, reason: BlockReason | None, result: Result
) -> None:
    """
    A card that cannot be used says why, and not what it holds.
    """
    seen = card(state=state, block_reason=reason)

    record = decide(redeem(amount(1_00)), view(seen), None).record

    assert record.result is result
    assert not record.balances_shown


def test_order_of_checks() -> None:
    """
    A request with every fault at once gets them in order as each is mended.
    """
    spent = card(0, state=CardState.DEPLETED, product_id=world.ONE_TIME, currency="USD")
    got = []
    for rules, seen, asked in [
        (policy(at=world.place(terminal=PartyState.SUSPENDED)), None, amount(0)),
        (policy(at=world.place(merchant=PartyState.CLOSED)), None, amount(0)),
        (policy(at=world.place(store=PartyState.CLOSED)), None, amount(0)),
        (policy(), None, amount(0)),
        (policy(), None, amount(1, "GBP")),
        (policy(accepted=False), card(), amount(1, "GBP")),
        (
            policy(),
            card(product_id=_sealed(), state=CardState.PENDING),
            amount(1, "GBP"),
        ),
        (policy(), card(state=CardState.PENDING), amount(1, "GBP")),
        (policy(), card(expires_on=date(2020, 1, 1)), amount(1, "GBP")),
        (policy(), spent, amount(1, "GBP")),
        (policy(), spent, amount(1, "LBP")),
        (policy(), spent, amount(500_01)),
        (policy(), spent, amount(1)),
    ]:
        limited = product(world.ONE_TIME, reloadable=False, max_redeem_minor=500_00)
        sealed = product(_sealed(), permitted=frozenset({ActivityType.LOAD}))
        rules.products.update({one.product_id: one for one in (limited, sealed)})
        got.append(decide(redeem(asked), view(seen, rules=rules), None).record.result)

    assert got == [
        Result.INVALID_TERMINAL,
        Result.INVALID_MERCHANT,
        Result.INVALID_MERCHANT,
        Result.INVALID_AMOUNT,
        Result.INVALID_CARD,
        Result.INVALID_CARD,
        Result.NOT_PERMITTED,
        Result.CARD_NOT_ACTIVE,
        Result.EXPIRED_CARD,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.INVALID_AMOUNT,
        Result.LIMIT_EXCEEDED,
        Result.INSUFFICIENT_FUNDS,
    ]


def _sealed() -> ProductId:
    return ProductId(9)


def test_a_card_of_another_programme_is_not_revealed() -> None:
    """
    Outside the programme the record holds the number's hash and nothing of the card.
    """
    record = decide(
        redeem(amount(1_00)), view(card(), rules=policy(accepted=False)), None
    ).record

    assert record.result is Result.INVALID_CARD
    assert record.card_id is None
    assert record.card_number_index == world.NUMBER_INDEX
    assert record.available_after_minor is None


def test_35_expiry_is_at_the_end_of_the_day_in_the_programmes_zone() -> None:
    """
    On `expires_on` at 23:59 programme time: approved; the next minute: 54.
    """
    seen = card(expires_on=date(2026, 11, 21))
    last = datetime(2026, 11, 21, 23, 59, tzinfo=DUBAI)

    results = [
        decide(redeem(amount(1_00)), view(seen, now=at), None).record.result
        for at in (last, last + timedelta(minutes=1))
    ]

    assert results == [Result.APPROVED, Result.EXPIRED_CARD]


def test_49_no_rate_and_stale_rate() -> None:
    """
    A currency the store does not take or that has no rate: 57. A stale rate: 91.
    """
    stale = policy(max_rate_age={"KWD": timedelta(days=1)})
    got = [
        decide(redeem(asked), view(card(), rules=rules), None).record.result
        for asked, rules in [
            (amount(1_00, "GBP"), policy()),
            (amount(1_00, "TRY"), policy()),
            (Amount(1, "ZZZ", 2), policy()),
            (amount(1_000, "KWD"), stale),
            (amount(1_00), stale),
        ]
    ]

    assert got == [
        Result.CURRENCY_NOT_SUPPORTED,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.FX_RATE_UNAVAILABLE,
        Result.APPROVED,
    ]


def test_50_the_rate_in_force_at_the_hosts_time() -> None:
    """
    A rate effective from midnight: the old one just before, the new one at midnight.
    """
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    new = world.rate("KWD", "3.3000", version=2, effective_from=midnight)
    rules = policy(rates=[world.rate("KWD", "3.2520"), new])

    records = [
        decide(
            redeem(amount(10_000, "KWD")), view(card(), rules=rules, now=at), None
        ).record
        for at in (midnight - timedelta(milliseconds=100), midnight)
    ]

    assert [(r.card_minor, r.rate_table_version) for r in records] == [
        (32_52, 1),
        (33_00, 2),
    ]


def test_a_one_time_card_is_depleted_at_zero() -> None:
    """
    What is spent to the last cent cannot be used again; a reloadable card stays ACTIVE.
    """
    states = []
    for chosen in (world.ONE_TIME, world.RELOADABLE):
        after = decide(redeem(amount(100_00)), view(card(product_id=chosen)), None).card
        assert after is not None
        states.append(after.state)

    assert states == [CardState.DEPLETED, CardState.ACTIVE]


def test_held_money_is_not_available() -> None:
    """
    Of 100.00 with 60.00 held, 50.00 cannot be spent, and 40.00 can in part.
    """
    seen = card(held_minor=60_00)

    refused = decide(redeem(amount(50_00)), view(seen), None).record
    part = decide(redeem(amount(50_00), allow_partial=True), view(seen), None).record

    assert refused.result is Result.INSUFFICIENT_FUNDS
    assert (part.approved_minor, part.balance_after_minor) == (40_00, 60_00)
    assert part.available_after_minor == 0


def test_amounts_beyond_all_bounds_after_conversion() -> None:
    """
    KWD 10^15 minor units are more than 10^15 US cents: 13, not an overflow.
    """
    huge = redeem(amount(10**15, "KWD"))
    rules = policy(rates=[world.rate("KWD", "99999")])

    record = decide(huge, view(card(), rules=rules), None).record

    assert record.result is Result.INVALID_AMOUNT
