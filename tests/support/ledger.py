"""
A small programme in a real database, and hand-made transactions on its cards.

The records here are made without the domain's decisions, so that a test of the books
can also write what a decision never would.
"""

import hashlib
import itertools
import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import psycopg

from gateway.domain.cards import Card
from gateway.domain.commands import Fingerprint
from gateway.domain.ids import (
    CardId,
    MerchantId,
    ProductId,
    ProgramId,
    RequestId,
    RequestKey,
    StoreId,
    TerminalId,
    TransactionId,
)
from gateway.domain.record import Account, Posting, TransactionRecord
from gateway.domain.results import DEBITS, UNDOINGS, ActivityType, Result
from gateway.engine.locking import Claim, Locked, LockRequest
from gateway.engine.ports import WriteSet

PROGRAM: Final = ProgramId(1)
MERCHANT: Final = MerchantId(1)
STORE: Final = StoreId(1)
TERMINAL: Final = TerminalId(1)
PRODUCT: Final = ProductId(1)
DAY: Final = date(2026, 11, 21)
NOON: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

_NUMBERS: Final = itertools.count(1)

PROGRAMME_SQL: Final = """
INSERT INTO program (code, name, time_zone) VALUES ('gift', 'Gift', 'Asia/Beirut');
INSERT INTO merchant (code, name) VALUES ('acme', 'Acme');
INSERT INTO program_merchant (program_id, merchant_id) VALUES (1, 1);
INSERT INTO store (merchant_id, code, country, currencies, time_zone) VALUES
    (1, 'beirut', 'LB', '{LBP,USD,KWD}', 'Asia/Beirut');
INSERT INTO terminal (store_id, code) VALUES (1, 'till-1'), (1, 'till-2');
INSERT INTO device (store_id, code, kind, terminal_id) VALUES
    (1, 'till-1', 1, 1), (1, 'office', 2, NULL);
INSERT INTO device_certificate (sha256, device_id, revoked) VALUES
    (decode(repeat('01', 32), 'hex'), 1, false),
    (decode(repeat('02', 32), 'hex'), 1, true),
    (decode(repeat('03', 32), 'hex'), 2, false);
INSERT INTO card_product (
    program_id, code, currency, reloadable, permitted, max_balance_minor
) VALUES (1, 'usd', 'USD', true, '{1,2,3,4,5}', 100000);
INSERT INTO currency_rule (currency, max_age) VALUES ('LBP', '3 days'), ('KWD', NULL);
"""

CARDS_SQL: Final = """
INSERT INTO card (
    program_id, product_id, number_index, number_index_key_id, number_ciphertext,
    last_four, state, currency
)
SELECT
    1, 1, sha256(convert_to(n::text, 'UTF8')), 1, '\\x00', lpad(n::text, 4, '0'),
    3, 'USD'
FROM generate_series(1, %s) AS n
"""


def seed(owner_dsn: str, *, cards: int = 4) -> None:
    """
    Make one programme, merchant and store, two terminals, and active, empty cards.

    Cards have the ids 1, 2, 3, …
    """
    with psycopg.connect(owner_dsn) as connection:
        connection.execute(PROGRAMME_SQL)
        connection.execute(CARDS_SQL, (cards,))


def number_index(card_id: int) -> bytes:
    """
    Give the number's index of a seeded card.
    """
    return hashlib.sha256(str(card_id).encode()).digest()


def new_transaction_id() -> TransactionId:
    """
    Make an id that sorts after the ones before it.
    """
    return TransactionId(next(_NUMBERS).to_bytes(8, "big") + os.urandom(8))


def new_key(terminal_id: int = TERMINAL) -> RequestKey:
    """
    Make the key of a request never seen before.
    """
    return RequestKey(TerminalId(terminal_id), RequestId(os.urandom(16)))


def new_claim(key: RequestKey | None = None, *, tombstone: bool = False) -> Claim:
    """
    Claim a key, a new one unless told which.
    """
    fingerprint = None if tombstone else Fingerprint(1, os.urandom(32))
    return Claim(key or new_key(), new_transaction_id(), fingerprint)


