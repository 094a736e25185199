"""
Programmes, merchants and stores through the `scrip` command.
"""

import pytest

from tests.support.scrip_command import Scrip


def test_a_shop_is_created_and_listed(shop: Scrip) -> None:
    """
    What was created is listed, with the defaults that were not said.
    """
    assert [("gift", "Asia/Dubai", 1)] == [
        (row["code"], row["time_zone"], row["merchants"])
        for row in shop.rows("program", "list")
    ]
    assert [("nile", "ACTIVE", ["gift"], 1)] == [
        (row["code"], row["state"], row["programs"], row["stores"])
        for row in shop.rows("merchant", "list")
    ]
    assert [("nile", "cairo-1", "EG", "EGP", "04:00:00")] == [
        (
            row["merchant"],
            row["code"],
            row["country"],
            row["currencies"],
            row["cut_off"],
        )
        for row in shop.rows("store", "list")
    ]
    assert "cairo-1" in shop.done("store", "list", "--merchant", "nile")


def test_every_change_raises_the_policy_version(shop: Scrip) -> None:
    """
    Workers learn of a change, because its transaction raises the version.
    """
    (before,) = shop.query("select version from policy_version")
    shop.done("store", "suspend", "nile/cairo-1")
    (after,) = shop.query("select version from policy_version")

    assert before["version"] < after["version"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "program create --code gift --name Again --time-zone UTC",
            "--code: there is a programme gift",
        ),
        (
            "merchant create --code nile --name Again",
            "--code: there is a merchant nile",
        ),
        (
            "merchant create --code new --name New --program none --program nope",
            "--program: there is no programme none, nope",
        ),
        ("merchant accept none gift", "there is no open merchant none"),
        ("merchant accept nile none", "PROGRAM: there is no programme none"),
        ("merchant refuse nile none", "nile does not accept none"),
        ("merchant suspend none", "there is no open merchant none"),
        (
            "store create none/one --country EG --time-zone Africa/Cairo",
            "there is no merchant none",
        ),
        (
            "store create nile/cairo-1 --country EG --time-zone Africa/Cairo",
            "there is a store nile/cairo-1",
        ),
        (
            "store create nile/c --country CU --time-zone UTC --currency EGX",
            "Invalid value for '--currency': 'EGX' is not a currency",
        ),
        ("store close nile/none", "there is no open store nile/none"),
        (
            "product create gift/standard --currency USD",
            "there is a product gift/standard",
        ),
        ("product create none/one --currency USD", "there is no programme none"),
    ],
)
def test_what_does_not_fit_the_books_is_refused(
    shop: Scrip, words: str, said: str
) -> None:
    """
    A name that is taken or unknown ends with 2 and says which, and changes nothing.
    """
    before = shop.query("select * from policy_version")

    assert said in shop.refused(*words.split())
    assert before == shop.query("select * from policy_version")


def test_a_merchant_is_suspended_activated_and_closed_for_good(shop: Scrip) -> None:
    """
    A suspension can be taken back, a closing cannot.
    """
    for verb, state in (
        ("suspend", "SUSPENDED"),
        ("activate", "ACTIVE"),
        ("close", "CLOSED"),
    ):
        shop.done("merchant", verb, "nile")

        assert state == shop.rows("merchant", "list")[0]["state"]
    shop.refused("merchant", "activate", "nile")


def test_a_store_is_suspended_activated_and_closed_for_good(shop: Scrip) -> None:
    """
    The same for a store.
    """
    for verb, state in (
        ("suspend", "SUSPENDED"),
        ("activate", "ACTIVE"),
        ("close", "CLOSED"),
    ):
        shop.done("store", verb, "nile/cairo-1")

        assert state == shop.rows("store", "list")[0]["state"]
    shop.refused("store", "activate", "nile/cairo-1")


def test_a_programme_is_accepted_and_taken_back(shop: Scrip) -> None:
    """
    Accepting twice is as once; what was taken back is gone.
    """
    shop.done("merchant", "refuse", "nile", "gift")

    assert [] == shop.rows("merchant", "list")[0]["programs"]
    shop.done("merchant", "accept", "nile", "gift")
    shop.done("merchant", "accept", "nile", "gift")
    assert ["gift"] == shop.rows("merchant", "list")[0]["programs"]


def test_merchants_are_imported(shop: Scrip) -> None:
    """
    A file of merchants becomes merchants with their programmes.
    """
    file = shop.file("merchants.csv", "name,code,programs", "A B,ab,gift", "C,cd,")
    shop.done("merchant", "import", file)

    assert {("ab", ("gift",)), ("cd", ()), ("nile", ("gift",))} == {
        (row["code"], tuple(row["programs"])) for row in shop.rows("merchant", "list")
    }


def test_a_fault_in_a_file_of_merchants_imports_nothing(shop: Scrip) -> None:
    """
    All faults are told at once, each with its line and field.
    """
    file = shop.file(
        "merchants.csv",
        "code,name,programs",
        "good,Good,gift",
        "nile,Again,",
        "Bad,Bad,",
        "other,,none",
        "good,Twice,",
    )
    said = shop.refused("merchant", "import", file)

    for fault in (
        "line 3, code: there is a merchant nile",
        "line 4, code: 'Bad' is no code",
        "line 5, name: is empty",
        "line 6, code: good stands in line 2 already",
    ):
        assert fault in said
    assert ["nile"] == [row["code"] for row in shop.rows("merchant", "list")]


def test_stores_are_imported(shop: Scrip) -> None:
    """
    A file of stores becomes stores, in the currencies named or their country's.
    """
    file = shop.file(
        "stores.csv",
        "merchant,store,name,country,currencies,time_zone,cut_off",
        "nile,kw-1,Avenues,KW,KWD USD,Asia/Kuwait,02:30",
        "nile,lb-1,,LB,,Asia/Beirut,",
    )
    shop.done("store", "import", file)

    assert {
        ("cairo-1", "EGP", "04:00:00"),
        ("kw-1", "KWD USD", "02:30:00"),
        ("lb-1", "LBP", "00:00:00"),
    } == {
        (row["code"], row["currencies"], row["cut_off"])
        for row in shop.rows("store", "list")
    }


def test_a_fault_in_a_file_of_stores_imports_nothing(shop: Scrip) -> None:
    """
    All faults are told at once, each with its line and field.
    """
    file = shop.file(
        "stores.csv",
        "merchant,store,country,currencies,time_zone,cut_off",
        "nile,ok,KW,,Asia/Kuwait,",
        "none,one,KW,,Asia/Kuwait,",
        "nile,cairo-1,EG,,Africa/Cairo,",
        "nile,two,XX,,Asia/Kuwait,",
        "nile,three,KW,KWX,Asia/Kuwait,25:00",
        "nile,four,KW,,Asia/Nowhere,",
        "nile,five,KW,,Asia/Kuwait",
        "nile,ok,KW,,Asia/Kuwait,",
    )
    said = shop.refused("store", "import", file)

    for fault in (
        "line 3, merchant: there is no merchant none",
        "line 4, store: there is a store nile/cairo-1",
        "line 5, country: 'XX' is no country",
        "line 6, currencies: 'KWX' is not a currency",
        "line 6, cut_off: '25:00' is no time of day",
        "line 7, time_zone: 'Asia/Nowhere' is no time zone",
        "line 8, row: has 5 cells: give 6",
        "line 9, store: ok stands in line 2 already",
    ):
        assert fault in said
    assert ["cairo-1"] == [row["code"] for row in shop.rows("store", "list")]
