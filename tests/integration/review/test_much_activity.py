"""
An activation that much was done after is undone only when all of that is undone.
"""

import re
from typing import Final, cast

import psycopg
from annotated_types import Le

from gateway.books.check import check_books
from gateway.books.queries import QUERIES
from gateway.domain.results import Result
from gateway.runtime.settings_groups import LaneSettings
from tests.support.ledger import seed
from tests.support.real_lanes import on_card, real_lane
from tests.support.stores import FreshDatabase
from tests.support.world import activate, amount, load, reverse

LARGEST_BATCH: Final[int] = next(
    cast("int", bound.le)
    for bound in LaneSettings.model_fields["batch_limit"].metadata
    if isinstance(bound, Le)
)


def test_more_is_read_than_one_batch_can_undo() -> None:
    """
    Else a batch undoes all that was read of what followed, and the activation with it.
    """
    (limit,) = re.findall(r"LIMIT (\d+)", QUERIES["stored_requests"].text)

    assert int(limit) > LARGEST_BATCH


async def test_a_batch_that_undoes_most_of_it(database: FreshDatabase) -> None:
    """
    45 of 300 loads still stand, although the batch undid as many as it can: 21.
    """
    seed(database.owner_dsn)
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("UPDATE card SET state = 2 WHERE card_id = 1")
    loads = range(2, 302)
    undone = loads[: LARGEST_BATCH - 1]
    async with real_lane(database.gateway_dsn, batch_limit=LARGEST_BATCH) as lane:
        await lane.ask(on_card(activate(number=1)))
        await lane.ask(*[on_card(load(amount(1), number=n)) for n in loads])
        batches = len(lane.observer.batches)
        told = await lane.ask(
            *[reverse(n, number=1_000 + n, with_card=False) for n in undone],
            reverse(1, number=1_001, with_card=False),
        )

    assert lane.observer.batches[batches:] == [LARGEST_BATCH]
    assert {answer.record.result for answer in told[:-1]} == {Result.APPROVED}
    assert told[-1].record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert told[-1].record.balance_after_minor == len(loads) - len(undone)
    assert [] == await check_books(database.owner_dsn)
