"""
Behaviours 14 and 19 to 25: reversals.
"""

from __future__ import annotations

from dataclasses import replace

from tests.support.look import CardRow, Look
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, Tills, new_id
from tests.support.told import Told, told

_UNDONE = Told(
    result="APPROVED",
    code="00",
    requested="30.00 USD",
    approved="30.00 USD",
    due="0.00 USD",
    previous="70.00 USD",
    available="100.00 USD",
    ledger="100.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)


async def test_14_reverse_a_sale(till: Till, card: MakeCard, look: Look) -> None:
    """
    14: Reverse(#8): 00, available 100.00, original REVERSED, both rows kept.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    undone = await till.reverse(sale)
    asked = await till.transaction(sale)

    assert told(undone) == _UNDONE
    assert undone.original_transaction_id == sale.transaction_id
    assert told(asked) == replace(told(sale), state="REVERSED", replayed=True)
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.rows(plastic)[1:] == [("REDEEM", "APPROVED"), ("REVERSAL", "APPROVED")]
    assert look.postings(sale) == [
        ("CARD_LIABILITY", "USD", 30_00),
        ("MERCHANT_PAYABLE", "USD", -30_00),
    ]
    assert look.postings(undone) == [
        ("CARD_LIABILITY", "USD", -30_00),
        ("MERCHANT_PAYABLE", "USD", 30_00),
    ]


async def test_14_reverse_a_load(till: Till, card: MakeCard, look: Look) -> None:
    """
    14: A load is undone as well; a one-time card then takes its one load again.
    """
    plastic = await card(0, product="one-time")
    load = await till.load(plastic, 40_00)
    undone = await till.reverse(load)
    again = await till.load(plastic, 30_00)

    assert told(undone) == replace(
        _UNDONE,
        requested="40.00 USD",
        approved="40.00 USD",
        previous="40.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
    )
    assert told(again).available == "30.00 USD"
    assert look.postings(undone) == [
        ("CARD_LIABILITY", "USD", 40_00),
        ("MERCHANT_RECEIVABLE", "USD", -40_00),
    ]


async def test_14_reverse_for_another_terminal(tills: Tills, card: MakeCard) -> None:
    """
    14: Another till of the same store may reverse, when it names the terminal.
    """
    one, other = await tills("till-1"), await tills("till-2")
    sale = await one.redeem(await card(), 30_00)
    undone = await other.reverse(sale, original_terminal_id="t-1")

    assert told(undone) == _UNDONE
    assert (undone.terminal_id, sale.terminal_id) == ("t-2", "t-1")


async def test_19_three_reversals(till: Till, card: MakeCard, look: Look) -> None:
    """
    19: Reverse sent 3 times (advice repeat): the same 00 each time, one credit.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    request_id = new_id()
    answers = [await till.reverse(sale, request_id=request_id) for _ in range(3)]

    assert told(answers[0]) == _UNDONE
    for again in answers[1:]:
        assert told(again) == replace(_UNDONE, replayed=True)
        assert again.transaction_id == answers[0].transaction_id
        assert again.approval_code == answers[0].approval_code
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.rows(plastic)[1:] == [("REDEEM", "APPROVED"), ("REVERSAL", "APPROVED")]


async def test_19_reversed_by_other_ids(till: Till, card: MakeCard, look: Look) -> None:
    """
    19: Already reversed, by any id: 00 again under its own id, no posting.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    first = await till.reverse(sale)
    again = await till.reverse(sale)

    assert told(again) == replace(_UNDONE, approved="0.00 USD", previous="100.00 USD")
    assert again.transaction_id != first.transaction_id
    assert again.original_transaction_id == sale.transaction_id
    assert look.postings(again) == []
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.key(again.request_id) == "request"


async def test_20_nothing_to_reverse(till: Till, look: Look) -> None:
    """
    20: Reverse for an id never seen: 25 ORIGINAL_NOT_FOUND, final; a tombstone.
    """
    original, before = new_id(), look.footprint()
    answer = await till.reverse(original)
    again = await till.reverse(original, request_id=answer.request_id)
    after = look.footprint()

    declined = Told(result="ORIGINAL_NOT_FOUND", code="25", state="DECLINED")
    assert told(answer) == declined
    assert told(again) == replace(declined, replayed=True)
    assert look.key(original) == "tombstone"
    assert look.key(answer.request_id) == "request"
    assert after.transactions == before.transactions + 1
    assert after.keys == before.keys + 2
    assert (after.postings, after.cards) == (before.postings, before.cards)


async def test_21_the_late_original(till: Till, card: MakeCard, look: Look) -> None:
    """
    21: The late original is declined 21 (already reversed), no money moved.

    Whatever its content and however often: no row, no transaction id, no replay.
    """
    plastic, pending = await card(), await card(None)
    original = new_id()
    await till.reverse(original)
    before = look.footprint()
    late = [
        await till.redeem(plastic, 30_00, request_id=original),
        await till.redeem(plastic, 30_00, request_id=original),
        await till.load(plastic, 99_00, request_id=original),
        await till.activate(pending, 25_00, request_id=original),
        await till.redeem(UNKNOWN_NUMBER, 1_00, request_id=original),
    ]

    for answer in late:
        assert told(answer) == Told(
            result="ALREADY_REVERSED", code="21", state="DECLINED"
        )
        assert answer.request_id == original
    assert look.footprint() == before
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)


async def test_21_a_tombstone_is_kept_for_its_terminal(
    tills: Tills, card: MakeCard
) -> None:
    """
    21: Another terminal may use the same id: keys belong to their terminal.
    """
    one, other = await tills("till-1"), await tills("till-2")
    original = new_id()
    await one.reverse(original)
    answer = await other.redeem(await card(), 30_00, request_id=original)

    assert told(answer).result == "APPROVED"


async def test_22_reverse_a_decline(till: Till, card: MakeCard, look: Look) -> None:
    """
    22: Reverse of a declined original: 00, no action, no ledger entry.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 130_00)
    unknown = await till.redeem(UNKNOWN_NUMBER, 5_00)
    undone = await till.reverse(sale)
    nothing = await till.reverse(unknown)

    approved = Told(
        result="APPROVED",
        code="00",
        requested="130.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
    )
    assert told(undone) == approved
    assert told(nothing) == replace(approved, requested="5.00 USD")
    assert look.postings(undone) == look.postings(nothing) == []
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert told(await till.transaction(sale)).state == "DECLINED"


