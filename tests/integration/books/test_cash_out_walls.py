"""
The second walls of cash-out: what the tables refuse, whoever asks.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from gateway.runtime.embedded import EmbeddedPostgres
from tests.support.ledger import seed
from tests.support.stores import FreshDatabase, fresh_database

Connection = psycopg.Connection[Any]

RULE: Final[dict[str, object]] = {
    "jurisdiction": "US-CA",
    "effective_from": "2026-04-01",
    "cards": 1,
    "kind": 1,
    "limit_minor": 1500,
    "currency": "USD",
    "used_percent": None,
    "source": "law",
}
NO_AMOUNT: Final[dict[str, object]] = {"limit_minor": None, "currency": None}
USED: Final = NO_AMOUNT | {"cards": 2, "kind": 3, "used_percent": 90}
INSERT: Final = """
INSERT INTO cash_out_rule VALUES (
    %(jurisdiction)s, %(effective_from)s, %(cards)s, %(kind)s, %(limit_minor)s,
    %(currency)s, %(used_percent)s, %(source)s
)
"""


@pytest.fixture(scope="module")
def shared(
    postgres_server: EmbeddedPostgres, template_database: str
) -> Iterator[FreshDatabase]:
    """
    Give one seeded database for all tests here: what they do is not kept.
    """
    with fresh_database(postgres_server, template_database) as database:
        seed(database.owner_dsn)
        yield database


@pytest.fixture
def connection(shared: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner, whom no right stops, and roll back at the end.
    """
    with psycopg.connect(shared.owner_dsn) as made:
        yield made
        made.rollback()


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"jurisdiction": "US-California"}, "jurisdiction_check"),
        ({"cards": 4}, "cards_check"),
        ({"kind": 5} | NO_AMOUNT, "kind_check"),
        ({"limit_minor": 0}, "limit_minor_check"),
        ({"currency": "usd"}, "currency_check"),
        ({"source": ""}, "source_check"),
        (USED | {"used_percent": 101}, "used_percent_check"),
        ({"limit_minor": None}, "whole_check"),
        ({"currency": None}, "whole_check"),
        ({"used_percent": 90}, "whole_check"),
        ({"kind": 3}, "whole_check"),
        ({"kind": 4}, "whole_check"),
        (USED | {"cards": 1}, "whole_check"),
        (USED | {"used_percent": None}, "whole_check"),
    ],
)
def test_a_rule_is_whole(
    connection: Connection, changes: dict[str, object], constraint: str
) -> None:
    """
    What no rule can be is refused by a constraint of its own name.
    """
    with pytest.raises(psycopg.IntegrityError) as caught:
        connection.execute(INSERT, RULE | changes)

    assert f"cash_out_rule_{constraint}" == caught.value.diag.constraint_name


def test_what_is_right_is_let_in_once(connection: Connection) -> None:
    """
    One rule of each kind; a second for the same place, day and cards is refused.
    """
    connection.execute(INSERT, RULE)
    connection.execute(INSERT, RULE | USED)
    connection.execute(INSERT, RULE | NO_AMOUNT | {"cards": 3, "kind": 4})
    with pytest.raises(psycopg.IntegrityError) as caught:
        connection.execute(INSERT, RULE | {"kind": 2})

    assert "cash_out_rule_pkey" == caught.value.diag.constraint_name


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE store SET jurisdiction = 'US-CA'", "store_jurisdiction_check"),
        ("UPDATE store SET jurisdiction = 'LB'", "store_jurisdiction_check"),
        (
            "UPDATE card_product SET cash_out_limit_minor = 0",
            "card_product_cash_out_limit_minor_check",
        ),
        (
            "UPDATE card_product SET permitted = '{99}'",
            "card_product_permitted_check",
        ),
    ],
)
def test_places_and_products_hold_what_can_be(
    connection: Connection, change: str, constraint: str
) -> None:
    """
    A store's law is of its own country, a limit is more than nothing.
    """
    with pytest.raises(psycopg.IntegrityError) as caught:
        connection.execute(change.encode())

    assert constraint == caught.value.diag.constraint_name
