"""
What an operator writes of restrictions, and what is told of it.
"""

import pytest

from gateway.books.admin_restrictions import ListedName
from gateway.console.faults import FieldError
from gateway.console.restriction_terms import (
    listed_text,
    read_kind,
    read_restriction_name,
    read_rule,
    read_term,
    read_window,
    window_text,
)
from gateway.domain.restrictions import ListRule, Window


@pytest.mark.parametrize(
    ("text", "window", "again"),
    [
        ("mon-wed 11:30-14:00", Window(7, 690, 840), "mon,tue,wed 11:30-14:00"),
        ("sat,sun", Window(96, 0, 1_440), "sat,sun"),
        ("daily 22:00-02:00", Window(127, 1_320, 120), "daily 22:00-02:00"),
        ("mon-sun", Window(127, 0, 1_440), "daily"),
        ("sat-mon 08:00-24:00", Window(97, 480, 1_440), "mon,sat,sun 08:00-24:00"),
        ("fri 22:00-00:00", Window(16, 1_320, 1_440), "fri 22:00-24:00"),
        ("daily 00:00-24:00", Window(127, 0, 1_440), "daily"),
    ],
)
def test_windows_are_read_and_written(text: str, window: Window, again: str) -> None:
    """
    What is written can be read again.
    """
    assert read_window(text) == window
    assert window_text(window) == again
    assert read_window(again) == window


@pytest.mark.parametrize(
    "text",
    [
        "",
        "monday",
        "mon-",
        "mon-xyz",
        "mon,",
        "mon 11:30",
        "mon 11:30-11:30",
        "mon 00:00-00:00",
        "mon 24:00-10:00",
        "mon 10:00-24:01",
        "mon 10:60-11:00",
        "11:30-14:00",
    ],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    """
    With what would be right.
    """
    with pytest.raises(FieldError, match="write"):
        read_window(text)


@pytest.mark.parametrize(
    ("text", "kind", "owner", "code"),
    [
        ("store=nile/cairo-1", "store", "nile", "cairo-1"),
        ("group=malls", "group", None, "malls"),
        ("group=nile/malls", "group", "nile", "malls"),
        ("merchant=nile", "merchant", None, "nile"),
        ("country=KW", "country", None, "KW"),
        ("category=5812", "category", None, "5812"),
    ],
)
def test_terms_are_read(text: str, kind: str, owner: str | None, code: str) -> None:
    """
    Each kind names what it lists in its own way.
    """
    term = read_term(text)

    assert term == ListedName(ListRule.ALLOW, kind, owner, code)
    assert f"{kind}={listed_text(term)}" == text


@pytest.mark.parametrize(
    "text",
    [
        "store",
        "shop=nile",
        "store=nile",
        "store=nile/cairo-1/x",
        "group=a/b/c",
        "merchant=NILE",
        "country=XX",
        "category=58",
        "hours=daily",
    ],
)
def test_what_is_no_term_is_refused(text: str) -> None:
    """
    With what would be right.
    """
    with pytest.raises(FieldError, match=r"write|joined"):
        read_term(text)


def test_names_rules_and_kinds_are_read() -> None:
    """
    A CSV file has them in cells of their own.
    """
    assert read_restriction_name("gift/canteen") == ("gift", "canteen")
    assert [read_rule("allow"), read_rule("deny")] == [1, 2]
    assert read_kind("hours") == "hours"
    with pytest.raises(FieldError, match="allow or deny"):
        read_rule("Allow")
    with pytest.raises(FieldError, match="nothing to list"):
        read_kind("till")
