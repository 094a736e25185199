"""
The newest policy a worker has seen: loaded once, never older than what was told.
"""

import asyncio

import pytest

from gateway.domain.policy import Policy
from gateway.engine.policies import Policies
from gateway.engine.ports import BooksUnavailableError
from tests.support import world
from tests.support.engine_world import lane_policy, raising
from tests.support.fake_books import FakeBooks


def books(rules: Policy) -> FakeBooks:
    """
    Give books with a policy in force.
    """
    return FakeBooks(rules, [], world.NOW)


async def test_what_is_known_is_not_loaded() -> None:
    """
    The same version, or an older one that a slow read tells, costs nothing.
    """
    kept = books(lane_policy(3))
    policies = Policies(kept, kept.rules)

    assert await policies.at_least(3) is kept.rules
    assert await policies.at_least(2) is policies.current
    assert kept.passed == []


async def test_a_newer_version_is_loaded() -> None:
    """
    And kept: the next one who asks does not load it again.
    """
    kept = books(lane_policy(2))
    policies = Policies(kept, lane_policy(1))

    assert (await policies.at_least(2)).version == 2
    assert (await policies.refresh()).version == 2
    assert policies.current is kept.rules
    assert kept.passed == ["policy", "policy"]


async def test_many_who_ask_at_once_load_it_once() -> None:
    """
    The second waits for the first, and finds it there.
    """
    kept = Slow(lane_policy(2), [], world.NOW)
    policies = Policies(kept, lane_policy(1))

    found = await asyncio.gather(*(policies.at_least(2) for _ in range(5)))

    assert [one.version for one in found] == [2] * 5
    assert kept.passed == ["policy"]


async def test_a_policy_never_goes_back() -> None:
    """
    An older one, read late, does not replace the newer.
    """
    kept = books(lane_policy(1))
    policies = Policies(kept, lane_policy(2))

    await policies.at_least(3)

    assert policies.current.version == 2


async def test_books_that_cannot_be_reached() -> None:
    """
    The fault passes, and what is known stays in force.
    """
    kept = books(lane_policy(2))
    kept.strike("policy", raising(BooksUnavailableError("08006")))
    policies = Policies(kept, lane_policy(1))

    with pytest.raises(BooksUnavailableError):
        await policies.at_least(2)

    assert policies.current.version == 1
    assert (await policies.at_least(2)).version == 2


class Slow(FakeBooks):
    """
    Books that take a moment.
    """

    async def load_policy(self, known: Policy | None) -> Policy:
        """
        Let the others run, then read.
        """
        await asyncio.sleep(0)
        return await super().load_policy(known)
