"""
Products and cards through the `scrip` command.
"""

import stat
from pathlib import Path

import pytest

from gateway.console import card_issue
from gateway.vault.keyring import LocalKeyring
from gateway.vault.numbers import CardNumber, NumberVault, generate_card_numbers
from tests.support.scrip_command import Scrip

CREATE = ("card", "create", "--product", "gift/standard")


def vault_of(shop: Scrip) -> NumberVault:
    """
    Open the vault that the command used.
    """
    return NumberVault(LocalKeyring.open(shop.folder / "keys" / "keyring.json"))


def numbers_in(path: Path) -> dict[int, str]:
    """
    Read a file of numbers: by card id.
    """
    header, *lines = path.read_text(encoding="ascii").splitlines()
    assert "card_id,card_number" == header
    return {int(line.split(",")[0]): line.split(",")[1] for line in lines}


def test_cards_are_distinct_valid_encrypted_and_found(shop: Scrip) -> None:
    """
    Each number is issued once, passes Luhn, is found by its hash and decrypts.
    """
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "250", "--out", out)
    numbers = numbers_in(out)
    vault = vault_of(shop)
    rows = shop.query("select * from card")

    assert 0o600 == stat.S_IMODE(out.stat().st_mode)
    assert 250 == len(numbers) == len(set(numbers.values())) == len(rows)
    assert {19} == {len(number) for number in numbers.values()}
    for row in rows:
        number = CardNumber(numbers[row["card_id"]])  # a wrong check digit raises
        assert vault.index(number) == row["number_index"]
        assert number == vault.decrypt(row["card_id"], row["number_ciphertext"])
        assert number.digits.encode() not in row["number_ciphertext"]
        assert number.last_four == row["last_four"]
        assert (2, 0, 0, "USD") == (
            row["state"],
            row["balance_minor"],
            row["version"],
            row["currency"],
        )


def test_no_number_is_printed(shop: Scrip) -> None:
    """
    Neither what a run says nor a listing holds a whole number.
    """
    out = shop.folder / "cards.csv"
    said = shop.done(*CREATE, "--count", "20", "--out", out)
    for number in numbers_in(out).values():
        said += shop.done("card", "show", stdin=f"{number}\n")
        said += shop.done("card", "show", number[-4:], "--json")

    assert [] == [n for n in numbers_in(out).values() if n in said or n[:-4] in said]


def test_a_prefix_and_a_length_are_kept(shop: Scrip) -> None:
    """
    All numbers begin with the prefix and have the length.
    """
    out = shop.folder / "cards.csv"
    shop.done(
        *(*CREATE, "--count", "5", "--out", out),
        *("--prefix", "60357100", "--length", "16"),
    )

    assert {("60357100", 16)} == {(n[:8], len(n)) for n in numbers_in(out).values()}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--count 0", "--count"),
        ("--count 5 --length 11", "--length"),
        ("--count 5 --prefix 60x", "--prefix, --length: the prefix holds something"),
        ("--count 900 --length 12 --prefix 603571", "too few for 900 cards"),
    ],
)
def test_cards_that_cannot_be_made_are_refused(
    shop: Scrip, words: str, said: str
) -> None:
    """
    Nothing is made, and no file is left that would stop the next run.
    """
    out = shop.folder / "cards.csv"

    assert said in shop.refused(*CREATE, *words.split(), "--out", out)
    assert not out.exists()
    assert [] == shop.query("select card_id from card")


def test_an_unknown_product_is_refused(shop: Scrip) -> None:
    """
    The product is named, and no file is made.
    """
    out = shop.folder / "cards.csv"
    words = ("card", "create", "--product", "gift/none", "--count", "1", "--out", out)

    assert "--product: there is no product gift/none" in shop.refused(*words)
    assert not out.exists()


def test_a_file_of_numbers_is_never_written_over(shop: Scrip) -> None:
    """
    A second run on the same file is refused: the numbers stand nowhere else.
    """
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "3", "--out", out)
    before = out.read_bytes()

    assert f"--out: {out} exists" in shop.refused(*CREATE, "--count", "3", "--out", out)
    assert before == out.read_bytes()


