"""
Terminals, devices and their credentials through the `scrip` command.
"""

import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.vault.certificates import certificate_sha256
from tests.support.scrip_command import Scrip

FILES = {"device.key", "device.crt", "ca.crt"}


def mode_of(path: Path) -> int:
    """
    Give a file's rights.
    """
    return stat.S_IMODE(path.stat().st_mode)


def test_a_terminal_gets_a_device_and_its_credentials(shop: Scrip) -> None:
    """
    The certificate names the device, fits its key, and is the one the books know.
    """
    out = shop.folder / "credentials"
    shop.done("terminal", "create", "nile/cairo-1/till-1", "--out", out)
    place = out / "nile" / "cairo-1" / "till-1"

    assert FILES == {path.name for path in place.iterdir()}
    assert {0o600} == {mode_of(path) for path in place.iterdir()}
    assert 0o700 == mode_of(place)
    pem = (place / "device.crt").read_bytes()
    leaf = x509.load_pem_x509_certificate(pem)
    key = load_pem_private_key((place / "device.key").read_bytes(), password=None)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [
        "spiffe://scrip.internal/merchant/nile/store/cairo-1/device/till-1"
    ] == names.value.get_values_for_type(x509.UniformResourceIdentifier)
    assert leaf.public_key() == key.public_key()
    authority = x509.load_pem_x509_certificate((place / "ca.crt").read_bytes())
    leaf.verify_directly_issued_by(authority)
    assert [(1, certificate_sha256(pem))] == [
        (row["kind"], row["sha256"])
        for row in shop.query(
            "select kind, sha256 from device_certificate join device using (device_id)"
        )
    ]
    assert [("till-1", "ACTIVE", ["till-1"])] == [
        (row["code"], row["state"], row["devices"])
        for row in shop.rows("terminal", "list")
    ]


def test_terminals_are_imported_each_with_credentials(shop: Scrip) -> None:
    """
    A file of terminals becomes terminals, and each finds its folder.
    """
    names = [f"till-{number}" for number in range(1, 41)]
    file = shop.file(
        "terminals.csv",
        "merchant,store,terminal",
        *(f"nile,cairo-1,{name}" for name in names),
    )
    out = shop.folder / "credentials"
    shop.done("terminal", "import", file, "--out", out)

    assert set(names) == {row["code"] for row in shop.rows("terminal", "list")}
    assert set(names) == {path.name for path in (out / "nile" / "cairo-1").iterdir()}
    assert ["nile"] == [path.name for path in out.iterdir()]
    (row,) = shop.query("select count(*) as certificates from device_certificate")
    assert len(names) == row["certificates"]


def test_a_fault_in_a_file_of_terminals_imports_nothing(shop: Scrip) -> None:
    """
    All faults are told at once; neither books nor folder hold anything of it.
    """
    out = shop.folder / "credentials"
    shop.done("terminal", "create", "nile/cairo-1/till-1", "--out", out / "first")
    file = shop.file(
        "terminals.csv",
        "merchant,store,terminal",
        "nile,cairo-1,till-2",
        "nile,none,till-1",
        "nile,cairo-1,till-1",
        "nile,cairo-1,till-2",
        "nile,cairo-1,T1",
    )
    said = shop.refused("terminal", "import", file, "--out", out / "second")

    for fault in (
        "line 3, store: there is no store nile/none",
        "line 4, terminal: there is a terminal or device nile/cairo-1/till-1",
        "line 5, terminal: till-2 stands in line 2 already",
        "line 6, terminal: 'T1' is no code",
    ):
        assert fault in said
    assert ["till-1"] == [row["code"] for row in shop.rows("terminal", "list")]
    assert not (out / "second").exists()


def test_credentials_in_use_are_not_written_over(shop: Scrip) -> None:
    """
    A folder that has a device's files already is refused before anything is done.
    """
    out = shop.folder / "credentials"
    (out / "nile" / "cairo-1" / "till-1").mkdir(parents=True)

    said = shop.refused("terminal", "create", "nile/cairo-1/till-1", "--out", out)

    assert "--out:" in said
    assert "exists: name another folder" in said
    assert [] == shop.rows("terminal", "list")


