"""
The restriction sets in force, compiled from the rows of one snapshot.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from gateway.books.wire import Row
from gateway.domain.errors import InvariantError
from gateway.domain.ids import RestrictionSetId, RestrictionVersionId
from gateway.domain.restrictions import (
    Listed,
    ListedCategory,
    ListedCountry,
    ListedGroup,
    ListedMerchant,
    ListedStore,
    ListRule,
    Restriction,
    Window,
)


def restrictions_of(
    in_force: Sequence[Row],
    entries: Sequence[Row],
    windows: Sequence[Row],
    known: Mapping[RestrictionSetId, Restriction],
) -> dict[RestrictionSetId, Restriction]:
    """
    Compile the versions in force; those of `known` are taken over as they are.
    """
    compiled = {one.version_id: one for one in known.values()}
    listed: dict[RestrictionVersionId, list[Listed]] = defaultdict(list)
    for row in entries:
        listed[row[0]].append(listed_of(row))
    times: dict[RestrictionVersionId, list[Window]] = defaultdict(list)
    for version_id, *window in windows:
        times[version_id].append(Window._make(window))
    return {
        set_id: compiled.get(version_id)
        or Restriction.of(version_id, listed[version_id], times[version_id])
        for set_id, version_id in in_force
    }


def listed_of(row: Row) -> Listed:
    """
    Read one entry of a list.

    Raises:
        InvariantError: the row names nothing, which a constraint refuses.

    """
    _, rule, store_id, store_group_id, merchant_id, country, category = row
    meaning = ListRule(rule)
    if store_id is not None:
        return ListedStore(meaning, store_id)
    if store_group_id is not None:
        return ListedGroup(meaning, store_group_id)
    if merchant_id is not None:
        return ListedMerchant(meaning, merchant_id)
    if country is not None:
        return ListedCountry(meaning, country)
    if category is not None:
        return ListedCategory(meaning, category)
    message = "an entry of a restriction lists nothing"
    raise InvariantError(message)