def lock_request(
    *claims: Claim, cards: tuple[int, ...] = (), card_ids: tuple[int, ...] = ()
) -> LockRequest:
    """
    Ask for cards, by number and by id, and for keys.
    """
    return LockRequest(
        card_indexes=[number_index(card) for card in cards],
        card_ids=[CardId(card_id) for card_id in card_ids],
        claims=list(claims),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    What one transaction is to do to a card: its balance changes by `amount_minor`.
    """

    activity: ActivityType
    amount_minor: int
    original: TransactionRecord | None = None


def undo(original: TransactionRecord, by: ActivityType = ActivityType.REVERSAL) -> Move:
    """
    Undo the whole of a transaction.
    """
    spent = original.activity in DEBITS
    amount = original.card_minor if spent else -original.card_minor
    return Move(activity=by, amount_minor=amount, original=original)


def refund(sale: TransactionRecord, amount_minor: int) -> Move:
    """
    Give back what a sale spent.
    """
    return Move(activity=ActivityType.REFUND, amount_minor=amount_minor, original=sale)


def load(amount_minor: int) -> Move:
    """
    Add value.
    """
    return Move(activity=ActivityType.LOAD, amount_minor=amount_minor)


def redeem(amount_minor: int) -> Move:
    """
    Spend.
    """
    return Move(activity=ActivityType.REDEEM, amount_minor=-amount_minor)


def cash_out(amount_minor: int) -> Move:
    """
    Pay the rest out.
    """
    return Move(activity=ActivityType.CASH_OUT, amount_minor=-amount_minor)


def moved(
    card: Card, claim: Claim, move: Move, locked: Locked | None = None, **changes: Any
) -> WriteSet:
    """
    Write one approved transaction that changes one card.
    """
    at = locked.clock if locked is not None else NOON
    after = card.moved(
        move.amount_minor, at, loads=loads_of(move), expires_on=card.expires_on
    )
    amount = abs(move.amount_minor)
    reverses = move.activity in UNDOINGS
    record = plain_record(claim)._replace(
        activity=move.activity,
        result=Result.APPROVED,
        program_id=card.program_id,
        card_id=card.card_id,
        card_last_four=card.last_four,
        card_seq=after.version,
        card_state=after.state,
        original_transaction_id=(
            move.original.transaction_id if move.original is not None else None
        ),
        effective=True if reverses else None,
        approved_minor=amount,
        card_minor=amount,
        card_currency=card.currency.code,
        available_before_minor=card.available_minor,
        available_after_minor=after.available_minor,
        balance_before_minor=card.balance_minor,
        balance_after_minor=after.balance_minor,
        held_after_minor=after.held_minor,
        balances_shown=True,
        host_time=at,
        approval_code="A1B2C3",
    )
    record = record._replace(**{"requested_minor": amount, **changes})
    return WriteSet(
        records=[record],
        postings=two_postings(record, move) if amount else [],
        cards=[after],
        card_versions={card.card_id: card.version},
    )


def loads_of(move: Move) -> int:
    """
    Tell by how much a card's count of loads changes.
    """
    if move.activity in {ActivityType.ACTIVATE, ActivityType.LOAD}:
        return 1
    undone = move.original if move.activity in UNDOINGS else None
    return -1 if undone and undone.activity is ActivityType.LOAD else 0


def two_postings(record: TransactionRecord, move: Move) -> list[Posting]:
    """
    Debit the card's liability by what was moved, and credit the merchant's account.
    """
    liability_minor = -move.amount_minor
    transaction_id, card_id = record.transaction_id, record.card_id
    assert transaction_id is not None
    assert card_id is not None
    undoes = move.activity in UNDOINGS and move.original is not None
    made = move.original.activity if undoes and move.original else move.activity
    bought = made in {*DEBITS, ActivityType.REFUND}
    other = Account.MERCHANT_PAYABLE if bought else Account.MERCHANT_RECEIVABLE
    first = Posting(
        transaction_id=transaction_id,
        line=1,
        card_id=card_id,
        account=Account.CARD_LIABILITY,
        owner_id=PROGRAM,
        currency="USD",
        amount_minor=liability_minor,
    )
    return [
        first,
        first._replace(
            line=2, account=other, owner_id=MERCHANT, amount_minor=-liability_minor
        ),
    ]


def plain_record(claim: Claim) -> TransactionRecord:
    """
    Record a decline of an unknown card: the least a row can hold.
    """
    values: dict[str, Any] = dict.fromkeys(TransactionRecord._fields)
    values |= TransactionRecord._field_defaults
    values |= {
        "transaction_id": claim.transaction_id,
        "terminal_id": claim.key.terminal_id,
        "request_id": claim.key.request_id,
        "activity": ActivityType.REDEEM,
        "result": Result.INVALID_CARD,
        "merchant_id": MERCHANT,
        "store_id": STORE,
        "requested_minor": 1_000,
        "requested_exponent": 2,
        "transaction_currency": "USD",
        "approved_minor": 0,
        "card_minor": 0,
        "markup_bps": 0,
        "balances_shown": False,
        "host_time": NOON,
        "business_date": DAY,
        "batch_no": 1,
        "policy_version": 1,
    }
    return TransactionRecord(**values)


def declined(claim: Claim, **changes: Any) -> WriteSet:
    """
    Write one decline.
    """
    record = plain_record(claim)._replace(**changes)
    return WriteSet(records=[record], postings=[], cards=[], card_versions={})


def together(*writes: WriteSet) -> WriteSet:
    """
    Write several things in one batch; the last state of a card counts.
    """
    cards = {card.card_id: card for write in writes for card in write.cards}
    versions: dict[CardId, int] = {}
    for write in writes:
        for card_id, version in write.card_versions.items():
            versions.setdefault(card_id, version)
    return replace(
        writes[0],
        records=[record for write in writes for record in write.records],
        postings=[posting for write in writes for posting in write.postings],
        cards=list(cards.values()),
        card_versions=versions,
    )
