"""
Check 14: how much and how often, on card, issue batch, product and terminal.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from tests.support.limiting import limit_terminal, new_limits
from tests.support.look import Look
from tests.support.places import new_place
from tests.support.rates import set_books_time
from tests.support.server import Gateway
from tests.support.stores import flush
from tests.support.tills import MakeCard, Till, Tills, new_id
from tests.support.told import Told, told

_BEIRUT: Final = ZoneInfo("Asia/Beirut")


async def test_a_card_takes_two_thousand_dollars_a_day(
    till: Till, card: MakeCard
) -> None:
    """
    USD 2,000.00 where nothing else is said, Activate included: 61, balances are told.
    """
    plastic = await card(1_500_00, product="everyday-usd")
    over = await till.load(plastic, 500_01)
    fits = await till.load(plastic, 500_00)
    more = await till.load(plastic, 1)

    assert told(over).code == "61"
    assert told(over).result == "LIMIT_EXCEEDED"
    assert told(over).available == "1500.00 USD"
    assert over.receipt_text == (
        "Declined: the card can be loaded with at most 2000.00 USD a day. "
        "Balance: 1500.00 USD."
    )
    assert told(fits).available == "2000.00 USD"
    assert told(more).code == "61"


async def test_the_default_is_converted_and_rounded_down(
    till: Till, card: MakeCard
) -> None:
    """
    A card in EUR takes EUR 1,843.31 a day at 1.0850, in whatever currency it is loaded.
    """
    plastic = await card(0, product="everyday-eur", currency="EUR")
    over = await till.load(plastic, 1_843_32, "EUR")
    kwd = await till.load(plastic, 100_000, "KWD")
    rest = await till.load(plastic, 1_843_31 - 299_72, "EUR")
    more = await till.load(plastic, 1, "EUR")

    assert over.receipt_text.startswith(
        "Declined: the card can be loaded with at most 1843.31 EUR a day."
    )
    assert told(kwd).debit == "299.72 EUR"
    assert [told(one).code for one in (over, kwd, rest, more)] == [
        *("61", "00", "00", "61")
    ]


@pytest.mark.parametrize("level", ["product", "batch", "card"])
async def test_each_level_limits(
    till: Till, card: MakeCard, look: Look, level: str
) -> None:
    """
    A set holds on the product, the issue batch and the card; a change is in force next.
    """
    plastic = await card(100_00, product="everyday-usd")
    limits = new_limits(look.gateway, spend_day_minor=50_00)
    if level == "card":
        limits.put_on(plastic)
    elif level == "batch":
        limits.put_on_batch_of(plastic)
    else:
        limits.put_on_product("everyday-usd")
    try:
        codes = [(await till.redeem(plastic, 30_00)).response_code for _ in range(2)]
        limits.change(spend_day_minor=60_00)
        codes.append((await till.redeem(plastic, 30_00)).response_code)
        codes.append((await till.redeem(plastic, 1)).response_code)
    finally:
        look.gateway.sql(
            "UPDATE card_product SET limit_set_id = NULL WHERE code = 'everyday-usd'"
        )

    assert codes == ["00", "61", "00", "61"]


@pytest.mark.parametrize(
    ("limits", "operations", "code", "text"),
    [
        (
            {"load_amount_minor": 20_00},
            ["load 2000", "load 2001"],
            "61",
            "at most 20.00 USD can be loaded at a time.",
        ),
        (
            {"load_day_count": 2},
            ["load 100", "load 100"],
            "65",
            "the card can be loaded only twice a day.",
        ),
        (
            {"load_window_count": 1, "load_window_s": 3_600},
            ["redeem 100", "load 100"],
            "65",
            "the card can be loaded only once in one hour.",
        ),
        (
            {"spend_amount_minor": 20_00},
            ["redeem 2000", "redeem 2001"],
            "61",
            "at most 20.00 USD can be paid at a time.",
        ),
        (
            {"spend_day_minor": 30_00},
            ["redeem 2000", "redeem 1001"],
            "61",
            "the card can pay at most 30.00 USD a day.",
        ),
        (
            {"spend_day_count": 1},
            ["redeem 100", "redeem 100"],
            "65",
            "the card can pay only once a day.",
        ),
        (
            {"spend_window_count": 3, "spend_window_s": 600},
            ["redeem 100", "load 100", "redeem 100", "redeem 100", "redeem 100"],
            "65",
            "the card can pay only 3 times in 10 minutes.",
        ),
    ],
)
async def test_each_limit_has_its_sentence(
    till: Till,
    card: MakeCard,
    look: Look,
    limits: dict[str, int],
    operations: list[str],
    code: str,
    text: str,
) -> None:
    """
    The last is refused, all before are approved; a replay says the same.
    """
    plastic = await card(100_00)
    new_limits(look.gateway, currency="USD", **limits).put_on(plastic)
    answers = []
    last = new_id()
    for at, operation in enumerate(operations, start=1):
        name, minor = operation.split()
        ask = till.load if name == "load" else till.redeem
        request_id = last if at == len(operations) else new_id()
        answers.append(await ask(plastic, int(minor), request_id=request_id))
    *before, refused = answers
    name, minor = operations[-1].split()
    ask = till.load if name == "load" else till.redeem
    again = await ask(plastic, int(minor), request_id=last)

    assert {answer.response_code for answer in before} == {"00"}
    assert refused.response_code == code
    assert refused.receipt_text.startswith(f"Declined: {text} Balance: ")
    assert again.replayed
    assert again.receipt_text == refused.receipt_text


async def test_what_is_undone_today_is_given_back(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Reverse and Void give amount, number of times and velocity back; Refund does not.
    """
    plastic = await card(100_00)
    new_limits(
        look.gateway,
        spend_day_minor=50_00,
        spend_day_count=1,
        spend_window_count=1,
        spend_window_s=86_400,
        load_day_count=2,
    ).put_on(plastic)
    codes = []
    for undo in (till.reverse, till.void, till.refund):
        sale = await till.redeem(plastic, 50_00)
        codes.append(sale.response_code)
        words = (50_00,) if undo == till.refund else ()
        undone = await undo(sale, *words)
        codes.append(undone.response_code)
    refused = await till.redeem(plastic, 1)
    loaded = await till.load(plastic, 1_00)
    await till.reverse(loaded)
    again = await till.load(plastic, 1_00)

    assert codes == ["00"] * 6
    assert refused.response_code == "61"
    assert again.response_code == "00"


