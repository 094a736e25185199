"""
Who may speak for which terminal, and what a suspended or changed place answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import grpc
import pytest

from tests.support.look import Look
from tests.support.places import Place, new_place
from tests.support.seed import seed_device
from tests.support.stream_till import StreamTill, streaming
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    fault,
    new_id,
)
from tests.support.told import Told, told

_PARTIES: Final = {
    "terminal": Told(result="INVALID_TERMINAL", code="58"),
    "store": Told(result="INVALID_MERCHANT", code="03"),
    "merchant": Told(result="INVALID_MERCHANT", code="03"),
}


@pytest.mark.parametrize("party", _PARTIES)
@pytest.mark.parametrize("state", [2, 3], ids=["suspended", "closed"])
async def test_a_place_that_is_out_of_use(
    tills: Tills, card: MakeCard, look: Look, party: str, state: int
) -> None:
    """
    58 or 03: replay and DUPLICATE still answer; what is new is a recorded decline.

    It is so from the next request on, and over when the place is back.
    """
    place = new_place(tills)
    till, plastic, pending = place.till, await card(), await card(None)
    sale = await till.redeem(plastic, 30_00)
    place.change(party, state=state)
    before = look.footprint()
    replay = await till.redeem(plastic, 30_00, request_id=sale.request_id)
    other = await till.redeem(plastic, 31_00, request_id=sale.request_id)
    asked = await till.transaction(sale)
    balance = await till.balance(plastic)
    unchanged = look.footprint()
    new = [
        await till.redeem(plastic, 30_00),
        await till.load(plastic, 30_00),
        await till.activate(pending, 30_00),
        await till.reverse(sale),
    ]
    after = look.footprint()
    place.change(party, state=1)
    undone = await till.reverse(sale)

    declined = replace(_PARTIES[party], state="DECLINED")
    amounts = replace(
        declined, requested="30.00 USD", approved="0.00 USD", due="0.00 USD"
    )
    assert told(replay) == replace(told(sale), replayed=True)
    assert told(asked) == told(replay)
    assert told(other).result == "DUPLICATE"
    assert told(balance) == declined
    assert unchanged == before
    assert [told(answer) for answer in new] == [
        replace(amounts, due="30.00 USD"),
        amounts,
        amounts,
        declined,
    ]
    assert after.transactions == before.transactions + 4
    assert after.keys == before.keys + 4
    assert (after.postings, after.cards) == (before.postings, before.cards)
    assert told(undone).available == "100.00 USD"


async def test_a_change_of_policy_is_in_force_at_once(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    A currency, a limit, a programme: the next request on the open connection knows.
    """
    place = new_place(tills, currencies=["USD"])
    till, plastic = place.till, await card()
    told_before = told(await till.redeem(plastic, 1_000, "KWD"))
    place.change("store", currencies=["USD", "KWD"])
    told_after = told(await till.redeem(plastic, 1_000, "KWD"))
    look.gateway.sql(
        "DELETE FROM program_merchant WHERE merchant_id ="
        " (SELECT merchant_id FROM merchant WHERE code = %s)",
        place.device.merchant,
    )
    not_accepted = told(await till.redeem(plastic, 1_00))
    balance = told(await till.balance(plastic))

    assert told_before.result == "CURRENCY_NOT_SUPPORTED"
    assert told_after.debit == "3.25 USD"
    assert not_accepted.result == "INVALID_CARD"
    assert balance == Told(result="INVALID_CARD", code="14", state="DECLINED")


