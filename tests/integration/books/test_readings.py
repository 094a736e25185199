"""
What is read without locks.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
import pytest
import pytest_asyncio

from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.books.readings import PostgresReadings
from gateway.domain.cash_out_rules import CashOutRule, RuledCards, RuleKind
from gateway.domain.commands import CardRef
from gateway.domain.ids import (
    IssueBatchId,
    MerchantId,
    ProgramId,
    RestrictionSetId,
    StoreId,
    TerminalId,
)
from gateway.domain.policy import Caller, DeviceKind, DeviceName, PartyState
from gateway.domain.results import ActivityType
from gateway.engine.ports import BooksUnavailableError
from tests.support.ledger import (
    declined,
    load,
    lock_request,
    moved,
    new_claim,
    new_key,
    number_index,
)
from tests.support.stores import FreshDatabase

Owner = psycopg.AsyncConnection[Any]

SOON = timedelta(seconds=2)


@pytest_asyncio.fixture
async def readings(seeded: FreshDatabase) -> AsyncIterator[PostgresReadings]:
    """
    Give one worker's readings.
    """
    made = PostgresReadings(seeded.gateway_dsn, Session())
    yield made
    await made.close()


def ref(card_id: int) -> CardRef:
    """
    Name a seeded card as a till does.
    """
    return CardRef(number_index(card_id), "0000")


async def import_rates(owner: Owner, *rates: tuple[str, str | None, timedelta]) -> int:
    """
    Load one version of the rate table: currency, rate, and when it comes into force.
    """
    async with owner.transaction():
        cursor = await owner.execute(
            "INSERT INTO rate_table (source, loaded_by) VALUES ('test', 'me') "
            "RETURNING version"
        )
        row = await cursor.fetchone()
        assert row is not None
        for currency, rate, ahead in rates:
            await owner.execute(
                "INSERT INTO rate VALUES "
                "(%s, %s, %s, scrip_clock() + %s, scrip_clock(), 'test')",
                (row[0], currency, rate, ahead),
            )
    return int(row[0])


async def test_balances_come_in_one_snapshot(
    books: PostgresBooks, readings: PostgresReadings
) -> None:
    """
    Known cards come with their money, unknown ones not at all, with the clock.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(2,)))
    await batch.commit(moved(locked.cards[0], claim, load(700), locked))

    read = await readings.read_balances([ref(2), ref(99)])

    assert [(2, 700)] == [(card.card_id, card.balance_minor) for card in read.cards]
    assert read.clock >= locked.clock
    assert locked.policy_version == read.policy_version


async def test_unknown_cards_alone_still_give_the_clock(
    readings: PostgresReadings,
) -> None:
    """
    A read that finds no card tells the time and the policy's version.
    """
    read = await readings.read_balances([ref(99)])

    assert [] == list(read.cards)
    assert read.clock.tzinfo is UTC


async def test_a_read_does_not_wait_for_a_lock(
    books: PostgresBooks, readings: PostgresReadings
) -> None:
    """
    While a batch holds a card, its last committed balance is read.
    """
    batch, _ = await books.open(lock_request(cards=(1,)))
    read = await readings.read_balances([ref(1)])
    await batch.rollback()

    assert 0 == read.cards[0].balance_minor


async def test_requests_are_found_by_key(
    books: PostgresBooks, readings: PostgresReadings
) -> None:
    """
    A recorded request, a tombstone and an absent one are told apart.
    """
    asked, grave = new_claim(), new_claim(tombstone=True)
    batch, _ = await books.open(lock_request(asked))
    await batch.commit(declined(asked))
    reversal = grave._replace(key=new_key(), fingerprint=asked.fingerprint)
    batch, _ = await books.open(lock_request(reversal, grave))
    await batch.commit(declined(reversal, activity=ActivityType.REVERSAL))

    stored = await readings.read_requests([asked.key, grave.key, new_key()])

    assert {asked.key, grave.key} == stored.keys()
    assert asked.fingerprint == stored[asked.key].fingerprint
    assert stored[grave.key].fingerprint is None
    assert reversal.transaction_id == stored[grave.key].record.transaction_id
    assert {} == await readings.read_requests([])


