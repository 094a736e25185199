"""
Behaviours 48 and 49 (holds), and 32 (captures and refunds) of domain 2.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from gateway.domain.cards import BlockReason
from tests.support.holding import (
    ToldHold,
    authorize,
    cancel,
    capture,
    increment,
    open_holds,
    told_hold,
)
from tests.support.look import CardRow, Look
from tests.support.rates import books_time, load_rates, set_books_time
from tests.support.server import Gateway
from tests.support.tills import MakeCard, Till, card_maker, open_tills
from tests.support.told import told

StartGateway = Callable[..., Gateway]


async def test_48_the_rate_of_the_hold(start_gateway: StartGateway) -> None:
    """
    48: Hold KWD 10.000 (32.52); the table moves to 3.3000; capture KWD 8.000: 26.02.

    6.50 are free at once; an increment after the move still has the hold's rate.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till, card = await tills("till-1"), card_maker(tills)
        plastic, other = await card(), await card()
        hold = await authorize(till, plastic, 10_000, "KWD")
        second = await authorize(till, other, 10_000, "KWD")
        moved_at = books_time(gateway) + timedelta(seconds=60)
        load_rates(gateway, {"KWD": "3.3"}, moved_at)
        set_books_time(gateway, moved_at + timedelta(seconds=1))
        taken = await capture(till, hold, 8_000, "KWD")
        more = await increment(till, second, 10_000, "KWD")
        fresh = await authorize(till, await card(), 10_000, "KWD")

    assert told_hold(hold) == ToldHold("OPEN", "10.000 KWD", "0.000 KWD", "32.52 USD")
    assert (told(taken).debit, told(taken).ledger) == ("26.02 USD", "73.98 USD")
    assert (told(taken).held, told(taken).available) == ("0.00 USD", "73.98 USD")
    assert taken.conversion.rate_table_version == hold.conversion.rate_table_version
    assert taken.conversion.transaction_rate_to_usd == "3.252"
    assert told_hold(more).held == "65.04 USD"
    assert told(fresh).debit == "33.00 USD"


async def test_48_captures_sum(till: Till, card: MakeCard) -> None:
    """
    48: Parts of a hold are rounded as a sum: together they debit what the whole does.
    """
    hold = await authorize(till, await card(), 10_000, "JPY")
    parts = [
        await capture(till, hold, yen, "JPY", keep_open=True)
        for yen in (3_333, 3_333, 3_334)
    ]

    assert told_hold(hold).held == "66.50 USD"
    assert [told(part).debit for part in parts] == [
        "22.16 USD",
        "22.17 USD",
        "22.17 USD",
    ]
    assert told_hold(parts[-1]).state == "CAPTURED"
    assert told(await till.refund(parts[0], 3_333, "JPY")).ledger == "55.66 USD"


async def test_48_a_part_is_never_free(till: Till, card: MakeCard) -> None:
    """
    48: What would debit nothing is no capture (13), and no hold either.
    """
    plastic = await card()
    nothing = await authorize(till, plastic, 100_00, "LBP")
    hold = await authorize(till, plastic, 1_000_000_00, "LBP")
    free = await capture(till, hold, 100_00, "LBP", keep_open=True)
    small = await increment(till, hold, 100_00, "LBP")
    other_currency = await capture(till, hold, 1_00)

    assert {told(one).code for one in (nothing, free, small)} == {"13"}
    assert told(other_currency).result == "CURRENCY_NOT_SUPPORTED"
    assert told_hold(hold).held == "11.16 USD"


async def test_48_hold_what_the_card_pays(till: Till, card: MakeCard) -> None:
    """
    48: In part, the hold is of what the card's money buys, as in a sale.
    """
    hold = await authorize(till, await card(10_00), 5_000, "KWD", partial=True)

    assert (told(hold).code, told(hold).approved) == ("10", "3.075 KWD")
    assert told_hold(hold).held == "10.00 USD"
    assert told(hold).due == "1.925 KWD"


async def test_49_no_rate_no_hold(start_gateway: StartGateway) -> None:
    """
    49: Without a rate 57, with a stale one 91; no hold is left but one from before.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till, card = await tills("till-1"), card_maker(tills)
        plastic = await card()
        earlier = await authorize(till, plastic, 1_000, "KWD")
        none = await authorize(till, plastic, 10_00, "GBP")
        gateway.sql(
            "INSERT INTO currency_rule (currency, max_age) VALUES ('KWD', '1 hour')"
        )
        stale = await authorize(till, plastic, 1_000, "KWD")
        left = open_holds(gateway, plastic)
        taken = await capture(till, earlier)

    assert told(none).result == "CURRENCY_NOT_SUPPORTED"
    assert (told(stale).result, told(stale).code) == ("FX_RATE_UNAVAILABLE", "91")
    assert left == (1, 3_25)
    assert told(taken).debit == "3.25 USD"


async def test_32_what_was_promised_is_kept(till: Till, card: MakeCard) -> None:
    """
    32: On a card that is lost since, the hold is captured, the capture refunded.

    New money is not held (41), what is held can be given up; the card stays blocked.
    """
    plastic = await card()
    hold, other = [await authorize(till, plastic, 30_00) for _ in range(2)]
    await till.block(plastic, BlockReason.LOST)
    more = await increment(till, hold, 1_00)
    new = await authorize(till, plastic, 1_00)
    taken = await capture(till, hold, 20_00)
    back = await till.refund(taken, 5_00)
    given_up = await cancel(till, other)

    assert (told(more).code, told(new).code) == ("41", "41")
    assert (told(taken).code, told(taken).card) == ("00", "BLOCKED")
    assert (told(back).code, told(back).ledger) == ("00", "85.00 USD")
    assert (told(given_up).code, told(given_up).held) == ("00", "0.00 USD")


async def test_32_after_the_last_day(
    till: Till, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    32: A hold outlives its card's last day; new money is not held (54).
    """
    plastic = await card()
    hold = await authorize(till, plastic, 30_00)
    gateway_process.change_card(plastic, expires_on="2020-01-01")
    more = await increment(till, hold, 1_00)
    taken = await capture(till, hold, 20_00)

    assert (told(more).code, told(taken).code) == ("54", "00")


async def test_a_single_use_card_is_used_up(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    The capture of all that a one-time card has makes it DEPLETED, its reversal ACTIVE.
    """
    plastic = await card(20_00, product="one-time")
    hold = await authorize(till, plastic, 20_00)
    taken = await capture(till, hold)
    before = look.card(plastic)
    await till.reverse(taken)

    assert before == CardRow("DEPLETED", balance=0, loads=1)
    assert look.card(plastic) == CardRow("ACTIVE", balance=20_00, loads=1)