def test_a_run_goes_on_where_it_was_interrupted(
    shop: Scrip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Lines whose batch did not commit go away; every card's number is in the file.
    """
    monkeypatch.setattr(card_issue, "BATCH_CARDS", 10)
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "20", "--out", out)
    kept = numbers_in(out)
    first, second, third = generate_card_numbers("", count=3)
    lost = f"9001,{first.digits}\n9002,{second.digits}\n9003,{third.digits[:8]}"
    with out.open("a", encoding="ascii") as file:
        file.write(lost)

    said = shop.done(*CREATE, "--count", "45", "--out", out, "--resume")

    assert "holds 20 cards; going on" in said
    numbers = numbers_in(out)
    assert 45 == len(numbers)
    assert kept == {card: numbers[card] for card in kept}
    assert set(numbers) == {row["card_id"] for row in shop.query("select * from card")}
    assert not {9001, 9002, 9003} & numbers.keys()


def test_what_is_no_interrupted_run_is_not_resumed(shop: Scrip) -> None:
    """
    A file of other cards, with a hole, or of too many cards is refused untouched.
    """
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "12", "--out", out)
    shop.done("product", "create", "gift/other", "--currency", "USD")
    resume = ("--out", out, "--resume")
    before = out.read_bytes()

    other = ("card", "create", "--product", "gift/other", "--count", "20", *resume)
    assert "of another product" in shop.refused(*other)
    assert "holds 12 cards already" in shop.refused(*CREATE, "--count", "5", *resume)
    third = sorted(numbers_in(out))[2]
    shop.execute("delete from card where card_id = %(card)s", card=third)
    assert "from the middle" in shop.refused(*CREATE, "--count", "20", *resume)
    assert before == out.read_bytes()
    out.chmod(0o644)
    assert "chmod 600" in shop.refused(*CREATE, "--count", "20", *resume)
    strange = shop.file("strange.csv", "card_id,card_number", "1,4111")
    strange.chmod(0o600)
    words = (*CREATE, "--count", "20", "--out", strange, "--resume")
    assert "line 2 of" in shop.refused(*words)
    assert "4111" not in shop.refused(*words)
    gone = (*CREATE, "--count", "20", "--out", shop.folder / "gone.csv", "--resume")
    assert "cannot be opened" in shop.refused(*gone)


def test_a_number_that_exists_is_drawn_again(
    shop: Scrip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A card that chance gave the number of another is made with a new number.
    """
    out = shop.folder / "first.csv"
    shop.done(*CREATE, "--count", "3", "--out", out)
    taken = [CardNumber(number) for number in numbers_in(out).values()]
    others, draws = generate_card_numbers, list[int]()

    def unlucky(prefix: str, *, count: int, length: int) -> list[CardNumber]:
        draws.append(count)
        if len(draws) == 1:
            return [*taken, *others(prefix, count=count - 3, length=length)]
        return others(prefix, count=count, length=length)

    monkeypatch.setattr(card_issue, "generate_card_numbers", unlucky)
    second = shop.folder / "second.csv"
    shop.done(*CREATE, "--count", "10", "--out", second)

    assert [10, 3] == draws
    assert 10 == len(numbers_in(second))
    assert not set(numbers_in(out).values()) & set(numbers_in(second).values())
    (row,) = shop.query("select count(*) as cards from card")
    assert 13 == row["cards"]


def test_without_a_key_ring_no_card_is_made(shop: Scrip) -> None:
    """
    A ring of its own would give numbers that no worker finds: the command says so.
    """
    (shop.folder / "keys" / "keyring.json").unlink()
    result = shop.run(*CREATE, "--count", "1", "--out", shop.folder / "cards.csv")

    assert 1 == result.exit_code
    assert "there is no key ring at" in result.stderr
    assert "scrip serve" in result.stderr


def test_a_card_is_shown_by_number_and_by_last_digits(shop: Scrip) -> None:
    """
    Masked, with its money in the card's currency.
    """
    out = shop.folder / "cards.csv"
    shop.done(*CREATE, "--count", "1", "--out", out)
    ((card_id, number),) = numbers_in(out).items()
    shop.execute(
        "update card set balance_minor = 123456, held_minor = 56, state = 4, "
        "block_reason = 1, expires_on = '2027-02-28'"
    )

    said = shop.done("card", "show", stdin=f"{number}\n")

    for part in (
        f"••••{number[-4:]}",
        "BLOCKED (LOST)",
        "USD 1,234.56",
        "USD 1,234.00",
        "Feb 28, 2027",
    ):
        assert part in said
    (row,) = shop.rows("card", "show", number[-4:])
    assert (card_id, 123456, 123400) == (
        row["card_id"],
        row["balance_minor"],
        row["available_minor"],
    )


def test_what_names_no_card_is_refused_without_repeating_it(shop: Scrip) -> None:
    """
    Neither an argument nor a line of input that may be a number is said again.
    """
    for words, stdin in (
        (("card", "show", "6035710000000000014"), None),
        (("card", "show"), "6035710000000000014\n"),
        (("card", "show"), "60357100x\n"),
        (("card", "show"), "\n"),
        (("card", "show", "0000"), None),
    ):
        said = shop.refused(*words, stdin=stdin)
        assert "603571" not in said


def test_products_are_created_and_listed(shop: Scrip) -> None:
    """
    Amounts are read with the currency's digits and shown with them.
    """
    shop.done(
        *("product", "create", "gift/single", "--currency", "KWD", "--single-use"),
        *("--fixed-amount", "25.000", "--max-redeem", "10.500"),
        *("--permit", "activate", "--permit", "redeem", "--validity-days", "365"),
    )

    (single,) = (row for row in shop.rows("product", "list") if row["code"] == "single")
    assert (25_000, 10_500, None, False, 365, ["ACTIVATE", "REDEEM"]) == (
        single["fixed_amount_minor"],
        single["max_redeem_minor"],
        single["max_load_minor"],
        single["reloadable"],
        single["validity_days"],
        single["permitted"],
    )
    assert "KWD 25.000" in shop.done("product", "list", "--program", "gift")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--currency KWD --max-load 10.00", "--max-load: '10.00' has 2 digits"),
        ("--currency JPY --fixed-amount 10.00", "--fixed-amount: '10.00' has 2 digits"),
        ("--currency USD --max-balance 0.00", "--max-balance: '0.00': write an amount"),
        ("--currency USD --max-redeem=-5.00", "--max-redeem: '-5.00': write an amount"),
        ("--currency USX", "Invalid value for '--currency'"),
        ("--currency USD --validity-days 0", "--validity-days"),
        ("--currency USD --permit fly", "--permit"),
        (
            "--currency USD --fixed-amount 50.00 --max-load 25.00",
            "--max-load: is below --fixed-amount",
        ),
    ],
)
def test_a_product_that_makes_no_sense_is_refused(
    shop: Scrip, words: str, said: str
) -> None:
    """
    The option is named with the remedy; nothing is created.
    """
    assert said in shop.refused("product", "create", "gift/odd", *words.split())
    assert ["standard"] == [row["code"] for row in shop.rows("product", "list")]
