"""
Behaviours 41 to 46 and 49: sales in another currency than the card's, at table R1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from scrip.v1 import money_pb2
from tests.support.look import CardRow, Look
from tests.support.places import new_place
from tests.support.rates import books_time, load_rates, set_books_time
from tests.support.server import Gateway
from tests.support.tills import MakeCard, Till, card_maker, money, open_tills
from tests.support.told import Told, told

StartGateway = Callable[..., Gateway]

_PAID = Told(
    result="APPROVED",
    code="00",
    requested="10.000 KWD",
    approved="10.000 KWD",
    due="0.000 KWD",
    previous="100.00 USD",
    available="67.48 USD",
    ledger="67.48 USD",
    held="0.00 USD",
    card="ACTIVE",
    debit="32.52 USD",
)
_IN_FORCE = "SELECT max(version) FROM rate WHERE effective_from <= scrip_clock()"
_SINCE = (
    "SELECT max(effective_from) FROM rate "
    "WHERE currency = 'KWD' AND effective_from <= scrip_clock()"
)


async def test_41_a_sale_in_dinars(till: Till, card: MakeCard, look: Look) -> None:
    """
    41: Redeem KWD 10.000: approved, card debit 32.52, ledger 67.48, R1's version.
    """
    plastic = await card()
    answer = await till.redeem(plastic, 10_000, "KWD")

    ((version,),) = look.gateway.sql(_IN_FORCE)
    ((since,),) = look.gateway.sql(_SINCE)
    assert told(answer) == _PAID
    assert answer.conversion == money_pb2.Conversion(
        transaction_amount=money(10_000, "KWD"),
        card_amount=money(32_52),
        settlement_amount=money(10_000, "KWD"),
        transaction_rate_to_usd="3.252",
        card_rate_to_usd="1",
        applied_rate="3.252",
        rate_table_version=version,
        rate_effective_from=since.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        rounding="0",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=67_48, loads=1)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", 32_52),
        ("FX_CLEARING", "USD", -32_52),
        ("FX_CLEARING", "KWD", 10_000),
        ("MERCHANT_PAYABLE", "KWD", -10_000),
    ]


async def test_42_in_part(till: Till, card: MakeCard, look: Look) -> None:
    """
    42: Redeem KWD 5.000 of USD 10.00, partial: 10, KWD 3.075, debit 10.00, due 1.925.
    """
    plastic = await card(10_00)
    answer = await till.redeem(plastic, 5_000, "KWD", partial=True)

    assert told(answer) == Told(
        result="APPROVED_PARTIAL",
        code="10",
        requested="5.000 KWD",
        approved="3.075 KWD",
        due="1.925 KWD",
        previous="10.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        debit="10.00 USD",
    )
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", 10_00),
        ("FX_CLEARING", "USD", -10_00),
        ("FX_CLEARING", "KWD", 3_075),
        ("MERCHANT_PAYABLE", "KWD", -3_075),
    ]


async def test_43_rounded_once(till: Till, card: MakeCard, look: Look) -> None:
    """
    43: EUR card 50.00, Redeem KWD 5.143: debit EUR 15.41, not 15.42 by way of USD.
    """
    plastic = await card(50_00, product="eur")
    answer = await till.redeem(plastic, 5_143, "KWD")

    assert told(answer) == replace(
        _PAID,
        requested="5.143 KWD",
        approved="5.143 KWD",
        previous="50.00 EUR",
        available="34.59 EUR",
        ledger="34.59 EUR",
        held="0.00 EUR",
        debit="15.41 EUR",
    )
    assert (
        answer.conversion.transaction_rate_to_usd,
        answer.conversion.card_rate_to_usd,
    ) == ("3.252", "1.085")
    assert answer.conversion.rounding.startswith("-0.0047")
    assert look.card(plastic).balance == 34_59


async def test_44_in_part_from_euros(till: Till, card: MakeCard, look: Look) -> None:
    """
    44: EUR card 50.00, Redeem KWD 20.000, partial: KWD 16.682, debit 50.00, due 3.318.
    """
    plastic = await card(50_00, product="eur")
    answer = await till.redeem(plastic, 20_000, "KWD", partial=True)

    assert told(answer) == Told(
        result="APPROVED_PARTIAL",
        code="10",
        requested="20.000 KWD",
        approved="16.682 KWD",
        due="3.318 KWD",
        previous="50.00 EUR",
        available="0.00 EUR",
        ledger="0.00 EUR",
        held="0.00 EUR",
        card="ACTIVE",
        debit="50.00 EUR",
    )
    assert look.card(plastic).balance == 0


async def test_45_half_up(till: Till, card: MakeCard, look: Look) -> None:
    """
    45: Redeem JPY 100: debit 0.67 (HALF_EVEN would give 0.66).
    """
    plastic = await card()
    answer = await till.redeem(plastic, 100, "JPY")

    assert told(answer) == replace(
        _PAID,
        requested="100 JPY",
        approved="100 JPY",
        due="0 JPY",
        available="99.33 USD",
        ledger="99.33 USD",
        debit="0.67 USD",
    )
    assert answer.conversion.rounding == "0.005"
    assert look.card(plastic).balance == 99_33


async def test_46_never_a_free_sale(till: Till, card: MakeCard, look: Look) -> None:
    """
    46: Redeem LBP 100.00 converts to 0.00: 13; LBP 1,000,000.00: 11.16.

    A Load and a first amount that convert to less than one minor unit are declined as
    well, and never raised to one: JPY 1 is 0.67 of a cent.
    """
    plastic, pending = await card(), await card(None)
    raised = await till.load(plastic, 1, "JPY")
    nothing = await till.redeem(plastic, 100_00, "LBP", partial=True)
    loaded = await till.load(plastic, 100_00, "LBP")
    activated = await till.activate(pending, 100_00, "LBP")
    before = look.card(plastic)
    something = await till.redeem(plastic, 1_000_000_00, "LBP")

    declined = Told(
        result="INVALID_AMOUNT",
        code="13",
        requested="100.00 LBP",
        approved="0.00 LBP",
        due="100.00 LBP",
        previous="100.00 USD",
        available="100.00 USD",
        ledger="100.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert told(nothing) == declined
    assert told(loaded) == replace(declined, due="0.00 LBP")
    assert told(activated).result == told(raised).result == "INVALID_AMOUNT"
    assert before == CardRow("ACTIVE", balance=100_00, loads=1)
    assert told(something) == replace(
        _PAID,
        requested="1000000.00 LBP",
        approved="1000000.00 LBP",
        due="0.00 LBP",
        available="88.84 USD",
        ledger="88.84 USD",
        debit="11.16 USD",
    )
    assert look.card(pending).state == "PENDING"


async def test_loads_convert_by_the_same_rule(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Activate and Load in another currency credit what it converts to.
    """
    plastic = await card(None)
    activated = await till.activate(plastic, 10_000, "KWD")
    loaded = await till.load(plastic, 100, "JPY")

    assert told(activated) == replace(
        _PAID, previous="0.00 USD", available="32.52 USD", ledger="32.52 USD"
    )
    assert told(loaded).available == "33.19 USD"
    assert look.postings(loaded) == [
        ("CARD_LIABILITY", "USD", -67),
        ("FX_CLEARING", "USD", 67),
        ("FX_CLEARING", "JPY", -100),
        ("MERCHANT_RECEIVABLE", "JPY", 100),
    ]


