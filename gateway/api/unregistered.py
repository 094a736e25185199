"""
Tell a server which services it has without registering each method by itself.

grpc.aio (1.85) waits anew, for every call, on one future for each registered method:
what a call costs grows with the contract, by a tenth of a Redeem for 17 methods more
(grpc/grpc#43461). Handlers found by name do the same and cost one future.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import grpc
    from grpc import aio


class Unregistered:
    """
    Takes what the generated `add_..._to_server` gives, but for the registration.
    """

    def __init__(self, server: aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Sequence[grpc.GenericRpcHandler]
    ) -> None:
        """
        Add the handlers of a service, which are found by a method's name.
        """
        self._server.add_generic_rpc_handlers(generic_rpc_handlers)

    def add_registered_method_handlers(
        self,
        service_name: str,
        method_handlers: Mapping[str, grpc.RpcMethodHandler[object, object]],
    ) -> None:
        """
        Leave out what only says the same once more, method by method.
        """


def unregistered(server: aio.Server) -> aio.Server:
    """
    Give the server as the generated code may see it while services are added.
    """
    return cast("aio.Server", Unregistered(server))
