"""
`scrip terminal set` and `scrip exceptions list`.
"""

import csv
import io

from tests.support.scrip_command import Scrip

NAME = "nile/cairo-1/till-1"


def terms_of(shop: Scrip) -> tuple[bool, int | None, str | None]:
    """
    Read what a terminal is set to.
    """
    (row,) = shop.rows("terminal", "list")
    return row["two_message"], row["floor_limit_minor"], row["floor_limit_currency"]


def with_till(shop: Scrip) -> Scrip:
    """
    Add a terminal.
    """
    shop.done("terminal", "create", NAME, "--out", shop.folder / "credentials")
    return shop


def test_a_terminal_is_set(shop: Scrip) -> None:
    """
    What is not named is left alone; the table shows it in the currency's digits.
    """
    with_till(shop)
    first = terms_of(shop)
    shop.done("terminal", "set", NAME, "--two-message")
    shop.done(*("terminal", "set", NAME, "--floor-limit", "50.00", "--currency", "USD"))
    both, table = terms_of(shop), shop.done("terminal", "list")
    shop.done("terminal", "set", NAME, "--one-message", "--no-floor-limit")

    assert first == (False, None, None)
    assert both == (True, 50_00, "USD")
    assert "two" in table
    assert "USD 50.00" in table
    assert terms_of(shop) == (False, None, None)


def test_what_cannot_be_set_is_refused(shop: Scrip) -> None:
    """
    Each with the remedy; nothing changes.
    """
    with_till(shop)
    refused = [
        shop.refused("terminal", "set", NAME),
        shop.refused("terminal", "set", NAME, "--floor-limit", "50.00"),
        shop.refused("terminal", "set", NAME, "--currency", "USD"),
        shop.refused(
            *("terminal", "set", NAME, "--floor-limit", "50.000", "--currency", "USD")
        ),
        shop.refused(
            *("terminal", "set", NAME, "--floor-limit", "5.00", "--currency", "USD"),
            "--no-floor-limit",
        ),
        shop.refused("terminal", "set", "nile/cairo-1/till-9", "--two-message"),
    ]

    for text, expected in zip(
        refused,
        (
            "nothing to set",
            "needs its currency",
            "needs its currency",
            "--floor-limit",
            "either this or",
            "there is no open terminal",
        ),
        strict=True,
    ):
        assert expected in text
    assert terms_of(shop) == (False, None, None)


_ROWS = """
INSERT INTO transaction (
    transaction_id, terminal_id, request_id, activity, result, merchant_id, store_id,
    requested_minor, requested_exponent, transaction_currency, approved_minor,
    card_minor, markup_bps, balances_shown, host_time, business_date, batch_no,
    policy_version, approval_code, merchant_reference, offline, reason, unconfirmed,
    effective, original_transaction_id, card_last_four
)
SELECT
    n.id::uuid, t.terminal_id, gen_random_uuid(), n.activity, 1, s.merchant_id,
    s.store_id, n.requested, 2, n.currency, 0, 0, 0, false, n.at::timestamptz,
    '2026-03-01', 1, 1, 'ABC234', n.reference, n.offline, n.reason, n.unconfirmed,
    n.effective, n.original::uuid, '1234'
FROM terminal AS t
INNER JOIN store AS s USING (store_id)
CROSS JOIN (VALUES
    ('00000000-0000-7000-8000-000000000001', 3, 2000, 'USD', '2026-03-01T10:00Z',
        '=cmd()', true, 14, false, NULL::boolean, NULL),
    ('00000000-0000-7000-8000-000000000002', 3, 500, 'XQX', '2026-03-02T10:00Z',
        NULL, true, 7, false, NULL, NULL),
    ('00000000-0000-7000-8000-000000000003', 4, 500, 'XQX', '2026-03-03T10:00Z',
        NULL, false, NULL, false, true, '00000000-0000-7000-8000-000000000002'),
    ('00000000-0000-7000-8000-000000000004', 1, NULL, NULL, '2026-03-04T10:00Z',
        NULL, false, NULL, true, NULL, NULL)
) AS n (
    id, activity, requested, currency, at, reference, offline, reason, unconfirmed,
    effective, original
);
INSERT INTO exception_item (
    transaction_id, kind, opened_by, reason, store_id, amount_minor, currency, opened_at
)
SELECT
    transaction_id, 1, transaction_id, reason, store_id, requested_minor,
    transaction_currency, host_time
FROM transaction WHERE offline;
"""


def test_exceptions_are_listed(shop: Scrip) -> None:
    """
    Open ones, newest first; those that are over only when asked for.
    """
    with_till(shop).execute("SET session_replication_role = replica;" + _ROWS)
    rows = shop.rows("exceptions", "list")
    every = shop.rows("exceptions", "list", "--all")
    since = shop.rows("exceptions", "list", "--since", "2026-03-02T00:00Z")
    here = shop.rows("exceptions", "list", "--store", "nile/cairo-1")
    elsewhere = shop.rows("exceptions", "list", "--store", "nile/cairo-2")
    table = shop.done("exceptions", "list", "--all")

    assert [(row["kind"], row["amount"], row["currency"]) for row in rows] == [
        ("UNCONFIRMED", None, None),
        ("ADVICE_NOT_PAID", "20.00", "USD"),
    ]
    assert [row["reason"] for row in rows] == [None, "INSUFFICIENT_FUNDS"]
    assert [row["terminal"] for row in rows] == ["till-1", "till-1"]
    assert [row["closed_at"] is None for row in every] == [True, False, True]
    assert (every[1]["amount"], every[1]["reason"]) == ("5.00", "INVALID_CARD")
    assert [row["kind"] for row in since] == ["UNCONFIRMED"]
    assert (here, elsewhere) == (rows, [])
    assert "USD 20.00" in table
    assert "XQX 5.00" in table
    assert "nile/cairo-1/till-1" in table


def test_exceptions_as_csv(shop: Scrip) -> None:
    """
    RFC 4180, and nothing that a spreadsheet would run; not together with JSON.
    """
    with_till(shop).execute("SET session_replication_role = replica;" + _ROWS)
    text = shop.run("exceptions", "list", "--csv").stdout_bytes.decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    refused = shop.refused("exceptions", "list", "--csv", "--json")

    assert text.count("\r\n") == 3
    assert (first["kind"], first["amount"], first["reason"]) == ("UNCONFIRMED", "", "")
    assert second["merchant_reference"] == "'=cmd()"
    assert (second["amount"], second["requested"], second["approved"]) == (
        "20.00",
        "20.00",
        "0.00",
    )
    assert "--csv" in refused
