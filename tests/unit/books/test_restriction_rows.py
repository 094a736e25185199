"""
Rows of restrictions become what decisions look at.
"""

import pytest

from gateway.books.restriction_rows import listed_of, restrictions_of
from gateway.domain.errors import InvariantError
from gateway.domain.ids import RestrictionSetId, RestrictionVersionId, StoreId
from gateway.domain.restrictions import (
    ListedCategory,
    ListedCountry,
    ListedGroup,
    ListedMerchant,
    ListedStore,
    ListRule,
    Restriction,
)

VERSION = RestrictionVersionId(10)


@pytest.mark.parametrize(
    ("row", "listed"),
    [
        ((10, 1, 7, None, None, None, None), ListedStore(ListRule.ALLOW, StoreId(7))),
        ((10, 2, None, 7, None, None, None), ListedGroup),
        ((10, 2, None, None, 7, None, None), ListedMerchant),
        ((10, 2, None, None, None, "KW", None), ListedCountry),
        ((10, 2, None, None, None, None, "5812"), ListedCategory),
    ],
)
def test_each_entry_lists_one_thing(row: tuple[object, ...], listed: object) -> None:
    """
    The column that is filled says what it is.
    """
    found = listed_of(row)

    if isinstance(listed, type):
        assert type(found) is listed
        assert found.rule is ListRule.DENY
    else:
        assert found == listed


def test_an_entry_that_lists_nothing_is_no_entry() -> None:
    """
    It would silently allow or deny nothing.
    """
    with pytest.raises(InvariantError, match="lists nothing"):
        listed_of((10, 1, None, None, None, None, None))


def test_versions_that_are_known_are_taken_over() -> None:
    """
    Their rows are not read again, and the object stays the same.
    """
    known = Restriction.of(VERSION, [ListedStore(ListRule.DENY, StoreId(7))], [])
    found = restrictions_of(
        [(1, 10), (2, 20)],
        [(20, 1, 8, None, None, None, None)],
        [(20, 31, 690, 840)],
        {RestrictionSetId(1): known},
    )
    new = found[RestrictionSetId(2)]

    assert found[RestrictionSetId(1)] is known
    assert new.allowed_places is not None
    assert new.allowed_places.stores == {8}
    assert new.hours is not None
    assert new.hours.text == "1-5 11:30-14:00"
