"""
One connection to Redis that makes one attempt a call, in bounded time.

redis-py knows the addresses, the log-in and the protocol; its client would add retries
of its own (a slow call is then executed many times) and several times the CPU a call,
so calls go straight to its connection.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, Protocol, cast

import hiredis
import redis
from redis.asyncio.connection import Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.live.errors import RedisLostError, RedisRefusedError, RedisSlowError
from gateway.live.events import LiveEvent
from gateway.live.library import library_code
from gateway.live.requests import Argument, FunctionCall

Reply = int | bytes | None | Sequence["Reply"]

# Redis and Valkey have no code of its own for this.
_NO_FUNCTION: Final = "function not found"


class _Wire(Protocol):
    """
    What is used of a redis-py connection, whose own types say little.
    """

    async def disconnect(self, nowait: bool = False) -> None: ...  # noqa: FBT001, FBT002 -- redis-py's

    async def send_packed_command(self, command: bytes) -> None: ...

    async def read_response(self) -> Reply: ...


_pack: Final = cast(
    "Callable[[tuple[Argument, ...]], bytes]",
    hiredis.pack_command,
)


class Link:
    """
    A connection, made when it is first needed and again after it broke.

    Calls wait for each other. The time limit covers everything that a call needs, be
    it connecting or loading the library again.
    """

    def __init__(
        self, url: str, *, name: str, timeout_ms: int, on_event: Callable[[str], None]
    ) -> None:
        options = dict(parse_url(url))
        connection_class = options.pop("connection_class", Connection)
        options |= {
            "client_name": name,
            "driver_info": None,
            "protocol": 2,
            # One limit stands around the whole call.
            "socket_timeout": None,
            "socket_connect_timeout": None,
            "health_check_interval": 0,
            "retry_on_timeout": False,
            "retry": Retry(NoBackoff(), 0),
        }
        make = cast("Callable[..., _Wire]", connection_class)
        self._wire = make(**options)
        self._timeout_s = timeout_ms / 1000
        self._on_event = on_event
        self._lock = asyncio.Lock()

    async def call(self, *parts: Argument) -> Reply:
        """
        Send one command and read its reply.

        Raises:
            RedisLostError, RedisSlowError, RedisRefusedError: as they say.

        """
        async with self._lock:
            return await self._in_time(self._exchange(parts))

    async def call_function(self, call: FunctionCall) -> Reply:
        """
        Call a function; when the server does not know it, load the library first.

        Raises:
            RedisLostError, RedisSlowError, RedisRefusedError: as they say.

        """
        async with self._lock:
            return await self._in_time(self._exchange_loading(call))

    async def load_functions(self) -> None:
        """
        Give the server this release's library, whatever it had.

        Raises:
            RedisLostError, RedisSlowError, RedisRefusedError: as they say.

        """
        async with self._lock:
            await self._in_time(self._load())

    async def close(self) -> None:
        """
        Let the connection go; the next call would make it again.
        """
        await self._wire.disconnect(nowait=True)

    async def _in_time(self, work: Coroutine[object, object, Reply]) -> Reply:
        """
        Bound a call, and never use a connection again that may hold an old reply.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except redis.ResponseError as error:
            raise RedisRefusedError(str(error)) from error
        except (TimeoutError, redis.TimeoutError) as error:
            await self.close()
            raise RedisSlowError(f"no answer in {self._timeout_s} s") from error
        except (redis.RedisError, OSError) as error:
            await self.close()
            raise RedisLostError(str(error)) from error
        except BaseException:
            await self.close()
            raise

    async def _exchange(self, parts: tuple[Argument, ...]) -> Reply:
        await self._wire.send_packed_command(_pack(parts))
        return await self._wire.read_response()

    async def _exchange_loading(self, call: FunctionCall) -> Reply:
        command = (
            "FCALL",
            call.function,
            len(call.keys),
            *call.keys,
            *call.arguments,
        )
        try:
            return await self._exchange(command)
        except redis.ResponseError as error:
            if _NO_FUNCTION not in str(error).lower():
                raise
        await self._load()
        return await self._exchange(command)

    async def _load(self) -> Reply:
        reply = await self._exchange(("FUNCTION", "LOAD", "REPLACE", library_code()))
        self._on_event(LiveEvent.FUNCTIONS_LOADED)
        return reply
