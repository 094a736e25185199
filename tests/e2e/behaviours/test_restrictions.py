"""
Behaviour 34 and check 11: where and when a card may be used, over the wire.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from tests.support.look import Look
from tests.support.places import new_place
from tests.support.restricting import lift, new_product, new_set
from tests.support.server import Gateway
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    new_id,
)
from tests.support.told import Outcome, Told, told

_BEIRUT: Final = ZoneInfo("Asia/Beirut")
_BARRED: Final = Told(
    result="RESTRICTED_CARD",
    code="62",
    card="ACTIVE",
    state="DECLINED",
)
_AMOUNTS: Final[dict[str, Any]] = {
    "requested": "10.00 USD",
    "approved": "0.00 USD",
    "due": "0.00 USD",
}
_NOT_HERE: Final = "Declined: the card is not valid at this store."
_DAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)


async def test_34_a_store_that_is_not_on_the_cards_list(
    till: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    62 RESTRICTED_CARD without a balance; at the store on the list it is sold.

    At a store of a merchant outside the programme: 14, like a card that is unknown.
    """
    plastic = await card()
    new_set(look.gateway, "allow store=m-1/s-2").put_on(plastic)
    other = await tills("other-store")
    outsider = await tills("outsider")
    before = look.footprint()
    refused = await till.redeem(plastic, 10_00)
    after = look.footprint()
    sold = await other.redeem(plastic, 10_00)
    foreign = await outsider.redeem(plastic, 10_00)
    unknown = await outsider.redeem(UNKNOWN_NUMBER, 10_00)

    assert told(refused) == replace(_BARRED, **_AMOUNTS | {"due": "10.00 USD"})
    assert refused.receipt_text == _NOT_HERE
    assert after == replace(
        before, transactions=before.transactions + 1, keys=before.keys + 1
    )
    assert told(sold).available == "90.00 USD"
    assert told(foreign) == told(unknown)
    assert told(foreign).result == "INVALID_CARD"
    assert foreign.receipt_text == unknown.receipt_text


@pytest.mark.parametrize("operation", ["activate", "load", "redeem", "balance"])
async def test_check_11_holds_for_each_operation(
    till: Till, card: MakeCard, look: Look, operation: str
) -> None:
    """
    Activate, Load, Redeem and GetBalance: 62, and nothing of the money is told.
    """
    pending = operation == "activate"
    plastic = await card(None if pending else 100_00)
    new_set(look.gateway, "deny country=LB").put_on(plastic)
    ask = getattr(till, operation)
    words = () if operation == "balance" else (10_00,)
    answer = await ask(plastic, *words)

    expected = replace(_BARRED, card="PENDING" if pending else "ACTIVE")
    if operation == "balance":
        # A question that is refused tells nothing of the card at all.
        expected = replace(expected, card="")
    else:
        due = "10.00 USD" if operation == "redeem" else "0.00 USD"
        expected = replace(expected, **_AMOUNTS | {"due": due})
    assert told(answer) == expected
    assert answer.receipt_text == "Declined: the card is not valid in this country."


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (["allow merchant=m-2"], _NOT_HERE),
        (["allow merchant=m-1"], None),
        (["allow merchant=m-1", "deny store=m-1/s-1"], _NOT_HERE),
        (["allow store=m-1/s-1", "allow merchant=m-2"], None),
        (["allow group=some"], _NOT_HERE),
        (["deny group=mine"], _NOT_HERE),
        (["allow group=mine"], None),
        (["allow country=KW"], "Declined: the card is not valid in this country."),
        (["allow country=LB"], None),
        (
            ["allow category=5812"],
            "Declined: the card is not valid at this kind of store.",
        ),
        (["deny category=5812"], None),
        (["allow merchant=m-1", "allow country=KW"], "not valid in this country."),
    ],
)
async def test_each_list_has_its_sentence(
    tills: Tills, card: MakeCard, look: Look, terms: list[str], text: str | None
) -> None:
    """
    Stores, groups and merchants are one list; each list must let the card pass.
    """
    look.gateway.sql(
        "INSERT INTO store_group (merchant_id, code) SELECT merchant_id, g.code "
        "FROM merchant, (VALUES ('some'), ('mine')) AS g (code) "
        "WHERE merchant.code = 'm-1' ON CONFLICT DO NOTHING"
    )
    look.gateway.sql(
        "INSERT INTO store_group_member (store_id, store_group_id) "
        "SELECT s.store_id, g.store_group_id FROM store AS s "
        "JOIN store_group AS g USING (merchant_id) "
        "WHERE (s.code, g.code) IN (('s-1', 'mine'), ('s-2', 'some')) "
        "ON CONFLICT DO NOTHING"
    )
    till, plastic = await tills("till-1"), await card()
    new_set(look.gateway, *terms).put_on(plastic)
    answer = await till.redeem(plastic, 10_00)

    if text is None:
        assert told(answer).result == "APPROVED"
    else:
        assert told(answer).result == "RESTRICTED_CARD"
        assert answer.receipt_text.endswith(text)