async def test_23_reverse_a_reversal(till: Till, card: MakeCard, look: Look) -> None:
    """
    23: Reverse of a reversal: 21 CANNOT_BE_REVERSED.
    """
    plastic = await card()
    undone = await till.reverse(await till.redeem(plastic, 30_00))
    answer = await till.reverse(undone)

    assert told(answer) == Told(
        result="CANNOT_BE_REVERSED",
        code="21",
        requested="30.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        previous="100.00 USD",
        available="100.00 USD",
        ledger="100.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.postings(answer) == []


async def test_23_reverse_a_balance(till: Till, card: MakeCard, look: Look) -> None:
    """
    23: Reverse of an id that was only ever a GetBalance: 25 and a tombstone.
    """
    plastic, asked = await card(), new_id()
    balance = await till.balance(plastic, request_id=asked)
    answer = await till.reverse(asked)

    assert balance.request_id == asked
    assert told(answer) == Told(
        result="ORIGINAL_NOT_FOUND", code="25", state="DECLINED"
    )
    assert look.key(asked) == "tombstone"
    assert told(await till.balance(plastic, request_id=asked)).result == "APPROVED"


async def test_24_reverse_an_activation(till: Till, card: MakeCard, look: Look) -> None:
    """
    24: Reverse Activate 25.00 without later activity: PENDING, 0.00; it can start anew.
    """
    plastic = await card(None)
    undone = await till.reverse(await till.activate(plastic, 25_00))

    assert told(undone) == replace(
        _UNDONE,
        requested="25.00 USD",
        approved="25.00 USD",
        previous="25.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
        card="PENDING",
    )
    assert look.card(plastic) == CardRow("PENDING", balance=0, loads=0)
    assert told(await till.activate(plastic, 10_00)).available == "10.00 USD"


async def test_24_reverse_an_activation_after_a_sale(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    24: ...after a Redeem on it: 21 FURTHER_ACTIVITY_PREVENTS_REVERSAL, nothing changes.

    Once that sale is reversed itself, the activation can be.
    """
    plastic = await card(None)
    activated = await till.activate(plastic, 25_00)
    sale = await till.redeem(plastic, 5_00)
    answer = await till.reverse(activated)
    between = look.card(plastic)
    await till.reverse(sale)
    undone = await till.reverse(activated)

    assert told(answer) == Told(
        result="FURTHER_ACTIVITY_PREVENTS_REVERSAL",
        code="21",
        requested="25.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        previous="20.00 USD",
        available="20.00 USD",
        ledger="20.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert between == CardRow("ACTIVE", balance=20_00, loads=1)
    assert look.postings(answer) == []
    assert (told(undone).result, told(undone).card) == ("APPROVED", "PENDING")


async def test_25_reverse_a_load_that_is_spent(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    25: Reverse Load 40.00 when only 10.00 is left: 21; balance 10.00.
    """
    plastic = await card()
    load = await till.load(plastic, 40_00)
    await till.redeem(plastic, 130_00)
    answer = await till.reverse(load)

    assert told(answer) == Told(
        result="FURTHER_ACTIVITY_PREVENTS_REVERSAL",
        code="21",
        requested="40.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        previous="10.00 USD",
        available="10.00 USD",
        ledger="10.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=10_00, loads=2)
    assert look.postings(answer) == []
    assert told(await till.transaction(load)).state == "POSTED"


async def test_another_card_is_named(till: Till, card: MakeCard, look: Look) -> None:
    """
    Reverse that names another card than the original's: 25, and nothing is undone.
    """
    plastic, other = await card(), await card()
    sale = await till.redeem(plastic, 30_00)
    wrong = await till.reverse(sale, card_number=other.number)
    right = await till.reverse(sale, card_number=plastic.number)

    assert told(wrong) == Told(result="ORIGINAL_NOT_FOUND", code="25", state="DECLINED")
    assert look.postings(wrong) == []
    assert look.key(sale.request_id) == "request"
    assert told(right) == _UNDONE


async def test_21_a_late_reversal_leaves_no_tombstone(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    21: A reversal that was itself reversed before it came does nothing to its original.
    """
    plastic, original, reversal = await card(), new_id(), new_id()
    await till.reverse(reversal)
    late = await till.reverse(original, request_id=reversal)
    between = look.key(original)
    sale = await till.redeem(plastic, 30_00, request_id=original)

    assert told(late) == Told(result="ALREADY_REVERSED", code="21", state="DECLINED")
    assert between == "nothing"
    assert told(sale).result == "APPROVED"
