"""
Holds for tests of what becomes of them: placed by tills, looked at in the books.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.server import Card, Gateway
    from tests.support.tills import Outcome, Till

EXPIRIES: Final = "{scrip}:expiries"
MARK: Final = "{scrip}:expiries:loaded"

_RELEASES: Final = """
SELECT h.hold_id, h.state, h.expires_at,
    count(t.transaction_id) AS releases, min(t.host_time) AS released_at
FROM hold AS h
LEFT JOIN transaction AS t
    ON t.original_transaction_id = h.hold_id AND t.activity = 11
GROUP BY h.hold_id
ORDER BY h.expires_at, h.hold_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    A hold as the books have it, and how many RELEASE rows it has.
    """

    hold_id: str
    state: int
    expires_at: datetime
    releases: int
    released_at: datetime | None

    @property
    def lag_s(self) -> float:
        """
        Give how long after its time it was released.
        """
        assert self.released_at is not None
        return (self.released_at - self.expires_at).total_seconds()


async def authorize(till: Till, card: Card, minor: int, *, life_s: int) -> Outcome:
    """
    Hold an amount for so many seconds.
    """
    outcome = await till.ask(
        "Authorize",
        card_number=card.number,
        amount={"minor_units": minor, "currency_code": "USD", "exponent": 2},
        time_to_live={"seconds": life_s},
    )
    assert outcome.response_code == "00", outcome
    return outcome


def held(gateway: Gateway) -> list[Held]:
    """
    Read all holds, the soonest first.
    """
    return [
        Held(
            hold_id=str(row[0]),
            state=row[1],
            expires_at=row[2],
            releases=row[3],
            released_at=row[4],
        )
        for row in gateway.sql(_RELEASES)
    ]


def are_released(gateway: Gateway) -> bool:
    """
    Tell whether no hold is open any more.
    """
    ((count,),) = gateway.sql("SELECT count(*) FROM hold WHERE state = 1")
    return int(count) == 0


def redis_of(gateway: Gateway) -> Any:
    """
    Look at the gateway's Redis from outside, without silent retries.
    """
    return redis.Redis.from_url(
        gateway.redis_url, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


async def until(holds: Callable[[], bool], *, within_s: float = 10) -> None:
    """
    Wait until something holds, and let others work meanwhile.
    """
    limit = time.monotonic() + within_s
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < limit, "it did not come true in time"
        await asyncio.sleep(0.02)