async def test_a_limit_is_in_force_at_once(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    A product's new limit declines the next sale, and its end lets it pass.
    """
    till, plastic = await tills("till-1"), await card(product="load-only")
    limit = "UPDATE card_product SET permitted = %s WHERE code = 'load-only'"
    before = told(await till.redeem(plastic, 1_00))
    look.gateway.sql(limit, [1, 2, 3])
    during = told(await till.redeem(plastic, 1_00))
    look.gateway.sql(limit, [1, 2])
    after = told(await till.redeem(plastic, 1_00))

    assert (before.result, during.result, after.result) == (
        "NOT_PERMITTED",
        "APPROVED",
        "NOT_PERMITTED",
    )


async def test_the_keys_belong_to_the_terminal(tills: Tills, card: MakeCard) -> None:
    """
    They survive a replaced certificate and hold for the controller that speaks for it.
    """
    place, plastic = new_place(tills), await card()
    sale = await place.till.redeem(plastic, 30_00)
    terminal = place.device.terminal
    renewed = place.enrol("renewed", terminal)
    controller = place.enrol("controller", None)
    repeat: dict[str, Any] = {"request_id": sale.request_id, "terminal_id": terminal}
    answers = [
        await renewed.redeem(plastic, 30_00, **repeat),
        await controller.redeem(plastic, 30_00, **repeat),
    ]

    expected = replace(told(sale), replayed=True)
    assert [told(answer) for answer in answers] == [expected, expected]
    assert {answer.transaction_id for answer in answers} == {sale.transaction_id}


async def _refused(
    till: Till, look: Look, method: str, *words: Any, **fields: Any
) -> None:
    """
    Ask for what a device may not, by call and over a stream that lives on.
    """
    before = look.footprint()
    ask = getattr(till, method)
    error = await fault(ask(*words, **fields))
    async with streaming(till) as over_stream:
        item = await fault(getattr(over_stream, method)(*words, **fields))
        # A question is answered after it: the stream lives.
        asked = await fault(over_stream.transaction(new_id(), terminal_id=_own(till)))

    for found in (error, item):
        assert found.code is grpc.StatusCode.PERMISSION_DENIED
        assert found.reason == "TERMINAL_DENIED"
        assert found.retry_after_ms is None
    assert asked.code is grpc.StatusCode.NOT_FOUND
    assert look.footprint() == before


def _own(till: Till) -> str:
    return "" if till.name.startswith("till") else "t-1"


async def test_a_terminal_speaks_for_itself_only(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    A TERMINAL that names another terminal: PERMISSION_DENIED; its own name is welcome.
    """
    one, plastic = await tills("till-1"), await card()
    await tills("till-2")

    for method, *words in (
        ("activate", plastic),
        ("load", plastic, 1_00),
        ("redeem", plastic, 1_00),
        ("balance", plastic),
        ("reverse", new_id()),
        ("refund", new_id(), 1_00),
        ("void", new_id()),
    ):
        await _refused(one, look, method, *words, terminal_id="t-2")
    assert told(await one.redeem(plastic, 1_00, terminal_id="t-1")).result == "APPROVED"


async def test_a_controller_names_a_terminal_of_its_store(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    Without terminal_id, or with one of another store: PERMISSION_DENIED.
    """
    place, plastic = new_place(tills), await card()
    await tills("till-1")
    controller = await tills("controller")

    for method, *words in (
        ("activate", plastic),
        ("load", plastic, 1_00),
        ("redeem", plastic, 1_00),
        ("balance", plastic),
        ("reverse", new_id()),
        ("transaction", new_id()),
    ):
        await _refused(controller, look, method, *words, terminal_id="")
    for named in (place.device.terminal, "nowhere", "x" * 65):
        await _refused(controller, look, "redeem", plastic, 1_00, terminal_id=named)
    sale = await controller.redeem(plastic, 1_00, terminal_id="t-1")
    assert (sale.terminal_id, told(sale).result) == ("t-1", "APPROVED")


async def test_the_original_of_another_store(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    original_terminal_id of another store: PERMISSION_DENIED before a key is claimed.

    So it is for GetTransaction. The original is untouched and can still be reversed.
    """
    place, plastic = new_place(tills), await card()
    one, reversal = await tills("till-1"), new_id()
    sale = await place.till.redeem(plastic, 30_00)
    await _refused(
        one,
        look,
        "reverse",
        sale,
        request_id=reversal,
        original_terminal_id=place.device.terminal,
    )
    foreign = {"original_terminal_id": place.device.terminal}
    await _refused(one, look, "refund", sale, 1_00, **foreign)
    await _refused(one, look, "void", sale, **foreign)
    await _refused(one, look, "transaction", sale, terminal_id=place.device.terminal)
    at_home = await one.redeem(plastic, 1_00, request_id=reversal)

    assert look.key(sale.request_id) == "nothing"
    assert told(at_home).result == "APPROVED"
    assert told(await place.till.reverse(sale)).result == "APPROVED"


@pytest.mark.parametrize("what", ["device", "certificate"])
async def test_a_revoked_device(
    tills: Tills, card: MakeCard, look: Look, what: str
) -> None:
    """
    PERMISSION_DENIED with ErrorInfo at the next request: no replay, no key, no row.

    It comes before anything else that is wrong, and ends a stream.
    """
    place, plastic = new_place(tills), await card()
    sale = await place.till.redeem(plastic, 30_00)
    before = look.footprint()
    async with streaming(place.till, survives=False) as over_stream:
        await over_stream.balance(plastic)
        _revoke(place, what)
        errors = [
            await fault(place.till.redeem(plastic, 1_00)),
            await fault(place.till.redeem(plastic, 30_00, request_id=sale.request_id)),
            await fault(place.till.transaction(sale)),
            await fault(place.till.balance(plastic)),
            await fault(place.till.reverse(sale)),
            await fault(place.till.redeem("no number", 1_00, request_id="no id")),
            await fault(over_stream.redeem(plastic, 1_00)),
        ]
        ended = await over_stream.end()

    assert {error.code for error in errors} == {grpc.StatusCode.PERMISSION_DENIED}
    assert {error.reason for error in errors} == {"DEVICE_DENIED"}
    assert ended is grpc.StatusCode.PERMISSION_DENIED
    assert look.footprint() == before


def _revoke(place: Place, what: str) -> None:
    table = "device" if what == "device" else "device_certificate"
    place.tills.gateway.sql(
        f"UPDATE {table} SET revoked = true WHERE device_id = (SELECT device_id"  # noqa: S608
        " FROM device JOIN store USING (store_id) JOIN merchant USING (merchant_id)"
        " WHERE merchant.code = %s)",
        place.device.merchant,
    )


async def test_a_device_that_nobody_registered(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    A certificate of our authority, for a device that is not in the books: denied.

    It is let in with its next request once it is registered.
    """
    gateway, plastic = look.gateway, await card()
    place = new_place(tills)
    seed = replace(place.device, device="late", terminal=None)
    pair = gateway.authority.issue_device(
        trust_domain="scrip.internal",
        merchant=seed.merchant,
        store=seed.store,
        device="late",
        kind="CONTROLLER",
    )
    stranger = tills.connect("late", pair)
    error = await fault(stranger.balance(plastic))
    known = seed_device(gateway.database.owner_dsn, gateway.authority, seed)
    other_certificate = await fault(stranger.balance(plastic))
    terminal = place.device.terminal
    registered = await tills.connect("late", known).balance(
        plastic, terminal_id=terminal
    )

    assert (error.code, error.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "DEVICE_DENIED",
    )
    assert other_certificate.reason == "DEVICE_DENIED"
    assert told(registered).result == "APPROVED"


async def test_a_certificate_of_another_trust_domain(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    A certificate of our authority that names no device of this domain: refused.
    """
    pair = look.gateway.authority.issue_device(
        trust_domain="elsewhere.internal",
        merchant="m-1",
        store="s-1",
        device="till-1",
        kind="TERMINAL",
    )
    stranger = tills.connect("stranger", pair)
    before = look.footprint()
    error = await fault(stranger.redeem(await card(None), 1_00))
    stream = StreamTill(stranger)
    item = await fault(stream.redeem(UNKNOWN_NUMBER, 1_00))

    assert error.code is item.code is grpc.StatusCode.UNAUTHENTICATED
    assert error.reason == item.reason == "UNAUTHENTICATED"
    assert await stream.end() is grpc.StatusCode.UNAUTHENTICATED
    assert look.footprint().transactions == before.transactions
