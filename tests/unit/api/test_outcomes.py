"""
Answers are written from records: money, balances, conversion, and what may be told.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest

from gateway.api.outcomes import outcome
from gateway.domain.balance import read_balance
from gateway.domain.cards import BlockReason, CardState
from gateway.domain.commands import Amount, CardRef, GetBalance, TillContext
from gateway.domain.decide import decide
from gateway.domain.decision import answer_unrecorded
from gateway.domain.ids import RequestId, TransactionId, uuid_text
from gateway.domain.originals import Original
from gateway.domain.policy import PartyState
from gateway.domain.record import TransactionRecord
from gateway.domain.results import (
    RESPONSE_CODES,
    ActivityType,
    CurrentState,
    EntryMode,
    Result,
)
from gateway.engine.answers import Answer
from scrip.v1 import card_pb2, money_pb2, result_pb2, transaction_pb2
from tests.support import world
from tests.support.wire import answer_of
from tests.support.world import activate, amount, card, load, redeem, reverse, view

BALANCES = {"previous_balance", "available_balance", "ledger_balance", "held_amount"}
AMOUNTS = {"requested_amount", "approved_amount", "amount_due", "cash_back_amount"}


def written(record: TransactionRecord, **changes: Any) -> transaction_pb2.Outcome:
    """
    Write a record's answer.
    """
    return outcome(answer_of(record._replace(**changes)), world.policy())


def decided(command: Any, seen: Any = None, **changes: Any) -> TransactionRecord:
    """
    Decide a command on the world's card.
    """
    sight = view(card() if seen is None else seen, **changes)
    return decide(command, sight, None).record


def present(told: transaction_pb2.Outcome) -> set[str]:
    """
    Name the fields that an answer has.
    """
    return {field.name for field, _ in told.ListFields()}


def triple(money: money_pb2.Money) -> tuple[int, str, int]:
    """
    Take an amount apart.
    """
    return money.minor_units, money.currency_code, money.exponent


def test_a_redeem_tells_all() -> None:
    """
    Every field of an approved sale: ids, amounts, balances, card, times, till context.
    """
    record = decided(redeem(amount(30_00)))._replace(
        merchant_reference="order 7", entry_mode=EntryMode.SCANNED, cashier_id="7"
    )
    told = outcome(Answer(record, False, CurrentState.POSTED), world.policy())

    assert told.result == result_pb2.RESULT_APPROVED
    assert told.response_code == "00"
    assert told.request_id == uuid_text(record.request_id or b"")
    assert told.transaction_id == uuid_text(record.transaction_id or b"")
    assert told.approval_code == "ABC234"
    assert told.activity_type == transaction_pb2.ACTIVITY_TYPE_REDEEM
    assert triple(told.requested_amount) == (30_00, "USD", 2)
    assert triple(told.approved_amount) == (30_00, "USD", 2)
    assert triple(told.amount_due) == (0, "USD", 2)
    assert triple(told.previous_balance) == (100_00, "USD", 2)
    assert triple(told.available_balance) == (70_00, "USD", 2)
    assert triple(told.ledger_balance) == (70_00, "USD", 2)
    assert triple(told.held_amount) == (0, "USD", 2)
    assert triple(told.cash_back_amount) == (0, "USD", 2)
    assert told.receipt_text == "Paid 30.00 USD by gift card. Balance: 70.00 USD."
    assert told.host_time.ToDatetime(UTC) == world.NOW
    assert told.business_date == "2026-11-21"
    assert told.batch_no == 1
    assert not told.replayed
    assert told.current_state == transaction_pb2.CURRENT_STATE_POSTED
    assert told.card.last_four == "1234"
    assert told.card.state == card_pb2.Card.STATE_ACTIVE
    assert told.card.currency_code == "USD"
    assert not told.HasField("conversion")
    assert not told.original_transaction_id
    assert not told.expires_on
    assert told.terminal_id == "t-1"
    assert told.till == transaction_pb2.TillContext(
        merchant_reference="order 7",
        cashier_id="7",
        entry_mode=transaction_pb2.ENTRY_MODE_SCANNED,
    )


def test_the_whole_till_context_is_echoed() -> None:
    """
    What a till adds comes back as it was sent; where nothing was, there is none.
    """
    context = TillContext("a", "b", EntryMode.KEYED, "c", "4", "e")
    record = decided(redeem(amount(1_00)))

    told = written(record, **context._asdict())

    assert told.till == transaction_pb2.TillContext(
        merchant_reference="a",
        cashier_id="b",
        entry_mode=transaction_pb2.ENTRY_MODE_KEYED,
        local_time="c",
        system_trace_no="4",
        terminal_batch_no="e",
    )
    assert not written(record).HasField("till")


def test_amount_due_is_a_redeems_alone() -> None:
    """
    What a card did not pay is due; a declined load leaves nothing to pay.
    """
    part = written(decided(redeem(amount(130_00), allow_partial=True)))
    none = written(decided(redeem(amount(130_00))))
    negative = written(decided(redeem(amount(-5_00))))
    declined_load = written(decided(load(amount(0))))

    assert part.result == result_pb2.RESULT_APPROVED_PARTIAL
    assert (part.approved_amount.minor_units, part.amount_due.minor_units) == (
        100_00,
        30_00,
    )
    assert none.amount_due.minor_units == 130_00
    assert none.approved_amount.minor_units == 0
    assert negative.requested_amount.minor_units == -5_00
    assert negative.amount_due.minor_units == 0
    assert declined_load.amount_due.minor_units == 0


def test_no_amount_is_told_where_none_was_asked() -> None:
    """
    An Activate without an amount and a balance have no amounts; the rest they have.
    """
    pending = card(0, state=CardState.PENDING, load_count=0)
    activated = written(decided(activate(), pending))
    question = GetBalance(
        request_id=None,
        terminal_id=world.TERMINAL,
        card=CardRef(world.NUMBER_INDEX, "1234"),
        till=TillContext(),
    )
    bare = view(card())._replace(stamp=view(card()).stamp._replace(transaction_id=None))
    balance = written(read_balance(question, bare))

    for told in (activated, balance):
        assert present(told) & AMOUNTS == set()
        assert present(told) >= BALANCES
    assert balance.available_balance.minor_units == 100_00
    assert balance.previous_balance.minor_units == 100_00
    assert not balance.transaction_id
    assert not balance.request_id
    assert activated.receipt_text == "Card activated. Balance: 0.00 USD."
    assert balance.receipt_text == "Card is active. Balance: 100.00 USD."


def test_each_currency_has_its_own_digits() -> None:
    """
    A sale of KWD 10.000 on a USD card: three digits for one, two for the other.
    """
    record = decided(redeem(amount(10_000, "KWD")))
    told = written(record)
    conversion = told.conversion

    assert triple(told.approved_amount) == (10_000, "KWD", 3)
    assert triple(told.available_balance) == (67_48, "USD", 2)
    assert told.receipt_text == "Paid 10.000 KWD by gift card. Balance: 67.48 USD."
    assert triple(conversion.transaction_amount) == (10_000, "KWD", 3)
    assert triple(conversion.card_amount) == (32_52, "USD", 2)
    assert triple(conversion.settlement_amount) == (10_000, "KWD", 3)
    assert conversion.transaction_rate_to_usd == "3.252"
    assert conversion.card_rate_to_usd == "1"
    assert conversion.applied_rate == "3.252"
    assert conversion.rate_table_version == 1
    assert conversion.rate_effective_from == "2026-01-01T00:00:00Z"
    assert conversion.rounding == "0"
    assert conversion.markup_bps == 0


def test_a_conversion_reads_the_same_from_the_books() -> None:
    """
    Postgres gives rates back with zeros up to their scale; the answer has none.
    """
    record = decided(redeem(amount(100, "JPY")))
    from_books = record._replace(
        rate_transaction=Decimal("0.006650000000"),
        rate_card=Decimal("1.000000000000"),
        applied_rate=Decimal("0.006650000000"),
        rounding=Decimal("0.005000000000000000000000"),
    )

    assert written(from_books) == written(record)
    assert written(record).conversion.rounding == "0.005"
    assert written(record).conversion.card_amount.minor_units == 67


def test_a_tills_wrong_exponent_is_echoed() -> None:
    """
    A till that believes KWD has two digits gets its own amounts back, declined.
    """
    told = written(decided(redeem(Amount(10_00, "KWD", 2))))

    assert told.result == result_pb2.RESULT_INVALID_AMOUNT
    assert triple(told.requested_amount) == (10_00, "KWD", 2)
    assert triple(told.amount_due) == (10_00, "KWD", 2)


def test_a_reversal_names_its_original() -> None:
    """
    A reversal tells the original's transaction, its amount, and the balance after it.
    """
    sale = decide(redeem(amount(30_00)), view(card()), None)
    undone = decide(
        reverse(1),
        view(sale.card, number=2),
        Original(sale.record, reversed=False, later_activity=False),
    ).record
    told = written(undone)

    assert told.activity_type == transaction_pb2.ACTIVITY_TYPE_REVERSAL
    assert told.original_transaction_id == uuid_text(sale.record.transaction_id or b"")
    assert told.approved_amount.minor_units == 30_00
    assert told.amount_due.minor_units == 0
    assert told.available_balance.minor_units == 100_00
    assert told.receipt_text == "Undone: 30.00 USD. Balance: 100.00 USD."


@pytest.mark.parametrize(
    ("command", "seen", "changes", "result", "card_told"),
    [
        (redeem(amount(1)), card(state=CardState.PENDING), {}, 22, True),
        (
            redeem(amount(1)),
            card(state=CardState.BLOCKED, block_reason=BlockReason.LOST),
            {},
            12,
            True,
        ),
        (activate(), card(), {}, 5, True),
        (redeem(amount(1)), card(expires_on=date(2020, 1, 1)), {}, 15, True),
        (redeem(amount(0)), card(), {}, 6, False),
        (
            redeem(amount(1)),
            card(),
            {
                "rules": world.policy(at=world.place(terminal=PartyState.SUSPENDED)),
            },
            4,
            False,
        ),
        (redeem(amount(1)), card(), {"rules": world.policy(accepted=False)}, 7, False),
        (reverse(1), card(), {}, 11, False),
    ],
)
def test_only_who_may_learns_of_the_card(
    command: Any, seen: Any, changes: Any, result: int, card_told: bool
) -> None:
    """
    Balances come after checks 1 to 11, the card after check 6; before, nothing.
    """
    told = written(decided(command, seen, **changes))

    assert told.result == result
    assert present(told) & BALANCES == set()
    assert told.HasField("card") is card_told
    assert bool(told.expires_on) is (card_told and seen.expires_on is not None)
    assert "Balance" not in told.receipt_text
    assert told.receipt_text.startswith("Declined: ")
    assert not told.approval_code


@pytest.mark.parametrize("result", [Result.DUPLICATE, Result.ALREADY_REVERSED])
def test_what_is_not_recorded_tells_nothing(result: Result) -> None:
    """
    DUPLICATE and an original under a tombstone have no transaction and no card.
    """
    record = answer_unrecorded(
        redeem(amount(1)), view(card()), ActivityType.REDEEM, result
    )
    told = outcome(Answer(record, False, CurrentState.DECLINED), world.policy())

    assert int(told.result) == int(result)
    assert told.response_code == RESPONSE_CODES[result]
    assert not told.transaction_id
    assert not told.HasField("card")
    assert told.current_state == transaction_pb2.CURRENT_STATE_DECLINED


def test_a_replay_differs_in_two_fields_only() -> None:
    """
    A replay is the stored answer, marked, with what has become of it.
    """
    record = decided(redeem(amount(30_00)))
    first = outcome(Answer(record, False, CurrentState.POSTED), world.policy())
    replay = outcome(Answer(record, True, CurrentState.REVERSED), world.policy())

    assert replay.replayed
    assert replay.current_state == transaction_pb2.CURRENT_STATE_REVERSED
    replay.replayed = False
    replay.current_state = transaction_pb2.CURRENT_STATE_POSTED
    assert replay == first


def test_host_time_is_exact_to_the_microsecond() -> None:
    """
    The batch's clock arrives whole, also before 1970 and with a fraction.
    """
    moments = [
        datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    record = decided(redeem(amount(1)))
    told = [written(record, host_time=moment).host_time for moment in moments]

    assert [stamp.ToDatetime(UTC) for stamp in told] == moments


def test_a_terminal_that_left_the_policy_has_no_name() -> None:
    """
    An answer is still written when the policy no longer knows its terminal.
    """
    record = decided(redeem(amount(1)))

    assert not written(record, terminal_id=999).terminal_id


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Result, result_pb2.Result),
        (ActivityType, transaction_pb2.ActivityType),
        (CurrentState, transaction_pb2.CurrentState),
        (EntryMode, transaction_pb2.EntryMode),
        (CardState, card_pb2.Card.State),
    ],
)
def test_the_domains_numbers_are_the_contracts(
    ours: type[IntEnum], theirs: Any
) -> None:
    """
    Each value of the domain has the contract's name and number.
    """
    numbers = theirs.values()
    named = {value: theirs.Name(value) for value in numbers}

    assert numbers == sorted(set(numbers))
    assert {0, *(member.value for member in ours)} == set(numbers)
    assert [
        member for member in ours if not named[member].endswith(f"_{member.name}")
    ] == []


def test_an_unknown_currency_is_written_as_it_came() -> None:
    """
    A currency nobody knows is echoed with the till's exponent, and declined.
    """
    told = written(decided(redeem(Amount(10, "ZZZ", 4))))

    assert told.result == result_pb2.RESULT_CURRENCY_NOT_SUPPORTED
    assert triple(told.requested_amount) == (10, "ZZZ", 4)


def test_ids_are_written_in_small_letters() -> None:
    """
    Request and transaction ids are told as 36 characters.
    """
    record = decided(redeem(amount(1)))
    told = written(
        record,
        request_id=RequestId(bytes.fromhex("0198C6A45D1E7F008A4E1F2A3B4C5D6E")),
        transaction_id=TransactionId(b"\xab" * 16),
    )

    assert told.request_id == "0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e"
    assert told.transaction_id == "abababab-abab-abab-abab-abababababab"
