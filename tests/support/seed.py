"""
The base set-up of domain 2 in a real database, by SQL as its owner.

Programme `gift` in USD; merchant m-1 accepts it and m-2 does not. Store m-1/s-1 takes
every currency of the test set and has four tills and a controller; m-1/s-2 and m-2/s-1
have a till each. Rates are table R1. The products `everyday-…` have the limits of any
product, the others can be loaded with any amount a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from gateway.domain.policy import DeviceKind
from gateway.vault.pki import KeyPair, LocalAuthority, certificate_sha256

TRUST_DOMAIN: Final = "scrip.internal"
R1: Final = {
    "KWD": "3.2520",
    "EUR": "1.0850",
    "JPY": "0.00665",
    "LBP": "0.0000111607",
}


@dataclass(frozen=True, slots=True)
class DeviceSeed:
    """
    A device to be registered: a till speaks for its terminal, a controller for all.

    The rest is its terminal's: whether it sends two messages, and its floor limit, USD.
    """

    merchant: str
    store: str
    device: str
    terminal: str | None
    roles: tuple[int, ...] = ()
    two_message: bool = False
    floor_limit: int | None = None

    @property
    def kind(self) -> DeviceKind:
        """
        Give the kind: who has roles is of the staff.
        """
        if self.roles:
            return DeviceKind.STAFF
        return DeviceKind.CONTROLLER if self.terminal is None else DeviceKind.TERMINAL


# By the names that tests use.
DEVICES: Final[Mapping[str, DeviceSeed]] = {
    **{
        f"till-{number}": DeviceSeed("m-1", "s-1", f"till-{number}", f"t-{number}")
        for number in (1, 2, 3, 4)
    },
    "two-message": DeviceSeed("m-1", "s-1", "till-5", "t-5", two_message=True),
    "kiosk": DeviceSeed("m-1", "s-1", "till-6", "t-6", floor_limit=50_00),
    "controller": DeviceSeed("m-1", "s-1", "controller", None),
    "other-store": DeviceSeed("m-1", "s-2", "till-1", "t-1"),
    "outsider": DeviceSeed("m-2", "s-1", "till-1", "t-1"),
}

_PARTIES: Final = """
INSERT INTO program (code, name, time_zone) VALUES ('gift', 'Gift', 'Asia/Beirut');
INSERT INTO merchant (code, name) VALUES ('m-1', 'Merchant'), ('m-2', 'Outsider');
INSERT INTO program_merchant (program_id, merchant_id)
SELECT program_id, merchant_id FROM program, merchant WHERE merchant.code = 'm-1';
INSERT INTO store (merchant_id, code, country, currencies, time_zone)
SELECT merchant_id, s.code, 'LB', s.currencies::char(3)[], 'Asia/Beirut'
FROM merchant, (VALUES
    ('m-1', 's-1', '{USD,EUR,KWD,JPY,LBP,GBP}'),
    ('m-1', 's-2', '{USD,LBP}'),
    ('m-2', 's-1', '{USD}')
) AS s (merchant, code, currencies)
WHERE merchant.code = s.merchant;
INSERT INTO card_product (
    program_id, code, currency, reloadable, fixed_amount_minor, permitted,
    max_load_minor, max_redeem_minor, max_balance_minor
)
SELECT program_id, p.* FROM program, (VALUES
    ('usd', 'USD', true, NULL::bigint, '{1,2,3,5,9}'::smallint[],
        NULL::bigint, NULL::bigint, NULL::bigint),
    ('eur', 'EUR', true, NULL, '{1,2,3,5,9}', NULL, NULL, NULL),
    ('one-time', 'USD', false, NULL, '{1,2,3,5,9}', NULL, NULL, NULL),
    ('fixed', 'USD', false, 5000, '{1,2,3,5,9}', NULL, NULL, NULL),
    ('limited', 'USD', true, NULL, '{1,2,3,5,9}', 20000, 30000, 50000),
    ('load-only', 'USD', true, NULL, '{1,2,5}', NULL, NULL, NULL),
    ('cash', 'USD', true, NULL, '{1,2,3,5,6,9}', NULL, NULL, NULL),
    ('cash-once', 'USD', false, NULL, '{1,2,3,5,6,9}', NULL, NULL, NULL),
    ('cash-by-law', 'USD', true, NULL, '{1,2,3,5,6,9}', NULL, NULL, NULL),
    ('pin', 'USD', true, NULL, '{1,2,3,5,6,9}', NULL, NULL, NULL)
) AS p (code, currency, reloadable, fixed, permitted, load, redeem, balance);
UPDATE card_product SET permitted = permitted || '{12,14,15,16}'::smallint[]
WHERE code <> 'load-only';
UPDATE card_product SET cash_out_limit_minor = 1000
WHERE code IN ('cash', 'cash-once', 'pin');
INSERT INTO limit_set (program_id, code, currency)
SELECT program_id, 'roomy-' || lower(c.code), c.code
FROM program, (VALUES ('USD'), ('EUR')) AS c (code);
INSERT INTO limit_version (limit_set_id, version, load_day_minor)
SELECT limit_set_id, 1, 1000000000000000 FROM limit_set;
UPDATE card_product AS p SET limit_set_id = s.limit_set_id
FROM limit_set AS s WHERE s.currency = p.currency;
INSERT INTO card_product (program_id, code, currency, reloadable, permitted)
SELECT program_id, 'everyday-' || lower(c.code), c.code, true, '{1,2,3,5,6,9}'
FROM program, (VALUES ('USD'), ('EUR')) AS c (code);
UPDATE card_product SET pin_required_for = '{2,3,5,6,9,14}' WHERE code = 'pin';
"""
_TERMINAL: Final = """
INSERT INTO terminal (
    store_id, code, two_message, floor_limit_minor, floor_limit_currency
)
SELECT store_id, %(terminal)s, %(two_message)s, %(floor_limit)s,
    CASE WHEN %(floor_limit)s::bigint IS NOT NULL THEN 'USD' END
