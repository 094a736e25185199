"""
What a record keeps and tells: of the till, the place, the moment, the card.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from gateway.domain.cards import Card, CardState
from gateway.domain.commands import MoneyCommand, TillContext
from gateway.domain.decide import ACTIVITIES, decide
from gateway.domain.decision import answer_unrecorded
from gateway.domain.errors import (
    InvalidRequestError,
    NotAppliedError,
    ThrottledError,
    TransactionNotFoundError,
)
from gateway.domain.ids import uuid_text
from gateway.domain.policy import PartyState
from gateway.domain.results import (
    APPROVALS,
    RESPONSE_CODES,
    ActivityType,
    EntryMode,
    Result,
)
from tests.support import world
from tests.support.world import activate, amount, card, load, policy, redeem, reverse
from tests.support.world import view as view_of

TILL = TillContext(
    merchant_reference="order 7",
    cashier_id="c-9",
    entry_mode=EntryMode.SCANNED,
    local_time="2026-11-21T14:00:00",
    system_trace_no="000123",
    terminal_batch_no="12",
)
COMMANDS: list[MoneyCommand] = [
    activate(amount(1_00)),
    load(amount(1_00)),
    redeem(amount(1_00)),
    reverse(7),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_tills_own_fields_are_kept(command: MoneyCommand) -> None:
    """
    Whatever is decided, the till finds its references again.
    """
    record = decide(replace(command, till=TILL), view_of(card()), None).record

    assert TillContext(*(getattr(record, name) for name in TILL._fields)) == TILL
    assert (record.terminal_id, record.request_id) == command.key


def test_the_moment_and_the_place_are_kept() -> None:
    """
    Host time, the store's business day, batch, policy, store and merchant.
    """
    rules = policy(at=world.place(cut_off=time(4)))
    late = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)  # 03:30 in Beirut

    record = decide(
        redeem(amount(1_00)), view_of(card(), rules=rules, now=late), None
    ).record

    assert (record.host_time, record.business_date) == (late, date(2026, 11, 20))
    assert (record.batch_no, record.policy_version, record.markup_bps) == (1, 1, 0)
    assert (record.store_id, record.merchant_id) == (world.STORE, world.MERCHANT)


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        (world.place(terminal=PartyState.CLOSED), amount(1_00)),
        (world.place(store=PartyState.SUSPENDED), amount(1_00)),
        (world.place(), amount(0)),
        (world.place(), amount(1_00)),
    ],
)
@pytest.mark.parametrize("operation", [activate, load, redeem])
def test_34_foreign_and_unknown_cards_leave_the_same_record(
    operation: Any, at: Any, asked: Any
) -> None:
    """
    Whatever is refused first, a card of another programme reads like no card at all.
    """
    rules = policy(at=at, accepted=False)
    records = [
        decide(operation(asked), view_of(seen, rules=rules), None).record
        for seen in (card(), None)
    ]

    assert records[0] == records[1]
    assert records[0].card_number_index == world.NUMBER_INDEX
    assert records[0].card_last_four == "1234"


@pytest.mark.parametrize("operation", [load, redeem])
def test_a_known_card_is_named_by_its_id_and_not_by_its_number(
    operation: Any,
) -> None:
    """
    A refusal at checks 4 and 5 names the card, and tells nothing of it.
    """
    for at, asked in [
        (world.place(terminal=PartyState.CLOSED), amount(1_00)),
        (world.place(), amount(0)),
    ]:
        record = decide(
            operation(asked), view_of(card(), rules=policy(at=at)), None
        ).record

        assert (record.card_id, record.card_number_index) == (1, None)
        assert not record.balances_shown


@pytest.mark.parametrize("result", [Result.DUPLICATE, Result.ALREADY_REVERSED])
@pytest.mark.parametrize("command", COMMANDS)
def test_16_21_what_is_not_kept_tells_nothing(
    command: MoneyCommand, result: Result
) -> None:
    """
    DUPLICATE and an original under a tombstone: no id, no code, no card, no balance.
    """
    activity = ACTIVITIES[type(command)]

    record = answer_unrecorded(command, view_of(card()), activity, result)

    assert (record.result, record.activity) == (result, activity)
    assert (record.transaction_id, record.approval_code, record.card_seq) == (
        None,
        None,
        None,
    )
    assert (record.card_id, record.balance_after_minor) == (None, None)
    assert not record.balances_shown
    assert record.request_id == command.request_id


@pytest.mark.parametrize(
    ("command", "activity"),
    [
        (activate(), ActivityType.ACTIVATE),
        (load(amount(1)), ActivityType.LOAD),
        (redeem(amount(1)), ActivityType.REDEEM),
        (reverse(7), ActivityType.REVERSAL),
    ],
)
def test_each_command_is_decided_by_its_own_function(
    command: MoneyCommand, activity: ActivityType
) -> None:
    """
    One entry for all, and the activity is the command's.
    """
    seen = card(0, state=CardState.PENDING)

    assert decide(command, view_of(seen), None).record.activity is activity


def test_18_two_equal_sales_with_different_ids() -> None:
    """
    Both are approved: equal parameters are no repetition.
    """
    first = decide(redeem(amount(30_00), number=1), view_of(card()), None)
    assert first.card is not None
    second = decide(
        redeem(amount(30_00), number=2), view_of(first.card, number=2), None
    )

    assert [d.record.result for d in (first, second)] == [Result.APPROVED] * 2
    assert second.record.balance_after_minor == 40_00


def test_an_approval_has_a_code_and_a_decline_has_none() -> None:
    """
    The code on a receipt says that it was approved.
    """
    small: Card = card(1)
    for asked, allow in [(amount(1), False), (amount(9), True), (amount(9), False)]:
        record = decide(redeem(asked, allow_partial=allow), view_of(small), None).record

        assert (record.approval_code is not None) == (record.result in APPROVALS)


def test_every_result_has_its_code_of_iso_8583() -> None:
    """
    Two digits each; 00 and 10 are the approvals.
    """
    assert set(RESPONSE_CODES) == set(Result)
    assert all(len(code) == 2 and code.isdigit() for code in RESPONSE_CODES.values())
    assert {r for r, code in RESPONSE_CODES.items() if code in {"00", "10"}} == (
        APPROVALS
    )


def test_ids_read_as_uuids() -> None:
    """
    Sixteen bytes become the usual text.
    """
    assert uuid_text(bytes(range(16))) == "00010203-0405-0607-0809-0a0b0c0d0e0f"


def test_faults_carry_what_a_till_needs() -> None:
    """
    The field, whether an absence is final, how long to wait.
    """
    invalid = InvalidRequestError("amount", "is missing")
    throttled = ThrottledError("too many", retry_after_ms=70)

    assert (invalid.field, str(invalid)) == ("amount", "amount: is missing")
    assert (throttled.retry_after_ms, throttled.reason) == (70, "NOT_APPLIED")
    assert isinstance(throttled, NotAppliedError)
    for final in (True, False):
        missing = TransactionNotFoundError(final=final)
        assert missing.final is final
        assert ("never" in str(missing)) == final
