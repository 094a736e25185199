"""
Where rests are paid out, through the `scrip` command.
"""

import pytest

from tests.support.scrip_command import Scrip

HEADER = "jurisdiction,effective_from,cards,rule,amount,currency,percent,source"


def version(shop: Scrip) -> int:
    """
    Read the version of the policy.
    """
    (row,) = shop.query("select version from policy_version")
    return int(row["version"])


def test_the_packaged_law_is_loaded_and_listed(shop: Scrip) -> None:
    """
    California's two thresholds, Massachusetts' two kinds of card; a new policy.
    """
    before = version(shop)
    said = shop.done("cash-out", "official")
    shop.done("cash-out", "official")
    rows = shop.rows("cash-out", "list")
    california = shop.rows("cash-out", "list", "--jurisdiction", "US-CA")

    assert before < version(shop)
    assert [] == [row for row in rows if not row["source"]]
    assert [
        ("2016-01-01", "any", "below", 10_00, "USD"),
        ("2026-04-01", "any", "below", 15_00, "USD"),
    ] == [
        (
            row["effective_from"],
            row["cards"],
            row["kind"],
            row["limit_minor"],
            row["currency"],
        )
        for row in california
    ]
    assert {("single-load", "used", 90), ("reloadable", "up-to", None)} == {
        (row["cards"], row["kind"], row["used_percent"])
        for row in rows
        if row["jurisdiction"] == "US-MA"
    }
    assert "12 rules of 10 jurisdictions loaded" in said


def test_rules_are_shown_to_a_person(shop: Scrip) -> None:
    """
    Each kind of rule in words.
    """
    file = shop.file(
        "rules.csv",
        HEADER,
        "IE,2026-01-01,any,never,,,,law",
        "US-MA,2003-04-01,single-load,used,,,90,law",
        "US-CA,2026-04-01,any,below,15.00,USD,,law",
        "US-CO,2016-01-01,reloadable,up-to,5.00,USD,,law",
    )
    shop.done("cash-out", "import", file)
    shown = shop.done("cash-out", "list")

    for words in (
        "IE Jan 1, 2026 any none",
        "single load when 90 % is used",
        "any below USD 15.00",
        "reloadable up to USD 5.00",
    ):
        assert words in " ".join(shown.split())


def test_a_rule_is_replaced_by_one_for_the_same_day(shop: Scrip) -> None:
    """
    A mistake is corrected by loading the rule again.
    """
    for amount in ("10.00", "12.00"):
        row = f"US-CA,2016-01-01,any,below,{amount},USD,,law"
        shop.done("cash-out", "import", shop.file("rules.csv", HEADER, row))

    assert [12_00] == [row["limit_minor"] for row in shop.rows("cash-out", "list")]


def test_a_fault_in_a_file_of_rules_imports_nothing(shop: Scrip) -> None:
    """
    All faults are told at once, each with its line and field.
    """
    file = shop.file(
        "rules.csv",
        HEADER,
        "US-CA,2016-01-01,any,below,10.00,USD,,law",
        "US-California,2016-01-01,any,below,10.00,USD,,law",
        "XX-CA,2016-13-01,all,about,,,,law",
        "US-CO,2016-01-01,any,below,10.0,USD,50,law",
        "US-MA,2003-04-01,any,used,,,90,law",
        "US-MA,2003-04-01,single-load,used,5.00,USD,0,law",
        "US-WA,2016-01-01,any,up-to,,,,",
        "US-CA,2016-01-01,any,never,,,,law",
        "US-NJ,2016-01-01,any,below,10.00,,,law",
    )
    said = shop.refused("cash-out", "import", file)

    for fault in (
        "line 3, jurisdiction: 'US-California' is no jurisdiction",
        "line 4, jurisdiction: 'XX-CA' is no jurisdiction",
        "line 4, effective_from: '2016-13-01' is no day",
        "line 4, cards: 'all': write one of any, single-load, reloadable",
        "line 4, rule: 'about': write one of below, up-to, used, never",
        "line 5, percent: does not belong to this rule",
        "line 5, amount: '10.0'",
        "line 6, cards: only single-load cards have a value to be used",
        "line 7, amount: does not belong to this rule",
        "line 7, percent: '0': write a whole number from 1 to 100",
        "line 8, source: is empty",
        "line 8, currency: is empty",
        "line 9, jurisdiction: US-CA stands in line 2 already",
        "line 10, currency: is empty",
    ):
        assert fault in said
    assert [] == shop.rows("cash-out", "list")