async def test_a_reversal_never_converts_anew(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    What is undone is undone at its own amounts, with its own record of conversion.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 10_000, "KWD")
    undone = await till.reverse(sale)

    assert told(undone) == replace(
        _PAID, previous="67.48 USD", available="100.00 USD", ledger="100.00 USD"
    )
    assert undone.conversion == sale.conversion
    assert look.card(plastic).balance == 100_00


_NO_RATE = Told(
    result="CURRENCY_NOT_SUPPORTED",
    code="57",
    requested="1.00 GBP",
    approved="0.00 GBP",
    due="1.00 GBP",
    previous="100.00 USD",
    available="100.00 USD",
    ledger="100.00 USD",
    held="0.00 USD",
    card="ACTIVE",
    state="DECLINED",
)
_STALE = Told(
    result="FX_RATE_UNAVAILABLE",
    code="91",
    requested="1.00 CHF",
    approved="0.00 CHF",
    due="1.00 CHF",
    previous="100.00 USD",
    available="100.00 USD",
    ledger="100.00 USD",
    held="0.00 USD",
    card="ACTIVE",
    state="DECLINED",
)


@pytest.mark.parametrize("currency", ["GBP", "TRY", "ZZZ", "usd"])
async def test_49_no_rate(
    till: Till, card: MakeCard, look: Look, currency: str
) -> None:
    """
    49: Redeem in a currency with no rate: 57 CURRENCY_NOT_SUPPORTED, no hold left.

    So is one that the store does not take, and one that there is not.
    """
    plastic = await card()
    answer = await till.redeem(plastic, 1_00, currency)

    assert told(answer) == replace(
        _NO_RATE,
        requested=f"1.00 {currency}",
        approved=f"0.00 {currency}",
        due=f"1.00 {currency}",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.rows(plastic)[1:] == [("REDEEM", "CURRENCY_NOT_SUPPORTED")]
    assert look.postings(answer) == []


async def test_49_stale_and_withdrawn_rates(start_gateway: StartGateway) -> None:
    """
    49: ...with a stale rate: 91 FX_RATE_UNAVAILABLE; with a withdrawn one: 57.

    A rate that was fresh goes stale by itself; a currency without a rule never does.
    """
    gateway = start_gateway()
    look = Look(gateway)
    gateway.sql("INSERT INTO currency_rule (currency, max_age) VALUES ('CHF', '2 d')")
    async with open_tills(gateway) as tills:
        plastic = await card_maker(tills)()
        till = new_place(tills, currencies=["CHF", "SEK"]).till
        _in_force(gateway, {"CHF": "1.10", "SEK": "0.10"}, age=timedelta(days=3))
        stale = await till.redeem(plastic, 1_00, "CHF")
        sold = await till.redeem(plastic, 10_00, "SEK")
        _in_force(gateway, {"CHF": "1.10", "SEK": None})
        fresh = await till.redeem(plastic, 1_00, "CHF")
        withdrawn = await till.redeem(plastic, 1_00, "SEK")
        set_books_time(gateway, books_time(gateway) + timedelta(days=2))
        aged = await till.redeem(plastic, 1_00, "CHF")
        ageless = await (await tills("till-1")).redeem(plastic, 1_000, "KWD")

    assert told(stale) == _STALE
    assert told(sold).debit == "1.00 USD"
    assert told(fresh).debit == "1.10 USD"
    assert told(withdrawn).result == "CURRENCY_NOT_SUPPORTED"
    assert told(aged).result == "FX_RATE_UNAVAILABLE"
    assert told(ageless).debit == "3.25 USD"
    assert look.card(plastic) == CardRow("ACTIVE", balance=94_65, loads=1)
    assert look.postings(stale) == look.postings(withdrawn) == []


async def test_a_withdrawn_rate_lifts_no_limit(start_gateway: StartGateway) -> None:
    """
    A card in EUR takes the default of a day as it last was; explained, it is the same.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till, make = await tills("till-1"), card_maker(tills)
        plastic = await make(0, product="everyday-eur", currency="EUR")
        _in_force(gateway, {"EUR": None})
        over = await till.load(plastic, 1_843_32, "EUR")
        fits = await till.load(plastic, 1_843_31, "EUR")
        more = await till.load(plastic, 1, "EUR")
        _in_force(gateway, {"EUR": "2"})
        again = await till.load(plastic, 1, "EUR")

    results = [told(one).result for one in (over, fits, more, again)]
    assert results == ["LIMIT_EXCEEDED", "APPROVED"] + ["LIMIT_EXCEEDED"] * 2


def _in_force(
    gateway: Gateway, rates: dict[str, str | None], age: timedelta = timedelta(0)
) -> None:
    """
    Load rates for a moment ahead, and let that moment come.
    """
    moment = books_time(gateway) + timedelta(seconds=10)
    load_rates(gateway, rates, moment, age=age)
    set_books_time(gateway, moment)
