"""
Queries are read from their files as they are written.
"""

import pytest

from gateway.books.queries import QUERIES, parse_queries

SOURCE = """-- A file says first what it is for.

-- name: first
-- What it is for; which index.
-- A second line of it.
SELECT
    a, -- a remark stays on its line
    %(one)s::bigint
FROM t
-- A comment in between.
WHERE b = %(two)s AND c = %(one)s;

-- name: second
-- Another.
SELECT 5 %% %(n)s;
"""


def test_a_file_holds_several_queries() -> None:
    """
    Each has its name, its comment and its text, without comment lines.
    """
    queries = parse_queries(SOURCE)

    assert ["first", "second"] == list(queries)
    first = queries["first"]
    assert "What it is for; which index. A second line of it." == first.about
    assert "in between" not in first.text
    assert first.text.startswith("SELECT\n    a,")


def test_parameters_are_numbered_by_their_first_use() -> None:
    """
    A name that is used twice is one parameter; a doubled percent sign is one.
    """
    queries = parse_queries(SOURCE)

    assert ("one", "two") == queries["first"].parameters
    assert b"WHERE b = $2 AND c = $1;" in queries["first"].numbered
    assert b"SELECT 5 % $1;" == queries["second"].numbered


@pytest.mark.parametrize(
    "source",
    [
        "-- name: a\n-- Twice.\nSELECT 1;\n-- name: a\n-- Twice.\nSELECT 1;",
        "-- name: a\nSELECT 1;",
        "-- name: a\n-- Nothing follows.\n",
    ],
)
def test_what_is_not_complete_is_refused(source: str) -> None:
    """
    A name twice, a query without a comment and a comment without a query.
    """
    with pytest.raises(ValueError, match="query a"):
        parse_queries(source)


def test_every_query_says_what_it_is_for() -> None:
    """
    Those of the lane and the readings name their index, or say why there is none.
    """
    silent = [
        query.name
        for query in QUERIES.values()
        if not query.name.startswith(("admin_", "check_", "migrate_"))
        and query.name not in {"begin", "commit", "rollback"}
        and "ndex" not in query.about
        and "read whole" not in query.about
    ]

    assert [] == silent


def test_free_cards_are_read_as_locked_ones_are() -> None:
    """
    The two ways to lock cards by their ids differ in what they wait for alone.
    """
    locked = QUERIES["lock_cards_by_id"].text
    free = QUERIES["lock_free_cards_by_id"].text

    assert free == locked.replace("FOR UPDATE", "FOR UPDATE SKIP LOCKED")
