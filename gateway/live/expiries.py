"""
The port `Expiries` on Redis, or Valkey, that may go away at any moment.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, cast

from gateway.domain.ids import TransactionId
from gateway.engine.clerk_ports import Due, Loaded, OpenHold, Page
from gateway.live.errors import LiveError
from gateway.live.events import LiveEvent
from gateway.live.link import Link, Reply
from gateway.live.options import LiveOptions
from gateway.live.requests import FunctionCall, due_call, load_call

# From page to page a loader takes milliseconds; one that is gone leaves its mark so
# long.
LOAD_PAUSE_MS: Final = 5_000
LOG_INTERVAL_S: Final = 10.0

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID_BYTES: Final = 16
_logger: Final = logging.getLogger(__name__)


class RedisExpiries:
    """
    When open holds expire, shared by all clerks. One that fails is left alone a while.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        lease_ms: int,
        options: LiveOptions,
        on_event: Callable[[str], None],
    ) -> None:
        """
        Take an address; nothing is opened yet. `token` is this process's own.
        """
        self._link = Link(
            url, name="scrip-clerk", timeout_ms=options.timeout_ms, on_event=on_event
        )
        self._token = token
        self._lease_ms = lease_ms
        self._options = options
        self._on_event = on_event
        self._not_before_s = 0.0
        self._logged_at_s = -LOG_INTERVAL_S

    async def close(self) -> None:
        """
        Let the connection go.
        """
        await self._link.close()

    async def take_due(
        self, now: datetime, *, limit: int, ended: Sequence[TransactionId]
    ) -> Due | None:
        """
        Take holds that are due, for the time of the lease; None without Redis.
        """
        call = due_call(now, limit=limit, lease_ms=self._lease_ms, ended=ended)
        reply = await self._call(call)
        if reply is None:
            return None
        try:
            return self._due_of(reply)
        except (LookupError, TypeError, ValueError) as error:
            self._failed(error)
            return None

    async def load(self, holds: Sequence[OpenHold], page: Page) -> bool:
        """
        Put a page in; False where the load has to begin again, or to wait.
        """
        call = load_call(
            holds,
            token=self._token,
            page=page.value,
            pause_ms=LOAD_PAUSE_MS,
            options=self._options,
        )
        return await self._call(call) == 1

    async def _call(self, call: FunctionCall) -> Reply:
        if monotonic() < self._not_before_s:
            return None
        try:
            return await self._link.call_function(call)
        except LiveError as error:
            self._failed(error)
        except Exception as error:
            _logger.exception("a call for expiries failed in a way that is our fault")
            self._failed(error)
        return None

    def _due_of(self, reply: Reply) -> Due:
        if not isinstance(reply, list):
            raise TypeError("what is due is no list")
        loaded, first, *found = reply
        next_at = None
        if first:
            next_at = _EPOCH + timedelta(milliseconds=float(cast("bytes", first)))
        hold_ids = [_id_of(cast("bytes", text)) for text in found]
        if None in hold_ids:
            self._on_event(LiveEvent.READ_FAILED)
        known = [hold_id for hold_id in hold_ids if hold_id is not None]
        return Due(Loaded(cast("int", loaded)), next_at, known)

    def _failed(self, error: Exception) -> None:
        """
        Leave Redis alone for a while, and say why, but not every time.
        """
        self._on_event(LiveEvent.CALL_FAILED)
        now_s = monotonic()
        self._not_before_s = now_s + self._options.probe_interval_ms / 1_000
        if now_s - self._logged_at_s >= LOG_INTERVAL_S:
            self._logged_at_s = now_s
            _logger.warning(
                "redis does not tell what expires, the books are asked: %s: %s",
                type(error).__name__,
                error,
            )


def _id_of(text: bytes) -> TransactionId | None:
    """
    Read a hold's id; None when it is none of ours.
    """
    try:
        made = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None
    return TransactionId(made) if len(made) == _ID_BYTES else None