def test_what_does_not_fit_the_books_is_refused(shop: Scrip) -> None:
    """
    Unknown stores and terminals, and names that are taken, end with 2.
    """
    out = shop.folder / "credentials"
    shop.done("terminal", "create", "nile/cairo-1/till-1", "--out", out)
    other = shop.folder / "other"
    for words, said in (
        ("terminal create nile/none/till-1", "there is no store nile/none"),
        ("terminal create nile/cairo-1/till-1", "there is a terminal or device"),
        ("device create nile/none/box", "there is no store nile/none"),
        ("device create nile/cairo-1/till-1", "there is a device"),
        ("device create nile/cairo-1/x --kind terminal", "--terminal: give it with"),
        ("device create nile/cairo-1/x --terminal till-1", "--terminal: give it with"),
        (
            "device create nile/cairo-1/x --kind terminal --terminal none",
            "there is no terminal nile/cairo-1/none",
        ),
        ("device renew nile/cairo-1/none", "there is no working device"),
    ):
        assert said in shop.refused(*words.split(), "--out", other)
    assert "there is no device" in shop.refused("device", "revoke", "nile/cairo-1/none")
    assert "no open terminal" in shop.refused("terminal", "close", "nile/cairo-1/none")
    assert not other.exists()


def test_a_terminal_is_suspended_activated_and_closed_for_good(shop: Scrip) -> None:
    """
    A suspension can be taken back, a closing cannot.
    """
    name = "nile/cairo-1/till-1"
    shop.done("terminal", "create", name, "--out", shop.folder / "credentials")
    for verb, state in (
        ("suspend", "SUSPENDED"),
        ("activate", "ACTIVE"),
        ("close", "CLOSED"),
    ):
        shop.done("terminal", verb, name)

        assert state == shop.rows("terminal", "list", "--store", "cairo-1")[0]["state"]
    shop.refused("terminal", "activate", name)


def test_a_controller_and_a_second_device_of_a_terminal(shop: Scrip) -> None:
    """
    A controller has no terminal; a second device speaks for one that has one already.
    """
    out = shop.folder / "credentials"
    shop.done("terminal", "create", "nile/cairo-1/till-1", "--out", out)
    shop.done("device", "create", "nile/cairo-1/box", "--out", out)
    shop.done(
        *("device", "create", "nile/cairo-1/spare", "--out", out),
        *("--kind", "terminal", "--terminal", "till-1"),
    )

    assert [
        ("box", "CONTROLLER", None),
        ("spare", "TERMINAL", "till-1"),
        ("till-1", "TERMINAL", "till-1"),
    ] == [
        (row["code"], row["kind"], row["terminal"])
        for row in shop.rows("device", "list", "--merchant", "nile")
    ]


def test_a_device_is_renewed(shop: Scrip) -> None:
    """
    A new certificate replaces the files; the old one holds until it is taken back.
    """
    out = shop.folder / "credentials"
    certificate = out / "nile" / "cairo-1" / "till-1" / "device.crt"
    shop.done("terminal", "create", "nile/cairo-1/till-1", "--out", out)
    first = certificate_sha256(certificate.read_bytes())
    shop.done("device", "renew", "nile/cairo-1/till-1", "--out", out)
    second = certificate_sha256(certificate.read_bytes())
    shop.done("device", "renew", "nile/cairo-1/till-1", "--out", out, "--revoke-old")
    third = certificate_sha256(certificate.read_bytes())

    assert {first: True, second: True, third: False} == {
        row["sha256"]: row["revoked"]
        for row in shop.query("select sha256, revoked from device_certificate")
    }
    assert FILES == {path.name for path in certificate.parent.iterdir()}
    assert [1] == [row["certificates"] for row in shop.rows("device", "list")]


def test_a_revoked_device_is_out_for_good(shop: Scrip) -> None:
    """
    It is listed as revoked, gets no new certificate, and its terminal stays.
    """
    out = shop.folder / "credentials"
    shop.done("terminal", "create", "nile/cairo-1/till-1", "--out", out)
    shop.done("device", "revoke", "nile/cairo-1/till-1")

    assert [True] == [row["revoked"] for row in shop.rows("device", "list")]
    assert [[]] == [row["devices"] for row in shop.rows("terminal", "list")]
    shop.refused("device", "renew", "nile/cairo-1/till-1", "--out", out)
