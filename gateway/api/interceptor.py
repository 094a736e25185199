"""
Stand before every method of ours: identity, deadline, the line at the end, the status.

One interceptor, because each costs a call of its own on the path of a sale. Handlers
are wrapped once for each method and kept. Health and reflection are for onlookers:
mutual TLS is all they ask for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import grpc
from grpc import aio
from grpc_status import rpc_status

from gateway.api.calls import STREAM_METHOD, Call, CallLog, enter
from gateway.api.crowd import MAX_CALLS, MAX_STREAMS, Crowd
from gateway.api.entrance import Entrance
from gateway.api.identity import Identities
from gateway.api.messages import Unreadable, refuse_unreadable, tolerant
from gateway.api.onlookers import Onlookers
from gateway.api.status import status_of
from gateway.domain.policy import Caller
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import staff_service_pb2 as staff_pb

WORKER_KEY: Final = "scrip-worker"

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Context = aio.ServicerContext[Any, Any]
_Require: TypeAlias = "Callable[[Caller], Awaitable[None]]"
# Generic in the stubs only.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Find: TypeAlias = (
    "Callable[[grpc.HandlerCallDetails], "
    "Awaitable[grpc.RpcMethodHandler[_Request, _Response] | None]]"
)
_OUR_METHODS: Final = f"/{pb.DESCRIPTOR.services_by_name['CardService'].full_name}/"
_STAFF: Final = staff_pb.DESCRIPTOR.services_by_name["StaffService"]
_STAFF_METHODS: Final = f"/{_STAFF.full_name}/"


class Guard(aio.ServerInterceptor):
    """
    Wrap the methods of the card service, of staff's, and those of the standard ones.
    """

    def __init__(
        self,
        *,
        identities: Identities,
        entrance: Entrance,
        call_log: CallLog,
        worker: int,
        default_deadline_s: float,
    ) -> None:
        self._identities = identities
        self._entrance = entrance
        self._log = call_log
        self._default_deadline_s = default_deadline_s
        self._trailer = ((WORKER_KEY, str(worker)),)
        self._handlers: dict[str, _Handler] = {}
        self._calls = Crowd(MAX_CALLS, "calls")
        self._streams = Crowd(MAX_STREAMS, "streams")
        self._onlookers = Onlookers()
        self._running = 0

    @property
    def running(self) -> int:
        """
        Count the calls of our services that have no answer yet, streams included.
        """
        return self._running

    async def intercept_service(
        self,
        continuation: _Find[_Request, _Response],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[_Request, _Response] | None:
        """
        Give the method's wrapped handler.
        """
        method = handler_call_details.method
        known = self._handlers.get(method)
        if known is not None:
            return known
        found = await continuation(handler_call_details)
        if found is None:
            return found
        if method.startswith(_OUR_METHODS):
            wrapped = self._wrap(method.removeprefix(_OUR_METHODS), found)
        elif method.startswith(_STAFF_METHODS):
            name = f"{_STAFF.name}.{method.removeprefix(_STAFF_METHODS)}"
            wrapped = self._wrap(name, found, self._entrance.require_staff)
        else:
            wrapped = self._onlookers.wrap(found)
        self._handlers[method] = wrapped
        return wrapped

    def _wrap(
        self, method: str, handler: _Handler, require: _Require | None = None
    ) -> _Handler:
        parse = handler.request_deserializer
        if parse is None:  # pragma: no cover - generated code always has one
            return handler
        if method == STREAM_METHOD:
            return grpc.stream_stream_rpc_method_handler(
                self._streaming(handler),
                tolerant(parse),
                handler.response_serializer,
            )
        unary = self._unary(method, handler, require or self._entrance.require_device)
        return grpc.unary_unary_rpc_method_handler(
            unary, tolerant(parse), handler.response_serializer
        )

    def _unary(self, method: str, handler: _Handler, require: _Require) -> Any:  # noqa: ANN401
        run: Any = handler.unary_unary

        async def guarded(request: object, context: _Context) -> object:
            call = self._arrived(method, context, self._default_deadline_s)
            self._running += 1
            try:
                caller = self._identify(call, context)
                with self._calls.seat(caller):
                    if isinstance(request, Unreadable):
                        await require(caller)
                        refuse_unreadable()
                    enter(call)
                    response: object = await run(request, context)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
                self._log.failed(call, error)
                await self._fail(context, error)
            finally:
                self._running -= 1
            self._log.answered(call)
            return response

        return guarded

    def _streaming(self, handler: _Handler) -> Any:  # noqa: ANN401
        run: Any = handler.stream_stream

        async def guarded(requests: object, context: _Context) -> None:
            call = self._arrived(STREAM_METHOD, context, math.inf)
            self._running += 1
            try:
                caller = self._identify(call, context)
                with self._streams.seat(caller):
                    await self._entrance.require_device(caller)
                    enter(call)
                    await run(requests, context)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
                self._log.failed(call, error)
                await self._fail(context, error)
            else:
                self._log.answered(call)
            finally:
                self._running -= 1

        return guarded

    def _arrived(
        self, method: str, context: _Context, default_deadline_s: float
    ) -> Call:
        context.set_trailing_metadata(self._trailer)
        # The stubs say float; without a deadline the library gives None.
        remaining_s: float | None = context.time_remaining()
        if remaining_s is None:
            remaining_s = default_deadline_s
        return Call(
            method=method,
            caller=None,
            deadline=asyncio.get_running_loop().time() + remaining_s,
            started=time.perf_counter(),
        )

    def _identify(self, call: Call, context: _Context) -> Caller:
        caller = self._identities.caller_of(context.auth_context())
        call.caller = caller
        return caller

    async def _fail(self, context: _Context, error: BaseException) -> NoReturn:
        """
        End the call with the error's status.
        """
        if isinstance(error, asyncio.CancelledError):
            raise error
        status = rpc_status.to_status(status_of(error))
        await context.abort(
            status.code, status.details, (*self._trailer, *status.trailing_metadata)
        )