FROM store JOIN merchant USING (merchant_id)
WHERE merchant.code = %(merchant)s AND store.code = %(store)s
ON CONFLICT ON CONSTRAINT terminal_code_key DO NOTHING
"""
_DEVICE: Final = """
INSERT INTO device (store_id, code, kind, terminal_id, roles)
SELECT store_id, %(device)s, %(kind)s,
    (SELECT terminal_id FROM terminal
     WHERE terminal.store_id = store.store_id AND terminal.code = %(terminal)s),
    %(roles)s::smallint[]
FROM store JOIN merchant USING (merchant_id)
WHERE merchant.code = %(merchant)s AND store.code = %(store)s
RETURNING device_id
"""
_CERTIFICATE: Final = """
INSERT INTO device_certificate (sha256, device_id) VALUES (%s, %s)
"""
_RATE: Final = """
INSERT INTO rate (version, currency, usd_per_unit, effective_from, as_of, source)
VALUES (%s, %s, %s, %s, %s, 'test')
"""


def seed_parties(owner_dsn: str) -> None:
    """
    Create programme, merchants, stores, products and rate table R1.
    """
    with psycopg.connect(owner_dsn) as connection:
        connection.execute(_PARTIES)
    seed_rates(owner_dsn, R1)


def seed_device(
    owner_dsn: str, authority: LocalAuthority, device: DeviceSeed
) -> KeyPair:
    """
    Register a device with a new certificate, and its terminal if that is new.
    """
    pair = authority.issue_device(
        trust_domain=TRUST_DOMAIN,
        merchant=device.merchant,
        store=device.store,
        device=device.device,
        kind=device.kind.name,
    )
    names: dict[str, object] = {
        "merchant": device.merchant,
        "store": device.store,
        "device": device.device,
        "terminal": device.terminal,
        "two_message": device.two_message,
        "floor_limit": device.floor_limit,
        "kind": int(device.kind),
        "roles": list(device.roles),
    }
    with psycopg.connect(owner_dsn) as connection:
        if device.terminal is not None:
            connection.execute(_TERMINAL, names)
        row = connection.execute(_DEVICE, names).fetchone()
        assert row is not None
        connection.execute(_CERTIFICATE, [certificate_sha256(pair.cert_pem), row[0]])
    return pair


def seed_rates(
    owner_dsn: str,
    rates: Mapping[str, str | None],
    *,
    age: timedelta = timedelta(days=1),
) -> int:
    """
    Load a rate table that is in force for `age` already; give its version.

    No rate may be loaded for the past, so the clock goes back while it is loaded.
    """
    effective = datetime.now(UTC) - age
    with psycopg.connect(owner_dsn) as connection:
        (shift,) = one_row(connection, "SELECT shift FROM clock_offset")
        set_shift(connection, -age - timedelta(seconds=60))
    with psycopg.connect(owner_dsn) as connection:
        (version,) = one_row(
            connection,
            "INSERT INTO rate_table (source, loaded_by) VALUES ('R', 'test') "
            "RETURNING version",
        )
        for currency, text in rates.items():
            row = [version, currency, text, effective, effective]
            connection.execute(_RATE, row)
    with psycopg.connect(owner_dsn) as connection:
        set_shift(connection, shift)
    return int(version)


def set_shift(connection: psycopg.Connection, shift: timedelta) -> None:
    """
    Shift the clock of the books.
    """
    connection.execute("UPDATE clock_offset SET shift = %s", [shift])


def one_row(connection: psycopg.Connection, query: str) -> tuple[Any, ...]:
    """
    Run a query that gives exactly one row.
    """
    (row,) = connection.execute(query.encode()).fetchall()
    return tuple(row)
