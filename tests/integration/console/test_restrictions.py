"""
Restrictions, store groups and issue batches through the `scrip` command.
"""

from pathlib import Path

import pytest

from tests.support.scrip_command import Scrip

CARDS = ("card", "create", "--product", "gift/standard")


@pytest.fixture
def mall(shop: Scrip) -> Scrip:
    """
    Give the shop a second merchant, a store in a group of each kind, and a set.
    """
    shop.done("merchant", "create", "--code", "other", "--name", "Other")
    shop.done(
        *("store", "create", "other/city", "--country", "EG", "--category", "5812"),
        *("--time-zone", "Africa/Cairo"),
    )
    shop.done("store-group", "create", "malls", "--program", "gift")
    shop.done("store-group", "create", "malls", "--merchant", "nile")
    shop.done(
        *("store-group", "add", "malls", "nile/cairo-1", "other/city"),
        *("--program", "gift"),
    )
    shop.done("store-group", "add", "malls", "nile/cairo-1", "--merchant", "nile")
    shop.done(
        *("restriction", "create", "gift/canteen"),
        *("--allow", "group=malls", "--allow", "group=nile/malls"),
        *("--allow", "store=other/city", "--deny", "merchant=other"),
        *("--deny", "country=KW", "--allow", "category=5812"),
        *("--hours", "mon-fri 11:30-14:00", "--hours", "sat"),
    )
    return shop


def number_of(path: Path) -> str:
    """
    Read the first number of a file.
    """
    return path.read_text(encoding="ascii").splitlines()[1].split(",")[1]


def test_a_set_is_created_listed_and_shown(mall: Scrip) -> None:
    """
    It is shown in the words in which it can be imported.
    """
    (row,) = mall.rows("restriction", "list")
    shown = mall.rows("restriction", "show", "gift/canteen")

    assert ("gift", "canteen", 1, 6, 2, [], 0) == (
        row["program"],
        row["code"],
        row["version"],
        row["entries"],
        row["windows"],
        row["products"],
        row["issue_batches"],
    )
    assert shown == [
        {"rule": rule, "kind": kind, "value": value}
        for rule, kind, value in (
            ("allow", "category", "5812"),
            ("allow", "group", "malls"),
            ("allow", "group", "nile/malls"),
            ("allow", "store", "other/city"),
            ("deny", "country", "KW"),
            ("deny", "merchant", "other"),
            ("allow", "hours", "mon,tue,wed,thu,fri 11:30-14:00"),
            ("allow", "hours", "sat"),
        )
    ]
    assert "canteen" in mall.done("restriction", "list", "--program", "gift")


def test_an_import_makes_the_next_version_whole(mall: Scrip) -> None:
    """
    What a set lists is what the file says; the old version can still be shown.
    """
    file = mall.file(
        "sets.csv",
        "value,kind,rule,set",
        "mon-fri 11:00-15:00,hours,allow,gift/canteen",
        "nile/cairo-1,store,allow,gift/new",
    )
    (before,) = mall.query("select version from policy_version")
    said = mall.done("restriction", "import", file)
    (after,) = mall.query("select version from policy_version")

    assert "gift/canteen is at version 2" in said
    assert "gift/new is at version 1" in said
    assert before["version"] < after["version"]
    assert mall.rows("restriction", "show", "gift/canteen") == [
        {
            "rule": "allow",
            "kind": "hours",
            "value": "mon,tue,wed,thu,fri 11:00-15:00",
        }
    ]
    assert len(mall.rows("restriction", "show", "gift/canteen", "--version", "1")) == 8


def test_a_file_with_faults_changes_nothing(mall: Scrip) -> None:
    """
    All are told, with line and field.
    """
    file = mall.file(
        "sets.csv",
        "set,rule,kind,value",
        "gift/canteen,allow,store,nile/none",
        "gift/canteen,deny,hours,daily",
        "none/canteen,allow,country,EG",
        "gift/canteen,allow,group,other/malls",
        "gift/canteen,allow,country,EG",
        "gift/canteen,allow,country,EG",
        "gift/canteen,maybe,country,EG",
        "gift/canteen,allow,planet,EG",
        "gift/canteen,allow,hours,always",
        "gift,allow,country,EG",
        *(
            f"gift/canteen,allow,hours,mon 0{at // 10}:{at % 10}0-09:00"
            for at in range(9)
        ),
        *(
            f"gift/canteen,allow,hours,tue 0{at // 10}:{at % 6}0-09:00"
            for at in range(6)
        ),
    )
    before = mall.query("select * from restriction_version")
    said = mall.refused("restriction", "import", file)

    for fault in (
        "line 2, value: there is no store nile/none",
        "line 3, rule: hours are allowed, never denied",
        "line 4, set: PROGRAM/SET: there is no programme none",
        "line 5, value: there is no store group other/malls",
        "line 7, value: stands in line 6 already",
        "line 8, rule: 'maybe' is no rule",
        "line 9, kind: 'planet' is nothing to list",
        "line 10, value: 'always' are no weekdays",
        "line 11, set: 'gift': write PROGRAM/SET",
    ):
        assert fault in said
    assert before == mall.query("select * from restriction_version")


