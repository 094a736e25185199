"""
What a batch decided, as the parameters of the statements that write it.

The order is that of the parameters in `sql/lane.sql` and `sql/journal.sql`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Final

from gateway.books.arrays import (
    bools,
    byteas,
    dates,
    int2s,
    int8s,
    moments,
    numerics,
    texts,
    uuids,
)
from gateway.books.rows import HOLD_FIELDS
from gateway.domain.card_pins import PinTries
from gateway.domain.cards import Card
from gateway.domain.exceptions import ExceptionItem
from gateway.domain.holds import Hold, HoldStep
from gateway.domain.ids import CardId, RequestKey, TerminalId
from gateway.domain.limits import UNUSED, DayUse
from gateway.domain.record import Posting, TransactionRecord
from gateway.engine.locking import Claim

Pack = Callable[[Sequence[Any]], bytes]

TRANSACTION_COLUMNS: Final[dict[str, Pack]] = {
    "transaction_id": uuids,
    "terminal_id": int8s,
    "request_id": uuids,
    "activity": int2s,
    "result": int2s,
    "merchant_id": int8s,
    "store_id": int8s,
    "program_id": int8s,
    "card_id": int8s,
    "card_number_index": byteas,
    "card_last_four": texts,
    "card_seq": int8s,
    "card_state": int2s,
    "expires_on": dates,
    "original_transaction_id": uuids,
    "effective": bools,
    "reason": int2s,
    "requested_minor": int8s,
    "requested_exponent": int8s,
    "transaction_currency": texts,
    "approved_minor": int8s,
    "card_minor": int8s,
    "card_currency": texts,
    "rate_transaction": numerics,
    "rate_card": numerics,
    "applied_rate": numerics,
    "rate_table_version": int8s,
    "rate_effective_from": moments,
    "rounding": numerics,
    "markup_bps": int2s,
    "available_before_minor": int8s,
    "available_after_minor": int8s,
    "balance_before_minor": int8s,
    "balance_after_minor": int8s,
    "held_after_minor": int8s,
    "balances_shown": bools,
    "host_time": moments,
    "business_date": dates,
    "batch_no": int8s,
    "policy_version": int8s,
    "approval_code": texts,
    "merchant_reference": texts,
    "cashier_id": texts,
    "entry_mode": int2s,
    "local_time": texts,
    "system_trace_no": texts,
    "terminal_batch_no": texts,
    "refusal": int2s,
    "restriction_version_id": int8s,
    "refusal_hours": texts,
    "channel": int2s,
    "actor": texts,
    "offline": bools,
    "unconfirmed": bools,
    "seen": byteas,
    "limit_kind": int2s,
    "limit_value": int8s,
    "limit_window_s": int8s,
    "limit_version_id": int8s,
    "terminal_minor": int8s,
}
_TRANSACTION_PACKS: Final = tuple(TRANSACTION_COLUMNS.values())

POSTING_COLUMNS: Final[dict[str, Pack]] = {
    "transaction_id": uuids,
    "line": int2s,
    "card_id": int8s,
    "account": int2s,
    "owner_id": int8s,
    "currency": texts,
    "amount_minor": int8s,
}
_POSTING_PACKS: Final = tuple(POSTING_COLUMNS.values())

_CARD_PACKS: Final[tuple[Pack, ...]] = (
    int8s,
    int8s,
    int2s,
    int2s,
    int8s,
    int8s,
    int8s,
    int8s,
    dates,
    int8s,
    moments,
    int8s,
    moments,
    int8s,
    dates,
    int8s,
    int8s,
    int8s,
    int8s,
)
_USE_PACKS: Final[tuple[Pack, ...]] = (int8s, dates, int8s, int8s, int8s, int8s)

HOLD_COLUMNS: Final[dict[str, Pack]] = {
    "hold_id": uuids,
    "card_id": int8s,
    "terminal_id": int8s,
    "state": int2s,
    "currency": texts,
    "authorized_minor": int8s,
    "card_minor": int8s,
    "captured_minor": int8s,
    "captured_card_minor": int8s,
    "rate_transaction": numerics,
    "rate_card": numerics,
    "applied_rate": numerics,
    "rate_table_version": int8s,
    "rate_effective_from": moments,
    "expires_at": moments,
}
_HOLD_PACKS: Final = tuple(HOLD_COLUMNS.values())

_STEP_PACKS: Final[tuple[Pack, ...]] = (
    uuids,
    uuids,
    int8s,
    int2s,
    texts,
    int8s,
    int8s,
    int8s,
    moments,
)

EXCEPTION_COLUMNS: Final[dict[str, Pack]] = {
    "transaction_id": uuids,
    "kind": int2s,
    "opened_by": uuids,
    "reason": int2s,
    "store_id": int8s,
    "amount_minor": int8s,
    "currency": texts,
    "opened_at": moments,
}
_EXCEPTION_PACKS: Final = tuple(EXCEPTION_COLUMNS.values())
_TRY_PACKS: Final[tuple[Pack, ...]] = (int8s, int2s, int2s, moments, int8s)

_key: Final = itemgetter(0)
_hold_values: Final = attrgetter(*HOLD_FIELDS[: len(HOLD_COLUMNS)])


def transaction_parameters(records: Sequence[TransactionRecord]) -> list[bytes]:
    """
    Pack records for `insert_transactions`.
    """
    return packed(_TRANSACTION_PACKS, records)


def posting_parameters(postings: Sequence[Posting]) -> list[bytes]:
    """
    Pack postings for `insert_postings`.
    """
    return packed(_POSTING_PACKS, postings)


def card_parameters(
    cards: Sequence[Card],
    locked_versions: dict[CardId, int],
    uses: Mapping[CardId, DayUse],
) -> list[bytes]:
    """
    Pack cards for `update_cards`, each with the version that was locked and its day.
    """
    return packed(
        _CARD_PACKS,
        [
            (
                card.card_id,
                locked_versions[card.card_id],
                card.state,
                card.block_reason,
                card.balance_minor,
                card.held_minor,
                card.unconfirmed_minor,
                card.load_count,
                card.expires_on,
                card.version,
                card.last_transaction_at,
                card.loaded_minor,
                card.next_hold_expiry,
                card.replaced_by,
                *uses.get(card.card_id, UNUSED),
            )
            for card in cards
        ],
    )


def try_parameters(tries: Sequence[PinTries]) -> list[bytes]:
    """
    Pack counts of wrong PINs for `write_pin_tries`.
    """
    return packed(_TRY_PACKS, tries)


def hold_parameters(holds: Sequence[Hold]) -> list[bytes]:
    """
    Pack holds for `write_holds`.
    """
    return packed(_HOLD_PACKS, [_hold_values(hold) for hold in holds])


def step_parameters(steps: Sequence[HoldStep]) -> list[bytes]:
    """
    Pack what became of holds for `insert_hold_steps`.
    """
    return packed(_STEP_PACKS, steps)


def terminal_parameters(uses: Mapping[TerminalId, DayUse]) -> list[bytes]:
    """
    Pack what terminals did for `update_terminals`.
    """
    return packed(_USE_PACKS, [(place, *use) for place, use in uses.items()])


def looking_back_parameters(
    looking_back: Sequence[tuple[CardId, datetime]],
) -> list[bytes]:
    """
    Pack cards and moments for `recent_uses`.
    """
    card_ids, since = zip(*looking_back, strict=True)
    return [int8s(card_ids), moments(since)]


def exception_parameters(exceptions: Sequence[ExceptionItem]) -> list[bytes]:
    """
    Pack exceptions for `insert_exceptions`.
    """
    return packed(_EXCEPTION_PACKS, exceptions)


def claim_parameters(claims: Iterable[Claim]) -> list[bytes]:
    """
    Pack claims for `claim_keys`, sorted: two batches wait for keys in one order.
    """
    ordered = sorted(claims, key=_key)
    keys, transaction_ids, fingerprints = zip(*ordered, strict=True)
    terminal_ids, request_ids = zip(*keys, strict=True)
    return [
        int8s(terminal_ids),
        uuids(request_ids),
        uuids(transaction_ids),
        int8s([made and made.key_id for made in fingerprints]),
        byteas([made and made.tag for made in fingerprints]),
    ]


def key_parameters(keys: Sequence[RequestKey]) -> list[bytes]:
    """
    Pack request keys for a look-up.
    """
    terminal_ids, request_ids = zip(*keys, strict=True)
    return [int8s(terminal_ids), uuids(request_ids)]


def packed(packs: tuple[Pack, ...], rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
    """
    Turn rows into columns, by slices of one long list: `zip` takes three times as long.
    """
    width = len(packs)
    values = list(chain.from_iterable(rows))
    if len(values) != width * len(rows):
        message = f"each row has {width} columns"
        raise ValueError(message)
    return [pack(values[place::width]) for place, pack in enumerate(packs)]
