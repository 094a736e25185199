"""
How commands come to the books and to the authority.
"""

import psycopg
import pytest

from gateway.books.admin import OWNER_ROLE, run
from gateway.console.session import Session
from gateway.vault.pki import LocalAuthority
from tests.support.scrip_command import Scrip


def test_commands_act_with_the_consoles_rights(
    scrip: Scrip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The address is the owner's; the role is one that cannot touch the journal.
    """
    for name, value in scrip.environment.items():
        monkeypatch.setenv(name, value)
    with Session().books() as books:
        row = books.execute("select current_user as role, session_user as login")

        assert {"role": "scrip_admin", "login": "scrip_owner"} == row.fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            books.execute("delete from transaction")
    with Session().books(role=OWNER_ROLE) as books:
        assert [] == run(books, "admin_currency_rules")


def test_a_device_that_would_not_be_let_in_gets_no_certificate(shop: Scrip) -> None:
    """
    With authorities of one's own, the local one must be among them.
    """
    authorities = shop.folder / "authorities.pem"
    environment = {
        **shop.environment,
        "SCRIP_GRPC__CERTIFICATE_FILE": str(shop.folder / "server.crt"),
        "SCRIP_GRPC__PRIVATE_KEY_FILE": str(shop.folder / "server.key"),
        "SCRIP_GRPC__CLIENT_CA_FILE": str(authorities),
    }
    words = ["terminal", "create", "nile/cairo-1/t", "--out", str(shop.folder / "out")]

    def create() -> tuple[int, str]:
        result = shop.runner.invoke(shop.application, words, env=environment)
        return result.exit_code, result.stderr

    code, said = create()
    assert 1 == code
    assert "SCRIP_GRPC__CLIENT_CA_FILE cannot be read" in said
    authorities.write_text("another authority\n", encoding="ascii")
    code, said = create()
    assert 1 == code
    assert "add that authority to the file" in said
    assert [] == shop.rows("terminal", "list")
    local = LocalAuthority.open_or_create(shop.folder / "authority")
    authorities.write_bytes(b"another authority\n" + local.certificate_pem)
    assert 0 == create()[0]