async def test_the_policy_is_read_whole(readings: PostgresReadings) -> None:
    """
    Programmes, products, places, devices and rules come as the operator made them.
    """
    policy = await readings.load_policy(None)

    place = policy.places[TerminalId(2)]
    product = next(iter(policy.products.values()))
    till = policy.devices[DeviceName("acme", "beirut", "till-1")]
    office = policy.devices[DeviceName("acme", "beirut", "office")]
    assert ZoneInfo("Asia/Beirut") is policy.programs[ProgramId(1)].time_zone
    assert frozenset(map(ActivityType, range(1, 6))) == product.permitted
    assert 100_000 == product.max_balance_minor
    assert ("till-2", "beirut", "acme") == (
        place.terminal.code,
        place.store.code,
        place.merchant.code,
    )
    assert frozenset({"LBP", "USD", "KWD"}) == place.store.currencies
    assert (time(0, 0), PartyState.ACTIVE) == (place.store.cut_off, place.store.state)
    assert TerminalId(1) == policy.terminal_ids[StoreId(1), "till-1"]
    assert frozenset({(ProgramId(1), MerchantId(1))}) == policy.accepted
    assert (DeviceKind.TERMINAL, TerminalId(1)) == (till.kind, till.terminal_id)
    assert (DeviceKind.CONTROLLER, None) == (office.kind, office.terminal_id)
    assert frozenset({b"\x01" * 32}) == till.certificates
    assert {"LBP": timedelta(days=3)} == policy.max_rate_age
    assert place == policy.check_caller(
        Caller(office.name, b"\x03" * 32), TerminalId(2)
    )


async def test_the_law_of_cash_out_is_read(
    readings: PostgresReadings, owner: Owner
) -> None:
    """
    Rules, the store's jurisdiction and the product's limit; each raises the version.
    """
    before = await readings.policy_version()
    await owner.execute(
        "INSERT INTO cash_out_rule (jurisdiction, effective_from, cards, kind, "
        "limit_minor, currency, used_percent, source) VALUES "
        "('US-CA', '2026-04-01', 1, 1, 1500, 'USD', NULL, 'law'), "
        "('US-MA', '2003-04-01', 2, 3, NULL, NULL, 90, 'law')"
    )
    await owner.execute("UPDATE store SET country = 'US', jurisdiction = 'US-CA'")
    await owner.execute("UPDATE card_product SET cash_out_limit_minor = 1000")
    policy = await readings.load_policy(None)

    rules = policy.cash_out_rules
    assert before + 3 == policy.version
    assert CashOutRule(
        jurisdiction="US-CA",
        effective_from=date(2026, 4, 1),
        cards=RuledCards.ANY,
        kind=RuleKind.BELOW,
        limit_minor=1500,
        currency="USD",
    ) == rules.rule_for("US-CA", date(2026, 4, 1), reloadable=True)
    used = rules.rule_for("US-MA", date(2026, 4, 1), reloadable=False)
    assert used is not None
    assert 90 == used.used_percent
    assert "US-CA" == policy.places[TerminalId(1)].store.jurisdiction
    assert [1000] == [each.cash_out_limit_minor for each in policy.products.values()]


async def test_every_change_of_policy_has_a_version(
    readings: PostgresReadings, owner: Owner
) -> None:
    """
    A change raises the version that batches and readers are told, once a statement.
    """
    before = await readings.policy_version()
    await owner.execute("UPDATE terminal SET state = 2")
    policy = await readings.load_policy(None)

    assert before + 1 == policy.version == await readings.policy_version()
    assert PartyState.SUSPENDED is policy.places[TerminalId(1)].terminal.state


async def test_known_rates_are_taken_over(
    readings: PostgresReadings, owner: Owner
) -> None:
    """
    Versions read before are not read again; new ones join them; withdrawn is None.
    """
    first = await import_rates(
        owner, ("KWD", "3.2520", SOON), ("LBP", "0.0000111607", SOON)
    )
    known = await readings.load_policy(None)
    second = await import_rates(owner, ("KWD", None, timedelta(days=1)))
    policy = await readings.load_policy(known)

    later = datetime.now(UTC) + timedelta(minutes=1)
    rate = policy.rates.rate_at("KWD", later)
    assert rate is not None
    assert 3_252_000_000_000 == rate.usd_per_unit_e12
    assert policy.rates.rate_at("KWD", later + timedelta(days=1)) is None
    assert (first, second) == (
        policy.rates.version_at(later),
        policy.rates.version_at(later + timedelta(days=1)),
    )
    assert 3 == len(policy.rates.rates)
    assert (await readings.load_policy(policy)).rates is policy.rates


