"""
Health and reflection: any certificate of ours may look, over TLS 1.3, a few at once.

They ask the books nothing, so that a balancer needs no device. What is bound is how
much one certificate may have under way: a watch costs its owner nothing and stays.
"""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
from grpc import aio
from grpc_status import rpc_status

from gateway.api.crowd import MAX_LOOKS, Crowd
from gateway.api.identity import require_tls_1_3
from gateway.api.status import status_of
from gateway.domain.errors import GatewayError

_Context = aio.ServicerContext[Any, Any]
_Stream = Callable[[Any, _Context], AsyncIterable[Any]]
# Generic in the stubs only.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Onlookers:
    """
    Stand before the standard services.
    """

    def __init__(self) -> None:
        self._crowd = Crowd(MAX_LOOKS, "looks at health or reflection")

    def wrap(self, handler: _Handler) -> _Handler:
        """
        Give the handler with its behaviour behind the bound.
        """
        kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
        changes = {
            kind: self._bounded(behaviour)
            for kind in kinds
            if (behaviour := getattr(handler, kind)) is not None
        }
        named: Any = handler
        wrapped: _Handler = named._replace(**changes)
        return wrapped

    def _bounded(self, behaviour: Any) -> Any:  # noqa: ANN401 - of four kinds
        if inspect.isasyncgenfunction(behaviour):
            return self._bounded_stream(behaviour)

        async def look(request: object, context: _Context) -> object:
            try:
                with self._crowd.seat(_certificate_of(context)):
                    return await behaviour(request, context)
            except GatewayError as fault:
                await _refuse(context, fault)

        return look

    def _bounded_stream(self, behaviour: _Stream) -> _Stream:
        async def look(request: object, context: _Context) -> AsyncIterator[Any]:
            try:
                with self._crowd.seat(_certificate_of(context)):
                    async for response in behaviour(request, context):
                        yield response
            except GatewayError as fault:
                await _refuse(context, fault)

        return look


def _certificate_of(context: _Context) -> bytes:
    """
    Give the caller's certificate, which the handshake has judged.
    """
    auth = context.auth_context()
    require_tls_1_3(auth)
    return b"".join(auth.get("x509_pem_cert", ()))


async def _refuse(context: _Context, fault: GatewayError) -> NoReturn:
    status = rpc_status.to_status(status_of(fault))
    await context.abort(status.code, status.details, status.trailing_metadata)
