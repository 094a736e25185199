"""
`scrip books check` through the command; what each rule finds is tested with the books.
"""

import json

from tests.support.scrip_command import Scrip


def make_cards(shop: Scrip, count: int) -> None:
    """
    Make cards without value.
    """
    out = shop.folder / "cards.csv"
    words = ("--product", "gift/standard", "--count", str(count), "--out", out)
    shop.done("card", "create", *words)


def test_clean_books_end_with_0(shop: Scrip) -> None:
    """
    Fresh cards break no rule.
    """
    make_cards(shop, 5)

    assert "the books hold" in shop.done("books", "check")
    assert [] == shop.rows("books", "check")


def test_a_violation_ends_with_1_and_shows_the_rows(shop: Scrip) -> None:
    """
    Money that no posting explains is named by its card.
    """
    make_cards(shop, 5)
    shop.execute("update card set balance_minor = 100 where card_id = 3")

    result = shop.run("books", "check")
    assert 1 == result.exit_code
    assert "card_balances: does not hold." in result.stdout
    assert "rules do not hold" in result.stderr
    in_json = shop.run("books", "check", "--json")
    assert 1 == in_json.exit_code
    violations = {row["rule"]: row for row in json.loads(in_json.stdout)}
    assert [3] == [row["card_id"] for row in violations["card_balances"]["rows"]]


def test_the_gateways_own_address_is_enough_to_check(shop: Scrip) -> None:
    """
    Whoever has no owner's address can still check, and is told why not more.
    """
    environment = {**shop.environment, "SCRIP_POSTGRES__OWNER_URL": ""}

    def run(*words: str) -> tuple[int, str]:
        result = shop.runner.invoke(shop.application, words, env=environment)
        return result.exit_code, result.output

    assert 0 == run("books", "check")[0]
    code, said = run("store", "list")
    assert 1 == code
    assert "SCRIP_POSTGRES__OWNER_URL is not set" in said
