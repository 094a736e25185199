"""
PINs through the `scrip` command: given at issue, asked for by products.
"""

from pathlib import Path

import pytest

from gateway.console import card_issue
from gateway.vault.keyring import LocalKeyring
from gateway.vault.numbers import CardNumber
from gateway.vault.pins import Pin, PinVault
from tests.support.scrip_command import Scrip

CREATE = ("card", "create", "--product", "gift/standard", "--pins")


def lines_of(path: Path) -> dict[int, tuple[str, str]]:
    """
    Read a file of numbers and PINs: by card id.
    """
    header, *lines = path.read_text(encoding="ascii").splitlines()
    assert header == "card_id,card_number,pin"
    rows = [line.split(",") for line in lines]
    return {int(card_id): (number, pin) for card_id, number, pin in rows}


def test_each_card_gets_a_pin_of_which_the_books_keep_a_tag(shop: Scrip) -> None:
    """
    The PIN stands in the private file alone; its tag fits this card and no other.
    """
    out = shop.folder / "cards.csv"
    said = shop.done(*CREATE, "--count", "40", "--out", out, "--pin-digits", "12")
    lines = lines_of(out)
    vault = PinVault(LocalKeyring.open(shop.folder / "keys" / "keyring.json"))
    rows = {row["card_id"]: row for row in shop.query("select * from card_pin")}

    assert lines.keys() == rows.keys()
    assert {len(pin) for _, pin in lines.values()} == {12}
    assert len({pin for _, pin in lines.values()}) == 40
    for card_id, (number, pin) in lines.items():
        tag = vault.tag(CardNumber(number), Pin(pin))
        assert (rows[card_id]["tag"], rows[card_id]["key_id"]) == (tag, 1)
        assert pin not in said


def test_cards_have_no_pin_unless_it_is_asked_for(shop: Scrip) -> None:
    """
    As before: the file has two columns, and the books no tag.
    """
    out = shop.folder / "cards.csv"
    shop.done(*CREATE[:-1], "--count", "2", "--out", out)

    assert out.read_text(encoding="ascii").startswith("card_id,card_number\n")
    assert [] == shop.query("select card_id from card_pin")


def test_a_run_with_pins_goes_on_where_it_was_interrupted(
    shop: Scrip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Every card has its line and its PIN; the lines of a batch that did not commit go.
    """
    monkeypatch.setattr(card_issue, "BATCH_CARDS", 10)
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "20", "--out", out)
    kept = lines_of(out)
    with out.open("a", encoding="ascii") as file:
        file.write("9001,4111111111111111,123456\n9002,41111111")

    said = shop.done(*CREATE, "--count", "25", "--out", out, "--resume")

    assert "holds 20 cards; going on" in said
    assert kept.items() <= lines_of(out).items()
    assert len(lines_of(out)) == 25
    assert lines_of(out).keys() == {
        row["card_id"] for row in shop.query("select card_id from card_pin")
    }


def test_a_run_goes_on_as_it_was_begun(shop: Scrip) -> None:
    """
    A file with PINs is not resumed without them, nor the other way round.
    """
    with_pins, without = shop.folder / "with.csv", shop.folder / "without.csv"
    shop.done(*CREATE, "--count", "2", "--out", with_pins)
    shop.done(*CREATE[:-1], "--count", "2", "--out", without)
    more = ("--count", "3", "--resume", "--out")

    assert "--pins: the interrupted run was begun with it" in shop.refused(
        *CREATE[:-1], *more, with_pins
    )
    assert "--pins: the interrupted run was begun without it" in shop.refused(
        *CREATE, *more, without
    )


def test_a_card_shows_whether_it_has_a_pin_and_never_which(shop: Scrip) -> None:
    """
    With how often it was wrong of late.
    """
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "1", "--out", out)
    ((card_id, (number, pin)),) = lines_of(out).items()

    said = shop.done("card", "show", number[-4:])
    assert "set" in said
    assert pin not in said
    shop.execute(
        "insert into card_pin_try values (%(card)s, 1, 2, now(), 7)", card=card_id
    )

    assert "set, wrong 2 times" in shop.done("card", "show", stdin=f"{number}\n")
    (row,) = shop.rows("card", "show", number[-4:])
    assert (row["has_pin"], row["pin_tries"]) == (True, 2)


def test_a_product_says_what_it_asks_a_pin_for(shop: Scrip) -> None:
    """
    When it is created, and changed later; what is not said keeps its value.
    """
    shop.done(
        *("product", "create", "gift/safe", "--currency", "USD"),
        *("--pin-for", "redeem", "--pin-for", "balance", "--pin-max-tries", "5"),
    )
    (safe,) = (row for row in shop.rows("product", "list") if row["code"] == "safe")
    assert safe["pin_required_for"] == ["REDEEM", "BALANCE"]
    assert (safe["pin_max_tries"], safe["pin_lock_s"]) == (5, 3600)
    assert "redeem balance" in shop.done("product", "list")

    shop.done("product", "pin", "gift/safe", "--pin-for", "redeem")
    said = shop.done("product", "pin", "gift/safe", "--pin-lock-s", "60")

    assert "needs a PIN for nothing" in said
    (safe,) = (row for row in shop.rows("product", "list") if row["code"] == "safe")
    assert safe["pin_required_for"] == []
    assert (safe["pin_max_tries"], safe["pin_lock_s"]) == (5, 60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("product pin gift/none --pin-for redeem", "there is no product gift/none"),
        ("product pin gift/standard --pin-for activate", "--pin-for"),
        ("product pin gift/standard --pin-max-tries 11", "--pin-max-tries"),
        ("product pin gift/standard --pin-lock-s 59", "--pin-lock-s"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Scrip, words: str, said: str) -> None:
    """
    The option is named.
    """
    assert said in shop.refused(*words.split())


def test_the_console_can_read_no_tag(shop: Scrip) -> None:
    """
    Its role may write one, and count wrong tries; it changes neither.
    """
    for privilege, granted in (
        ("has_column_privilege('scrip_admin', 'card_pin', 'tag', 'SELECT')", False),
        ("has_table_privilege('scrip_admin', 'card_pin', 'INSERT')", True),
        ("has_any_column_privilege('scrip_admin', 'card_pin', 'UPDATE')", False),
        ("has_any_column_privilege('scrip_admin', 'card_pin_try', 'UPDATE')", False),
        ("has_column_privilege('scrip_reader', 'card_pin', 'tag', 'SELECT')", False),
        ("has_any_column_privilege('scrip_gateway', 'card_pin', 'UPDATE')", False),
        ("has_table_privilege('scrip_gateway', 'card_pin', 'INSERT')", False),
        ("has_table_privilege('scrip_gateway', 'card_pin_try', 'DELETE')", False),
    ):
        (row,) = shop.query(f"select {privilege} as granted")
        assert row["granted"] is granted
