"""
Limits through the `scrip` command.
"""

import pytest

from tests.integration.console.test_restrictions import number_of
from tests.support.scrip_command import Scrip

CARDS = ("card", "create", "--product", "gift/standard")
SET = ("limit", "create", "gift/everyday", "--currency", "USD")


@pytest.fixture
def limited(shop: Scrip) -> Scrip:
    """
    Give the shop a set of limits.
    """
    shop.done(*SET, "--load-day", "500.00", "--spend-window", "3/10m")
    return shop


def test_a_set_is_created_changed_and_shown(limited: Scrip) -> None:
    """
    A change is a new version, whole; the old one can still be shown.
    """
    (before,) = limited.query("select version from policy_version")
    said = limited.done("limit", "change", "gift/everyday", "--spend-count", "4")
    (after,) = limited.query("select version from policy_version")
    (row,) = limited.rows("limit", "show", "gift/everyday")
    (old,) = limited.rows("limit", "show", "gift/everyday", "--version", "1")

    assert "is at version 2" in said
    assert before["version"] < after["version"]
    assert (row["version"], row["load_day_minor"], row["spend_day_count"]) == (
        *(2, None, 4),
    )
    assert (old["load_day_minor"], old["spend_window_count"]) == (500_00, 3)
    listed = limited.done("limit", "list", "--program", "gift")
    assert "4 times a day" in listed


def test_a_set_is_given_and_taken_away(limited: Scrip) -> None:
    """
    To a product, an issue batch and a card.
    """
    out = limited.folder / "cards.csv"
    limited.done(*CARDS, "--count", "1", "--out", str(out))
    number = number_of(out)
    (batch,) = limited.query("select issue_batch_id as id from issue_batch")
    limited.done("limit", "product", "gift/standard", "--set", "everyday")
    limited.done("limit", "batch", str(batch["id"]), "--set", "everyday")
    limited.done("limit", "card", "--set", "everyday", stdin=f"{number}\n")
    (row,) = limited.rows("limit", "list")
    assert (row["products"], row["issue_batches"]) == (["standard"], [batch["id"]])
    (card,) = limited.query("select limit_set_id from card")
    assert card["limit_set_id"] == row["limit_set_id"]

    limited.done("limit", "product", "gift/standard", "--lift")
    limited.done("limit", "batch", str(batch["id"]), "--lift")
    limited.done("limit", "card", "--lift", stdin=f"{number}\n")
    (row,) = limited.rows("limit", "list")
    assert (row["products"], row["issue_batches"]) == ([], [])
    assert limited.query("select 1 from card where limit_set_id is not null") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*SET, "--load-day", "1.00"), "there is a set gift/everyday"),
        (("limit", "create", "none/x", "--currency", "USD"), "at least one limit"),
        (
            ("limit", "create", "none/x", "--currency", "USD", "--load-count", "1"),
            "no programme none",
        ),
        (("limit", "change", "gift/none", "--load-count", "1"), "no set gift/none"),
        (("limit", "show", "gift/everyday", "--version", "9"), "not that version"),
        (("limit", "product", "gift/none", "--lift"), "no product gift/none"),
        (("limit", "product", "gift/standard"), "give one of the two"),
        (("limit", "product", "gift/standard", "--set", "none"), "no set gift/none"),
        (("limit", "product", "gift/standard", "--set", "euro"), "is in EUR"),
        (("limit", "batch", "99", "--lift"), "no issue batch 99"),
        (("limit", "terminal", "nile/cairo-1/none", "--lift"), "no terminal"),
    ],
)
def test_what_is_refused(
    limited: Scrip, arguments: tuple[str, ...], words: str
) -> None:
    """
    With a remedy, and nothing is changed.
    """
    limited.done(
        *("limit", "create", "gift/euro", "--currency", "EUR"),
        *("--load-day", "1.00"),
    )
    assert words in limited.refused(*arguments)


def test_a_terminal_has_limits_in_a_currency_that_stays(limited: Scrip) -> None:
    """
    It is named with the first; lifted, its day is still counted.
    """
    name = ("limit", "terminal", "nile/cairo-1/till-1")
    out = limited.folder / "devices"
    limited.done("terminal", "create", "nile/cairo-1/till-1", "--out", str(out))
    assert "--currency" in limited.refused(*name, "--spend-day", "100.00")
    limited.done(*name, "--currency", "EGP", "--spend-day", "100.00")
    assert "stay so" in limited.refused(*name, "--currency", "USD", "--load-count", "1")
    assert "name no limit" in limited.refused(*name, "--lift", "--load-count", "1")
    limited.done(*name, "--load-count", "7")
    (row,) = limited.rows("limit", "terminals", "--merchant", "nile")
    assert (row["version"], row["currency"], row["load_day_count"]) == (2, "EGP", 7)
    assert "7 times a day" in limited.done("limit", "terminals")
    limited.done(*name, "--lift")
    (row,) = limited.rows("limit", "terminals")
    assert (row["version"], row["load_day_count"], row["loads"]) == (3, None, 0)
