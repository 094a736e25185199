"""
Books in which a little of everything was traded, and which balance.

Made once and copied: the check of the books must find nothing in it, and every rule's
violation in a copy that was spoiled.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import psycopg

from currency import (
    USD_RATE,
    Currency,
    UsdRate,
    applied_rate,
    convert,
    rate_e12,
    share_of,
)
from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.domain.cards import Card
from gateway.domain.record import Account, Posting, TransactionRecord
from gateway.domain.results import ActivityType, Result
from gateway.engine.locking import Claim, Locked
from gateway.engine.ports import WriteSet
from tests.support.ledger import (
    MERCHANT,
    PROGRAM,
    cash_out,
    declined,
    load,
    lock_request,
    moved,
    new_claim,
    new_key,
    redeem,
    refund,
    undo,
)
from tests.support.real_lanes import real_lane
from tests.support.stores import FreshDatabase
from tests.support.traded_exceptions import trade_exceptions
from tests.support.traded_holds import HoldTrading
from tests.support.traded_lives import add_cards, live

KWD_RATE: Final = "3.252000000000"
RATES_SQL: Final = """
INSERT INTO rate_table (source, loaded_by) VALUES ('test', 'me');
INSERT INTO rate
SELECT 1, 'KWD', 3.2520, scrip_clock() + interval '2 s', scrip_clock(), 'test';
"""


class Trading:
    """
    Make one transaction after the other, and remember them by name.
    """

    def __init__(self, books: PostgresBooks, rates_since: datetime) -> None:
        self._books = books
        self._rates_since = rates_since
        self.records: dict[str, TransactionRecord] = {}

    async def move(self, name: str, card_id: int, move: Any, **changes: Any) -> None:
        """
        Change one card in its own currency.
        """
        claim = new_claim()
        batch, locked = await self._books.open(lock_request(claim, cards=(card_id,)))
        writes = moved(locked.cards[0], claim, move, locked, **changes)
        await batch.commit(writes)
        self.records[name] = writes.records[0]

    async def sell_in_dinars(self, name: str, card_id: int, fils: int) -> None:
        """
        Sell in another currency than the card's.
        """
        claim = new_claim()
        batch, locked = await self._books.open(lock_request(claim, cards=(card_id,)))
        writes = in_dinars(locked.cards[0], claim, locked, fils, self._rates_since)
        await batch.commit(writes)
        self.records[name] = writes.records[0]

    async def undo_in_dinars(self, name: str, original: str) -> None:
        """
        Undo a sale in another currency, at its own amounts and rates.
        """
        record = self.records[original]
        assert record.card_id is not None
        claim = new_claim()
        request = lock_request(claim, card_ids=(record.card_id,))
        batch, locked = await self._books.open(request)
        writes = moved(locked.cards[0], claim, undo(record), locked)
        undone = with_conversion(writes.records[0], record)
        await batch.commit(with_clearing(writes, undone, sign=-1))
        self.records[name] = undone

    async def refund_in_dinars(self, name: str, sale: str, fils: int) -> None:
        """
        Give back so many fils of a sale, as the first refund of it.
        """
        record = self.records[sale]
        assert record.card_id is not None
        dollar = Currency.of("USD")
        share = share_of(fils, record.approved_minor, record.card_minor, dollar)
        claim = new_claim()
        request = lock_request(claim, card_ids=(record.card_id,))
        batch, locked = await self._books.open(request)
        move = refund(record, share.amount_minor)
        writes = moved(locked.cards[0], claim, move, locked)
        back = with_conversion(writes.records[0], record)._replace(
            requested_minor=fils, approved_minor=fils, rounding=share.rounding
        )
        await batch.commit(with_clearing(writes, back, sign=-1))
        self.records[name] = back

    async def decline(self, name: str, card_id: int) -> None:
        """
        Decline on a known card, whose balances are recorded.
        """
        claim = new_claim()
        batch, locked = await self._books.open(lock_request(claim, cards=(card_id,)))
        card = locked.cards[0]
        writes = declined(
            claim,
            result=Result.INSUFFICIENT_FUNDS,
            program_id=card.program_id,
            card_id=card.card_id,
            card_state=card.state,
            card_currency="USD",
            available_before_minor=card.available_minor,
            available_after_minor=card.available_minor,
            balance_before_minor=card.balance_minor,
            balance_after_minor=card.balance_minor,
            held_after_minor=0,
        )
        await batch.commit(writes)
        self.records[name] = writes.records[0]

    async def reverse_unknown(self, name: str) -> None:
        """
        Reverse what never came: a tombstone stays.
        """
        claim = new_claim()
        grave = Claim(new_key(2), claim.transaction_id, None)
        batch, _ = await self._books.open(lock_request(claim, grave))
        writes = declined(
            claim, activity=ActivityType.REVERSAL, result=Result.ORIGINAL_NOT_FOUND
        )
        await batch.commit(writes)
        self.records[name] = writes.records[0]


def in_dinars(
    card: Card, claim: Claim, locked: Locked, fils: int, rates_since: datetime
) -> WriteSet:
    """
    Write a sale of so many fils, at the rate of the table.
    """
    dinar, dollar = Currency.of("KWD"), Currency.of("USD")
    rates = usd_rate("KWD", KWD_RATE, rates_since), USD_RATE
    converted = convert(fils, dinar, dollar, *rates)
    writes = moved(card, claim, redeem(converted.amount_minor), locked)
    record = writes.records[0]._replace(
        requested_minor=fils,
        requested_exponent=3,
        transaction_currency="KWD",
        approved_minor=fils,
        rate_transaction=Decimal(KWD_RATE),
        rate_card=Decimal(1),
        applied_rate=applied_rate(*rates),
        rate_table_version=1,
        rate_effective_from=rates_since,
        rounding=converted.rounding,
    )
    return with_clearing(writes, record, sign=1)


def usd_rate(code: str, text: str, since: datetime) -> UsdRate:
    """
    Make a rate that is in force.
    """
    return UsdRate(
        currency_code=code,
        usd_per_unit_e12=rate_e12(Decimal(text)),
        version=1,
        effective_from=since,
        as_of=since,
        source="test",
    )


def with_conversion(
    record: TransactionRecord, original: TransactionRecord
) -> TransactionRecord:
    """
    Take over what an original records of its conversion.
    """
    return record._replace(
        requested_minor=original.requested_minor,
        requested_exponent=original.requested_exponent,
        transaction_currency=original.transaction_currency,
        approved_minor=original.approved_minor,
        rate_transaction=original.rate_transaction,
        rate_card=original.rate_card,
        applied_rate=original.applied_rate,
        rate_table_version=original.rate_table_version,
        rate_effective_from=original.rate_effective_from,
        rounding=original.rounding,
    )


def with_clearing(writes: WriteSet, record: TransactionRecord, sign: int) -> WriteSet:
    """
    Post through FX clearing: the card's liability, clearing twice, the merchant.
    """
    transaction_id, card_id = record.transaction_id, record.card_id
    assert transaction_id is not None
    assert card_id is not None
    in_card, in_sale = sign * record.card_minor, sign * record.approved_minor
    lines = (
        (Account.CARD_LIABILITY, PROGRAM, "USD", in_card),
        (Account.FX_CLEARING, PROGRAM, "USD", -in_card),
        (Account.FX_CLEARING, PROGRAM, "KWD", in_sale),
        (Account.MERCHANT_PAYABLE, MERCHANT, "KWD", -in_sale),
    )
    postings = [
        Posting(transaction_id, line, card_id, *entry)
        for line, entry in enumerate(lines, start=1)
    ]
    return WriteSet(
        records=[record],
        postings=postings,
        cards=writes.cards,
        card_versions=writes.card_versions,
    )


async def trade(database: FreshDatabase) -> dict[str, TransactionRecord]:
    """
    Trade a little of everything in a seeded database; give the records by name.
    """
    async with await psycopg.AsyncConnection.connect(
        database.owner_dsn, autocommit=True
    ) as owner:
        async with owner.transaction():
            await owner.execute(RATES_SQL)
        await owner.execute("UPDATE clock_offset SET shift = interval '1 hour'")
        cursor = await owner.execute("SELECT effective_from FROM rate")
        row = await cursor.fetchone()
    assert row is not None
    books = PostgresBooks(database.gateway_dsn, Session())
    trading = Trading(books, row[0])
    await trading.move("loaded", 1, load(5_000))
    await trading.move("spent", 1, redeem(1_200))
    await trading.move("unspent", 1, undo(trading.records["spent"]))
    await trading.move("loaded twice", 1, load(40))
    await trading.move("loaded back", 2, load(300))
    await trading.move("unloaded", 2, undo(trading.records["loaded back"]))
    await trading.move("spent in part", 1, redeem(100), result=2, requested_minor=130)
    await trading.decline("declined", 3)
    await trading.reverse_unknown("reversed too early")
    await trading.sell_in_dinars("sold in dinars", 1, 1_001)
    await trading.sell_in_dinars("sold in dinars by mistake", 1, 2_002)
    await trading.undo_in_dinars("undone in dinars", "sold in dinars by mistake")
    await trading.move("loaded small", 4, load(800))
    await trading.move("paid out", 4, cash_out(800))
    await trading.move("paid back", 4, undo(trading.records["paid out"]))
    await trading.move("paid out again", 4, cash_out(800))
    unpaid = undo(trading.records["paid out again"], ActivityType.VOID)
    await trading.move("paid back on its day", 4, unpaid)
    await trading.move("paid out at last", 4, cash_out(800))
    await trading.move("sold", 1, redeem(900))
    await trading.move("refunded", 1, refund(trading.records["sold"], 400))
    await trading.move("refunded more", 1, refund(trading.records["sold"], 500))
    unrefunded = undo(trading.records["refunded more"], ActivityType.VOID)
    await trading.move("unrefunded", 1, unrefunded)
    await trading.refund_in_dinars("refunded in dinars", "sold in dinars", 333)
    await trading.move("sold by mistake", 1, redeem(70))
    voided = undo(trading.records["sold by mistake"], ActivityType.VOID)
    await trading.move("voided", 1, voided)
    await trading.move("loaded to hold", 3, load(2_000))
    await HoldTrading(books, 3, row[0], trading.records).trade()
    exceptions = await trade_exceptions(books)
    await books.close()
    await add_cards(database.owner_dsn, active=range(11, 15), pending=range(21, 23))
    async with real_lane(database.gateway_dsn) as lane:
        lives = await live(lane)
    told = {name: told.record for name, told in lives.items()}
    return trading.records | exceptions | told