def test_a_set_holds_only_so_many_windows(mall: Scrip) -> None:
    """
    What it says is kept with each refusal, so it is bounded.
    """
    windows = [f"mon {hour:02}:00-{hour:02}:30" for hour in range(15)]
    options = [word for window in windows for word in ("--hours", window)]
    file = mall.file(
        "sets.csv",
        "set,rule,kind,value",
        *(f"gift/canteen,allow,hours,{window}" for window in windows),
    )

    assert "--hours: give at most 14" in mall.refused(
        "restriction", "create", "gift/many", *options
    )
    assert "line 16, value: more than 14 windows" in mall.refused(
        "restriction", "import", file
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("restriction create gift/canteen --deny country=EG", "there is a set"),
        ("restriction create none/a --deny country=EG", "there is no programme none"),
        ("restriction create gift/a", "--allow, --deny, --hours: give at least one"),
        ("restriction create gift/a --deny store=nile/x", "there is no store nile/x"),
        ("restriction create gift/a --deny merchant=x", "there is no merchant x"),
        (
            "restriction create gift/a --deny group=x",
            "there is no store group x: see `scrip store-group list`",
        ),
        ("restriction show gift/none", "there is no such set or version"),
        (
            "restriction show gift/canteen --version 2",
            "there is no such set or version",
        ),
        ("product restrict gift/standard", "give one of the two"),
        ("product restrict gift/standard --restriction x --lift", "one of the two"),
        ("product restrict gift/standard --restriction x", "there is no set gift/x"),
        ("product restrict gift/x --lift", "there is no product gift/x"),
        (
            "product create gift/new --currency USD --restriction x",
            "there is no set gift/x",
        ),
        ("card restrict-batch 77 --lift", "there is no issue batch 77"),
        ("store category nile/none 5812", "there is no store nile/none"),
        ("store-group create malls", "name one that the group is of"),
        ("store-group create malls --program gift", "there is a group malls"),
        ("store-group create a --program none", "there is no programme none"),
        ("store-group create a --merchant none", "there is no merchant none"),
        ("store-group add none nile/cairo-1 --program gift", "no such group none"),
        ("store-group add malls nile/none --program gift", "no store nile/none"),
        ("store-group add malls other/city --merchant nile", "holds its own stores"),
    ],
)
def test_what_does_not_fit_is_refused(mall: Scrip, words: str, said: str) -> None:
    """
    A name that is taken or unknown ends with 2 and says which, and changes nothing.
    """
    before = mall.query("select * from policy_version")

    assert said in mall.refused(*words.split())
    assert before == mall.query("select * from policy_version")


def test_a_group_holds_the_stores_that_were_put_in(mall: Scrip) -> None:
    """
    Putting in twice is as once; what was taken out is gone.
    """
    of = ("--program", "gift")
    again = mall.done("store-group", "add", "malls", "nile/cairo-1", *of)
    out = mall.done("store-group", "remove", "malls", "other/city", *of)
    rows = mall.rows("store-group", "list")

    assert "0 stores added" in again
    assert "1 stores taken out" in out
    assert [(row["program"], row["merchant"], row["stores"]) for row in rows] == [
        ("gift", None, ["nile/cairo-1"]),
        (None, "nile", ["nile/cairo-1"]),
    ]
    assert mall.rows("store-group", "list", "--merchant", "nile") == rows[1:]


def test_a_product_has_a_restriction_until_it_is_lifted(mall: Scrip) -> None:
    """
    From its creation or later; the list of sets says where they stand.
    """
    mall.done(
        *("product", "create", "gift/lunch", "--currency", "USD"),
        *("--restriction", "canteen"),
    )
    mall.done("product", "restrict", "gift/standard", "--restriction", "canteen")
    both = mall.rows("restriction", "list")[0]["products"]
    mall.done("product", "restrict", "gift/lunch", "--lift")

    assert both == ["lunch", "standard"]
    assert [
        (row["code"], row["restriction"]) for row in mall.rows("product", "list")
    ] == [("lunch", None), ("standard", "canteen")]