def test_a_product_is_paid_out_or_not(shop: Scrip) -> None:
    """
    `allow` permits it, with a limit of its own or by law alone; `forbid` ends both.
    """

    def seen() -> tuple[bool, int | None]:
        (row,) = shop.rows("product", "list")
        return "CASH_OUT" in row["permitted"], row["cash_out_limit_minor"]

    shop.done("cash-out", "forbid", "gift/standard")
    assert (False, None) == seen()
    shop.done("cash-out", "allow", "gift/standard", "--up-to", "10.00")
    assert (True, 10_00) == seen()
    assert "cash-out" in shop.done("product", "list")
    shop.done("cash-out", "allow", "gift/standard")
    assert (True, None) == seen()


def test_a_product_is_created_with_a_limit(shop: Scrip) -> None:
    """
    Unless told otherwise its cards are paid out by law alone.
    """
    shop.done(
        *("product", "create", "gift/small", "--currency", "USD"),
        *("--cash-out-limit", "7.50"),
    )
    rows = {row["code"]: row for row in shop.rows("product", "list")}

    assert 7_50 == rows["small"]["cash_out_limit_minor"]
    assert "CASH_OUT" in rows["small"]["permitted"]
    assert rows["standard"]["cash_out_limit_minor"] is None


def test_a_store_is_under_the_law_of_its_part_of_the_country(shop: Scrip) -> None:
    """
    Said at its creation, in a file, or later; taken back by saying none.
    """
    shop.done(
        *("store", "create", "nile/one", "--country", "US", "--currency", "USD"),
        *("--time-zone", "America/Los_Angeles", "--jurisdiction", "US-CA"),
    )
    file = shop.file(
        "stores.csv",
        "merchant,store,country,currencies,time_zone,jurisdiction",
        "nile,two,US,USD,America/New_York,US-MA",
        "nile,three,US,USD,America/New_York,",
    )
    shop.done("store", "import", file)
    shop.done("store", "jurisdiction", "nile/three", "--jurisdiction", "US-NJ")
    said = shop.done("store", "jurisdiction", "nile/one")

    assert {
        "cairo-1": None,
        "one": None,
        "two": "US-MA",
        "three": "US-NJ",
    } == {row["code"]: row["jurisdiction"] for row in shop.rows("store", "list")}
    assert "in nile/one holds the law of US" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cash-out allow gift/none", "there is no product gift/none"),
        ("cash-out forbid gift/none", "there is no product gift/none"),
        ("cash-out allow gift/standard --up-to 5", "--up-to: '5' has 0 digits"),
        (
            "store jurisdiction nile/none --jurisdiction US-CA",
            "there is no store nile/none",
        ),
        (
            "store jurisdiction nile/cairo-1 --jurisdiction US-CA",
            "--jurisdiction: US-CA is no part of EG",
        ),
        (
            "store create nile/one --country EG --time-zone UTC --jurisdiction US-CA",
            "--jurisdiction: US-CA is no part of EG",
        ),
        ("store jurisdiction nile/cairo-1 --jurisdiction EG", "is a whole country"),
    ],
)
def test_what_does_not_fit_is_refused(shop: Scrip, words: str, said: str) -> None:
    """
    It ends with 2, says which, and changes nothing.
    """
    before = version(shop)

    assert said in shop.refused(*words.split())
    assert before == version(shop)


def test_a_file_of_stores_names_parts_of_their_own_country(shop: Scrip) -> None:
    """
    Another country's is a fault of its line.
    """
    file = shop.file(
        "stores.csv",
        "merchant,store,country,currencies,time_zone,jurisdiction",
        "nile,two,US,USD,America/New_York,CA-ON",
    )

    assert "line 2, jurisdiction: CA-ON is no part of US" in shop.refused(
        "store", "import", file
    )
