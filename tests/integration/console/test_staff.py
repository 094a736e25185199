"""
Staff and the audit through the `scrip` command.
"""

import psycopg
import pytest
from cryptography import x509

from gateway.vault.certificates import certificate_sha256
from tests.support.scrip_command import Scrip

ROW = """
INSERT INTO audit (
    host_time, terminal_id, staff, role, operation, channel, card_id, result, replayed
)
SELECT '2026-11-21 12:00+00', terminal_id, 'amira', 1, 5, 3, NULL, 1, false
FROM terminal
"""


@pytest.fixture
def desk(shop: Scrip) -> Scrip:
    """
    Give the operator's own merchant with a desk.
    """
    shop.done(
        *("merchant", "create", "--code", "ops", "--name", "Operator"),
        *("--program", "gift"),
    )
    shop.done(
        *("store", "create", "ops/beirut", "--country", "LB"),
        *("--time-zone", "Asia/Beirut"),
    )
    return shop


def add(desk: Scrip, name: str, *roles: str) -> None:
    """
    Add a staff member.
    """
    words = [word for role in roles for word in ("--role", role)]
    desk.done("staff", "add", name, *words, "--out", desk.folder / "credentials")


def audited(desk: Scrip, *statements: str) -> None:
    """
    Do something to the audit as a superuser, whom no trigger stops.
    """
    with psycopg.connect(desk.dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode())


def test_a_staff_member_gets_a_desk_and_credentials(desk: Scrip) -> None:
    """
    A terminal and a device of kind STAFF with the same code, and a certificate.
    """
    add(desk, "ops/beirut/amira", "call-centre")
    add(desk, "ops/beirut/omar", "operator", "call-centre")

    pem = (desk.folder / "credentials/ops/beirut/amira/device.crt").read_bytes()
    subject = x509.load_pem_x509_certificate(pem).subject.rfc4514_string()
    assert "OU=STAFF" in subject
    rows = desk.query(
        "select d.code, kind, roles, t.code as terminal, c.sha256 from device as d "
        "join terminal as t using (terminal_id) "
        "join device_certificate as c using (device_id) order by d.code"
    )
    assert [
        (row["code"], row["kind"], row["roles"], row["terminal"]) for row in rows
    ] == [("amira", 3, [1], "amira"), ("omar", 3, [1, 2], "omar")]
    assert rows[0]["sha256"] == certificate_sha256(pem)
    assert [(row["code"], row["roles"]) for row in desk.rows("staff", "list")] == [
        ("amira", ["CALL_CENTRE"]),
        ("omar", ["CALL_CENTRE", "OPERATOR"]),
    ]
    assert desk.rows("staff", "list", "--merchant", "nile") == []


def test_what_does_not_fit_is_refused(desk: Scrip) -> None:
    """
    No such store, a code that is taken, no role.
    """
    add(desk, "ops/beirut/amira", "operator")
    out = desk.folder / "other"

    for name, why in (
        ("ops/cairo/omar", "there is no store ops/cairo"),
        ("ops/beirut/amira", "there is a terminal or device ops/beirut/amira"),
    ):
        said = desk.refused("staff", "add", name, "--role", "operator", "--out", out)
        assert why in said
    desk.refused("staff", "add", "ops/beirut/omar", "--out", out)
    desk.refused("staff", "add", "ops/beirut/omar", "--role", "boss", "--out", out)
    assert not out.exists()


def test_a_certificate_is_renewed_and_access_ends(desk: Scrip) -> None:
    """
    Like any device's certificate; a till is not revoked as staff.
    """
    add(desk, "ops/beirut/amira", "operator")
    out = desk.folder / "credentials"
    desk.done("terminal", "create", "ops/beirut/till-1", "--out", out)
    desk.done("device", "renew", "ops/beirut/amira", "--out", out)

    assert "no staff member" in desk.refused("staff", "revoke", "ops/beirut/till-1")
    assert "no staff member" in desk.refused("staff", "revoke", "ops/beirut/omar")
    desk.done("staff", "revoke", "ops/beirut/amira")

    (row,) = desk.rows("staff", "list")
    assert (row["revoked"], row["certificates"]) == (True, 2)
    kinds = {one["code"]: one["kind"] for one in desk.rows("device", "list")}
    assert kinds == {"amira": "STAFF", "till-1": "TERMINAL"}


def test_the_audit_is_listed_and_verified(desk: Scrip) -> None:
    """
    The newest first; the end of the chain is printed, and holds against later runs.
    """
    add(desk, "ops/beirut/amira", "operator")
    empty = desk.done("audit", "verify")
    for _ in range(3):
        with psycopg.connect(desk.dsn) as connection:
            connection.execute(ROW.encode())

    rows = desk.rows("audit", "list", "--most", "2")
    end = desk.done("audit", "verify").splitlines()[-1].strip()

    assert f"0:{'00' * 32}" in empty
    assert [(row["audit_id"], row["staff"]) for row in rows] == [
        (3, "amira"),
        (2, "amira"),
    ]
    assert {(row["operation"], row["role"], row["desk"]) for row in rows} == {
        ("ADJUST", "CALL_CENTRE", "ops/beirut")
    }
    assert desk.rows("audit", "list", "--staff", "omar") == []
    assert end.startswith("3:")
    desk.done("audit", "verify", "--since", end)
    assert "ROW:HASH" in desk.refused("audit", "verify", "--since", "3:zz")
    audited(desk, "DELETE FROM audit WHERE audit_id = 3")
    desk.done("audit", "verify")
    cut = desk.run("audit", "verify", "--since", end)
    assert cut.exit_code == 1
    assert "row 3" in cut.stderr


def test_a_changed_row_is_named(desk: Scrip) -> None:
    """
    `audit verify` and `books check` both end with 1.
    """
    add(desk, "ops/beirut/amira", "operator")
    for _ in range(2):
        with psycopg.connect(desk.dsn) as connection:
            connection.execute(ROW.encode())
    audited(desk, "UPDATE audit SET staff = 'omar' WHERE audit_id = 1")

    verified, checked = desk.run("audit", "verify"), desk.run("books", "check")

    assert (verified.exit_code, checked.exit_code) == (1, 1)
    assert "row 1: its content was changed" in verified.stderr
    assert "audit: does not hold" in checked.stdout
