"""
Terms of holds through the `scrip` command: what a tip is, how long a hold lives.
"""

from tests.support.scrip_command import Scrip


def test_a_programme_allows_tips(shop: Scrip) -> None:
    """
    None at first; a change raises the version of the policy, and is listed.
    """
    (before,) = shop.rows("program", "list")
    (version,) = shop.query("select version from policy_version")
    said = shop.done("program", "tips", "gift", "--tip-tolerance", "12.5")
    (after,) = shop.rows("program", "list")
    (raised,) = shop.query("select version from policy_version")

    assert (before["tip_tolerance_bps"], after["tip_tolerance_bps"]) == (0, 1_250)
    assert raised["version"] > version["version"]
    assert "gift may exceed their hold by 12.5 %" in said
    assert "12.5 %" in shop.done("program", "list")


def test_a_programme_is_created_with_tips(shop: Scrip) -> None:
    """
    Twenty per cent of a hold.
    """
    created = "program create --code dine --name Dine --time-zone UTC"
    shop.done(*created.split(), "--tip-tolerance", "20")
    tips = {
        row["code"]: row["tip_tolerance_bps"] for row in shop.rows("program", "list")
    }

    assert tips == {"gift": 0, "dine": 2_000}


def test_a_product_says_how_long_holds_live(shop: Scrip) -> None:
    """
    Seven days at first, and what is said when it is created or later.
    """
    shop.done(
        *["product", "create", "gift/short", "--currency", "USD", "--hold-ttl", "3600"],
    )
    first = {row["code"]: row["hold_ttl_s"] for row in shop.rows("product", "list")}
    said = shop.done("product", "holds", "gift/standard", "--hold-ttl", "600")
    then = {row["code"]: row["hold_ttl_s"] for row in shop.rows("product", "list")}

    assert (first["standard"], first["short"]) == (604_800, 3_600)
    assert (then["standard"], then["short"]) == (600, 3_600)
    assert "live 600 s" in said


def test_products_permit_holds(shop: Scrip) -> None:
    """
    Without a list all is permitted, holds too.
    """
    (row,) = shop.rows("product", "list")

    assert "AUTHORIZE" in row["permitted"]


def test_what_is_not_there(shop: Scrip) -> None:
    """
    The command names what it did not find, or could not read.
    """
    wrong = {
        "program tips none --tip-tolerance 20": "there is no programme none",
        "program tips gift --tip-tolerance 101": "0 to 100",
        "program tips gift --tip-tolerance much": "0 to 100",
        "product holds gift/none --hold-ttl 60": "there is no product gift/none",
    }

    for command, remedy in wrong.items():
        assert remedy in shop.refused(*command.split())