def test_a_store_says_what_it_sells_until_it_does_not(mall: Scrip) -> None:
    """
    A category may be given at creation, by a file or later, and taken back.
    """
    file = mall.file(
        "stores.csv",
        "merchant,store,country,time_zone,merchant_category",
        "nile,one,EG,Africa/Cairo,5411",
        "nile,two,EG,Africa/Cairo,",
    )
    mall.done("store", "import", file)
    mall.done("store", "category", "nile/cairo-1", "5812")
    mall.done("store", "category", "other/city")

    assert "four digits" in mall.refused("store", "category", "nile/one", "58")
    assert {
        f"{row['merchant']}/{row['code']}": row["merchant_category"]
        for row in mall.rows("store", "list")
    } == {
        "nile/cairo-1": "5812",
        "nile/one": "5411",
        "nile/two": None,
        "other/city": None,
    }


def test_each_run_is_an_issue_batch_that_can_be_restricted(mall: Scrip) -> None:
    """
    Cards name the batch they were made in; its set can be changed and lifted.
    """
    mall.done(*CARDS, "--count", "3", "--out", mall.folder / "a.csv")
    mall.done(
        *(*CARDS, "--count", "2", "--out", mall.folder / "b.csv"),
        *("--restriction", "canteen"),
    )
    made = mall.rows("card", "batches", "--product", "gift/standard")
    of_cards = mall.query(
        "select issue_batch_id, count(*) as cards from card group by 1 order by 1"
    )
    first = made[1]["issue_batch_id"]
    mall.done("card", "restrict-batch", str(first), "--restriction", "canteen")
    both = mall.rows("restriction", "list")[0]["issue_batches"]
    mall.done("card", "restrict-batch", str(first), "--lift")

    assert [row["restriction"] for row in made] == ["canteen", None]
    assert [row["cards"] for row in of_cards] == [3, 2]
    assert [row["issue_batch_id"] for row in of_cards] == [
        first,
        made[0]["issue_batch_id"],
    ]
    assert both == 2
    assert [row["restriction"] for row in mall.rows("card", "batches")] == [
        "canteen",
        None,
    ]
    assert mall.rows("card", "batches", "--product", "gift/none") == []


def test_a_resumed_run_goes_on_with_its_batch(mall: Scrip) -> None:
    """
    And under the restriction it was begun with, or not at all.
    """
    out = mall.folder / "a.csv"
    lunch = ("--restriction", "canteen")
    mall.done("restriction", "create", "gift/other", "--deny", "country=KW")
    mall.done(*CARDS, "--count", "2", "--out", out, *lunch)
    refused = mall.refused(
        *(*CARDS, "--count", "4", "--out", out, "--resume"),
        *("--restriction", "other"),
    )
    mall.done(*CARDS, "--count", "3", "--out", out, "--resume")
    mall.done(*CARDS, "--count", "4", "--out", out, "--resume", *lunch)

    assert "--restriction: the interrupted run has another" in refused
    assert len(mall.rows("card", "batches")) == 1
    assert len(mall.query("select 1 from card where issue_batch_id is not null")) == 4


def test_one_card_is_restricted_by_its_number(mall: Scrip) -> None:
    """
    The number comes from standard input, and is never said again.
    """
    out = mall.folder / "a.csv"
    mall.done(*CARDS, "--count", "2", "--out", out)
    number = number_of(out)
    said = mall.done(
        "card", "restrict", "--restriction", "canteen", stdin=f"{number}\n"
    )
    restricted = mall.query("select restriction_set_id from card order by card_id")
    shown = mall.rows("card", "show", number[-4:])
    mall.done("card", "restrict", "--lift", stdin=f"{number}\n")

    assert number not in said
    assert [row["restriction_set_id"] is None for row in restricted] == [False, True]
    assert "canteen" in [row["restriction"] for row in shown]
    assert "there is no such card" in mall.refused(
        "card", "restrict", "--lift", stdin="6036280000000000007\n"
    )
    assert "there is no set gift/none" in mall.refused(
        *("card", "restrict", "--restriction", "none"), stdin=f"{number}\n"
    )
    assert [row["restriction_set_id"] for row in mall.query("select * from card")] == [
        None,
        None,
    ]
