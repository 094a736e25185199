"""
Time-ordered ids ascend, are distinct, and are UUIDs of version 7.
"""

import uuid

from gateway.runtime.time_ordered_ids import TimeOrderedIds


def test_ids_ascend_and_are_version_7() -> None:
    """
    More ids than one millisecond's counter holds still ascend without a repeat.
    """
    ids = TimeOrderedIds()

    made = ids.take(5000) + ids.take(10)

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {uuid.UUID(bytes=one).version for one in made} == {7}
    assert {uuid.UUID(bytes=one).variant for one in made} == {uuid.RFC_4122}