async def test_a_store_says_what_it_sells(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    Its merchant category is in force with the next request.
    """
    place, plastic = new_place(tills), await card()
    new_set(look.gateway, "allow category=5812").put_on(plastic)
    before = await place.till.redeem(plastic, 10_00)
    place.change("store", merchant_category="5812")
    during = await place.till.redeem(plastic, 10_00)
    place.change("store", merchant_category="5411")
    after = await place.till.redeem(plastic, 10_00)

    assert [told(one).result for one in (before, during, after)] == [
        "RESTRICTED_CARD",
        "APPROVED",
        "RESTRICTED_CARD",
    ]


@pytest.mark.parametrize("level", ["product", "batch", "card"])
async def test_every_level_must_allow(
    tills: Tills, card: MakeCard, look: Look, level: str
) -> None:
    """
    A refusal on product, issue batch or card is one, whatever the others allow.
    """
    gateway, till = look.gateway, await tills("till-1")
    product = new_product(gateway)
    plastic = await card(product=product)
    sets = {
        name: new_set(gateway, f"{rule} store=m-1/s-1")
        for name, rule in dict.fromkeys(("product", "batch", "card"), "allow").items()
    }
    sets["product"].put_on_product(product)
    sets["batch"].put_on_batch_of(plastic)
    sets["card"].put_on(plastic)
    allowed = await till.redeem(plastic, 10_00)
    sets[level].change("deny store=m-1/s-1", "allow merchant=m-1")
    refused = await till.redeem(plastic, 10_00)

    assert told(allowed).available == "90.00 USD"
    assert told(refused).result == "RESTRICTED_CARD"
    assert refused.receipt_text == _NOT_HERE


async def test_a_change_is_in_force_with_every_workers_next_batch(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    Of a set, and of one card's own: the latter by its row, at no version of the policy.
    """
    gateway = pair_look.gateway
    tills = [await pair("till-1", worker=1), await pair("till-2", worker=2)]
    plastic = await pair_card()
    restriction = new_set(gateway, "deny store=m-1/s-1")
    seen = []
    for step in ("put on", "changed", "changed back", "lifted"):
        version = _version(gateway)
        if step == "put on":
            restriction.put_on(plastic)
            assert _version(gateway) == version
        elif step == "changed":
            restriction.change("deny country=KW")
        elif step == "changed back":
            restriction.change("deny country=LB")
        else:
            lift(plastic, gateway)
            assert _version(gateway) == version
        answers = await asyncio.gather(*(one.redeem(plastic, 1_00) for one in tills))
        balances = await asyncio.gather(*(one.balance(plastic) for one in tills))
        seen.append({told(one).result for one in (*answers, *balances)})

    assert seen == [
        {"RESTRICTED_CARD"},
        {"APPROVED"},
        {"RESTRICTED_CARD"},
        {"APPROVED"},
    ]


def _version(gateway: Gateway) -> int:
    ((version,),) = gateway.sql("SELECT version FROM policy_version")
    return int(version)


async def test_a_replay_says_the_same_sentence(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    Rebuilt from the row by any worker, also after the hours changed and were lifted.

    Also the same request twice at once, and GetTransaction; other content is DUPLICATE.
    """
    gateway = pair_look.gateway
    one, two = await pair("till-1", worker=1), await pair("till-1", worker=2)
    plastic = await pair_card()
    far = (datetime.now(_BEIRUT) + timedelta(days=3)).weekday()
    hours = new_set(gateway, windows=((1 << far, 690, 840),))
    hours.put_on(plastic)
    request: dict[str, Any] = {"request_id": new_id()}
    first, twin = await asyncio.gather(
        one.redeem(plastic, 10_00, **request), two.redeem(plastic, 10_00, **request)
    )
    hours.change(windows=((127, 0, 1_440),))
    changed = await two.redeem(plastic, 10_00, **request)
    lift(plastic, gateway)
    lifted = await one.redeem(plastic, 10_00, **request)
    asked = await two.transaction(first)
    other = await one.redeem(plastic, 11_00, **request)
    fresh = await one.redeem(plastic, 10_00)

    text = f"Declined: the card is valid only {_DAYS[far]} 11:30 to 14:00."
    assert {first.replayed, twin.replayed} == {False, True}
    assert first.receipt_text == text
    for answer in (twin, changed, lifted, asked):
        assert _as_first(answer) == _as_first(first)
    assert told(other).result == "DUPLICATE"
    assert told(fresh).available == "90.00 USD"
    assert pair_look.rows(plastic).count(("REDEEM", "RESTRICTED_CARD")) == 1


def _as_first(answer: Outcome) -> Outcome:
    same = type(answer)()
    same.CopyFrom(answer)
    same.replayed = False
    return same


async def test_a_refusal_is_reversed_like_any_decline(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    00 with nothing to undo, and no balance; a tombstone comes before the restriction.
    """
    plastic = await card()
    new_set(look.gateway, "deny merchant=m-1").put_on(plastic)
    refused = await till.redeem(plastic, 10_00)
    undone = await till.reverse(refused)
    ahead = new_id()
    grave = await till.reverse(ahead)
    late = await till.redeem(plastic, 10_00, request_id=ahead)

    assert told(undone).result == "APPROVED"
    assert undone.receipt_text == "Nothing was left to undo."
    assert not undone.HasField("available_balance")
    assert told(grave).result == "ORIGINAL_NOT_FOUND"
    assert told(late).result == "ALREADY_REVERSED"
    assert look.card(plastic).balance == 100_00


async def test_a_sale_is_undone_wherever_the_card_is_barred(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Reverse skips check 11: what was sold before comes back.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    new_set(look.gateway, "deny store=m-1/s-1").put_on(plastic)
    refused = await till.redeem(plastic, 1_00)
    undone = await till.reverse(sale)

    assert told(refused).result == "RESTRICTED_CARD"
    assert told(undone).available == "100.00 USD"


async def test_11_comes_after_9_and_before_12(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    State (41) and last day (54) before the restriction (62); that before the currency.
    """
    barred = new_set(look.gateway, "deny store=m-1/s-1")
    yesterday = date.today() - timedelta(days=2)  # noqa: DTZ011
    lost = await card(state=4, block_reason=1)
    over = await card(expires_on=yesterday)
    load_only = await card(product="load-only")
    plastic = await card()
    for one in (lost, over, load_only, plastic):
        barred.put_on(one)

    assert told(await till.redeem(plastic, 0)).result == "INVALID_AMOUNT"
    assert told(await till.redeem(load_only, 1_00)).result == "NOT_PERMITTED"
    assert told(await till.redeem(lost, 1_00)).result == "LOST_CARD"
    assert told(await till.redeem(over, 1_00)).result == "EXPIRED_CARD"
    for words in ((1_00, "ZZZ"), (1, "LBP"), (999_00,)):
        answer = await till.redeem(plastic, *words)
        assert told(answer).result == "RESTRICTED_CARD"
        assert not answer.HasField("available_balance")