RESTRICTIONS: Final = """
INSERT INTO restriction_set (program_id, code) VALUES (1, 'lunch'), (1, 'abroad');
INSERT INTO store_group (program_id, code) VALUES (1, 'malls');
INSERT INTO store_group_member (store_id, store_group_id) VALUES (1, 1);
UPDATE store SET merchant_category = '5812';
INSERT INTO restriction_version (restriction_set_id, version)
VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO restriction_entry (restriction_version_id, rule, country)
VALUES (1, 2, 'LB'), (3, 2, 'LB');
INSERT INTO restriction_entry (restriction_version_id, rule, store_id) VALUES (2, 1, 1);
INSERT INTO restriction_window VALUES (2, 31, 690, 840);
UPDATE card_product SET restriction_set_id = 1;
INSERT INTO issue_batch (product_id, program_id, restriction_set_id)
VALUES (1, 1, 2), (1, 1, NULL);
UPDATE card SET issue_batch_id = 1, restriction_set_id = 2 WHERE card_id = 1;
"""


async def test_restrictions_are_read_and_known_versions_taken_over(
    readings: PostgresReadings, owner: Owner, books: PostgresBooks
) -> None:
    """
    Of each set the greatest version is in force; what is known is not read again.
    """
    async with owner.transaction():
        await owner.execute(RESTRICTIONS)
    policy = await readings.load_policy(None)
    lunch = policy.restrictions[RestrictionSetId(1)]
    await owner.execute("UPDATE store SET merchant_category = NULL")
    again = await readings.load_policy(policy)
    balances = await readings.read_balances([ref(1)])
    batch, locked = await books.open(lock_request(cards=(1,)))
    await batch.rollback()
    store = policy.places[TerminalId(1)].store

    assert lunch.version_id == 2
    assert lunch.hours is not None
    assert lunch.hours.text == "1-5 11:30-14:00"
    assert lunch.denied_countries is None
    assert policy.restrictions[RestrictionSetId(2)].denied_countries == frozenset(
        ["LB"]
    )
    assert policy.issue_batches == {IssueBatchId(1): RestrictionSetId(2)}
    assert {one.restriction_set_id for one in policy.products.values()} == {1}
    assert (store.merchant_category, list(store.groups)) == ("5812", [1])
    assert again.places[TerminalId(1)].store.merchant_category is None
    assert again.restrictions[RestrictionSetId(1)] is lunch
    (card,) = balances.cards
    assert (card.issue_batch_id, card.restriction_set_id) == (1, 2)
    assert locked.cards[0] == balances.cards[0]


async def test_many_readers_share_one_connection(readings: PostgresReadings) -> None:
    """
    Readers that ask at once get each their own answer.
    """
    reads = await asyncio.gather(
        *(readings.read_balances([ref(card_id)]) for card_id in (1, 2, 3, 4) * 8)
    )

    assert [1, 2, 3, 4] * 8 == [read.cards[0].card_id for read in reads]


async def test_a_reader_that_goes_away_disturbs_nobody(
    readings: PostgresReadings,
) -> None:
    """
    The answer of a reader that was cancelled is not given to the next one.
    """
    await readings.connect()
    gone = asyncio.ensure_future(readings.read_balances([ref(1)]))
    await asyncio.sleep(0)
    gone.cancel()
    read = await readings.read_balances([ref(2)])

    assert [2] == [card.card_id for card in read.cards]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_lost_connection_is_made_again(
    readings: PostgresReadings, superuser: Owner
) -> None:
    """
    A server that ended the connection is asked once more on a new one.
    """
    await readings.policy_version()
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = 'scrip_gateway'"
    )

    assert await readings.policy_version() > 1


async def test_readings_cannot_write(readings: PostgresReadings) -> None:
    """
    A reader's transaction is read-only, whatever its role may do.
    """
    await readings.connect()
    options = Session(snapshots=True).options()

    assert "default_transaction_read_only=on" in options
    assert r"default_transaction_isolation=repeatable\ read" in options


async def test_no_server_is_unavailable(tmp_path: object) -> None:
    """
    Where nobody answers, readers are told so at once, and again while it pauses.
    """
    readings = PostgresReadings(f"host={tmp_path} dbname=none", Session())
    for _ in range(3):
        with pytest.raises(BooksUnavailableError):
            await readings.policy_version()
    await readings.close()


async def test_the_clock_is_shifted_by_the_owner(
    readings: PostgresReadings, owner: Owner
) -> None:
    """
    A shift moves the clock that readers and batches are told.
    """
    await owner.execute("UPDATE clock_offset SET shift = interval '-400 days'")
    read = await readings.read_balances([ref(1)])

    assert timedelta(days=-400) == await readings.clock_shift()
    assert read.clock < datetime.now(UTC) - timedelta(days=399)