async def test_a_cash_out_counts_as_spending(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Its amount is all that is available: 61 where that is too much.
    """
    plastic = await card(8_00, product="cash")
    limits = new_limits(look.gateway, spend_amount_minor=7_99)
    limits.put_on(plastic)
    over = await till.cash_out(plastic)
    limits.change(spend_day_minor=8_00)
    paid = await till.cash_out(plastic)
    await till.load(plastic, 5_00)
    more = await till.redeem(plastic, 1)

    assert [told(one).code for one in (over, paid, more)] == ["61", "00", "61"]


async def test_check_14_comes_before_funds_and_after_the_conversion(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Limits count what is asked, in the card's currency: 13 before, 51 and 10 after.
    """
    plastic = await card(10_00)
    new_limits(look.gateway, spend_amount_minor=32_51).put_on(plastic)
    over = await till.redeem(plastic, 10_000, "KWD", partial=True)
    part = await till.redeem(plastic, 9_990, "KWD", partial=True)
    nothing = await till.redeem(plastic, 100_00, "LBP")

    assert [told(one).code for one in (over, part, nothing)] == ["61", "10", "13"]


async def test_a_terminal_obeys_its_own_limits(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    Amounts in its currency and numbers of times, by the business day of its store.

    What another currency is worth counts; a void gives back; others are not limited.
    """
    own = new_place(tills, currencies=("USD", "KWD"))
    name = f"{own.device.merchant}/s/{own.device.terminal}"
    sibling = own.enrol("second", "own-second")
    plastic = await card(500_00)
    limit_terminal(look.gateway, name, "KWD", spend_day_minor=20_000)
    sold = await own.till.redeem(plastic, 10_000, "KWD")
    over = await own.till.redeem(plastic, 32_53)
    fits = await own.till.redeem(plastic, 32_52)
    void = await own.till.void(sold)
    again = await own.till.redeem(plastic, 10_000, "KWD")
    elsewhere = await sibling.redeem(plastic, 10_000, "KWD")
    limit_terminal(look.gateway, name, "KWD", spend_day_count=2, load_day_minor=1)
    counted = await own.till.redeem(plastic, 1)
    loaded = await own.till.load(plastic, 1_00)
    codes = [told(one).code for one in (sold, over, fits, void, again, elsewhere)]

    assert codes == ["00", "61", "00", "00", "00", "00"]
    assert over.receipt_text.startswith(
        "Declined: this is more than this terminal may still take today. Balance:"
    )
    assert counted.receipt_text.startswith(
        "Declined: this terminal may take cards only twice a day. Balance:"
    )
    assert told(counted) == Told(
        result="COUNT_EXCEEDED",
        code="65",
        requested="0.01 USD",
        approved="0.00 USD",
        due="0.01 USD",
        previous="402.44 USD",
        available="402.44 USD",
        ledger="402.44 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert loaded.receipt_text.startswith(
        "Declined: this is more than this terminal may still load today. Balance:"
    )


async def test_a_day_ends_in_the_programmes_zone_and_a_window_passes(
    pair: Tills, pair_card: MakeCard, two_workers: Gateway
) -> None:
    """
    At midnight in Beirut the day begins anew; three in ten minutes are free after ten.
    """
    till = await pair("till-1")
    today = datetime.now(_BEIRUT).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = today + timedelta(days=3)
    set_books_time(two_workers, midnight - timedelta(minutes=1))
    plastic, quick = [await pair_card(100_00) for _ in range(2)]
    new_limits(two_workers, spend_day_count=1).put_on(plastic)
    new_limits(two_workers, spend_window_count=1, spend_window_s=600).put_on(quick)
    codes = []
    for minutes in (0, 0, 2, 0, 11):
        set_books_time(two_workers, midnight + timedelta(minutes=minutes - 1))
        codes.append(
            (
                (await till.redeem(plastic, 1)).response_code,
                (await till.redeem(quick, 1)).response_code,
            )
        )

    assert codes == [
        *(("00", "00"), ("65", "65"), ("00", "65"), ("65", "65"), ("65", "00"))
    ]


@pytest.mark.parametrize("wiped", [False, True])
async def test_fifty_parallel_loads_against_a_days_limit(
    pair: Tills, pair_card: MakeCard, two_workers: Gateway, *, wiped: bool
) -> None:
    """
    On two workers, and with Redis wiped meanwhile: as many are approved as fit.
    """
    ways = [await pair("till-1", worker=1), await pair("till-2", worker=2)]
    plastic = await pair_card(0)
    limits = new_limits(two_workers, load_day_minor=125_00)
    limits.put_on(plastic)
    pending = [
        asyncio.ensure_future(ways[at % 2].load(plastic, 10_00)) for at in range(50)
    ]
    if wiped:
        flush(two_workers.redis_url)
    codes = [answer.response_code for answer in await asyncio.gather(*pending)]

    assert (codes.count("00"), codes.count("61")) == (12, 38)
    assert two_workers.balance_of(plastic) == 120_00


async def test_velocity_and_terminals_hold_on_two_workers(
    pair: Tills, pair_card: MakeCard, two_workers: Gateway
) -> None:
    """
    40 parallel sales: seven a day-long window; then 40 on one terminal: nine a day.
    """
    ways = [await pair("till-3", worker=1), await pair("till-3", worker=2)]
    plastic, *others = [await pair_card(100_00) for _ in range(5)]
    new_limits(two_workers, spend_window_count=7, spend_window_s=86_400).put_on(plastic)
    quick = await asyncio.gather(*(ways[at % 2].redeem(plastic, 1) for at in range(40)))
    limit_terminal(two_workers, "m-1/s-1/t-3", spend_day_count=9)
    try:
        busy = await asyncio.gather(
            *(ways[at % 2].redeem(others[at % 4], 1) for at in range(40))
        )
    finally:
        limit_terminal(two_workers, "m-1/s-1/t-3")

    assert [one.response_code for one in quick].count("00") == 7
    assert [one.response_code for one in busy].count("00") == 9
    assert {one.response_code for one in busy} == {"00", "65"}


async def test_a_change_is_in_force_with_the_next_batch_of_every_worker(
    pair: Tills, pair_card: MakeCard, two_workers: Gateway
) -> None:
    """
    Each worker obeys the version that was committed before it was asked.
    """
    ways = [await pair("till-1", worker=1), await pair("till-2", worker=2)]
    plastic = await pair_card(100_00)
    limits = new_limits(two_workers, spend_amount_minor=1)
    limits.put_on(plastic)
    for value in (500, 200, 900):
        limits.change(spend_amount_minor=value)
        for way in ways:
            fits = await way.redeem(plastic, value)
            over = await way.redeem(plastic, value + 1)
            assert (fits.response_code, over.response_code) == ("00", "61")
