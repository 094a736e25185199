"""
Ask the gateway one thing and get its answer.

The client retries what gRPC may retry (a server that stops, a connection that breaks)
and nothing else. What to do when no answer came is `till.shop`'s to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle
from types import TracebackType
from typing import Any, Final, Protocol, Self
from uuid import UUID

import grpc
from grpc_health.v1 import health_pb2

from currency import Money
from scrip.v1.card_service_pb2_grpc import CardServiceStub
from till.answer import Answer, read_answer
from till.card_number import CardNumber
from till.codes import LoadType, ReversalReason
from till.connection import DEFAULT_TIMEOUT_S, Connection
from till.errors import NotAppliedError
from till.hold_calls import HoldCalls
from till.late_calls import LateCalls
from till.life_calls import LifeCalls
from till.pin import Pin
from till.requests import (
    NO_CONTEXT,
    Activate,
    CashOut,
    GetBalance,
    GetTransaction,
    Load,
    Redeem,
    Refund,
    Request,
    Reverse,
    TillContext,
    Void,
)
from till.status import error_of_call
from till.wire import METHODS, write_message

_NO_CONNECTION_ADVICE: Final = (
    "Nothing was sent. Check the address and that the gateway runs; that --ca is the "
    "authority of the gateway's certificate; that --cert was issued by an authority "
    "the gateway accepts, has not expired and is made for clients. A refused "
    "certificate looks like a closed connection here; the gateway's log says why."
)


class Sender(Protocol):
    """
    Send a request and give its final answer: a client, or a stream.
    """

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send it, or raise a TillError that says what became of it.
        """
        ...


class TillClient(HoldCalls, LifeCalls, LateCalls):
    """
    Speak to the gateway call by call, over one or more connections.

    Every method answers an `Answer`, approved or declined, or raises a `TillError`.
    A task that is cancelled while it waits has an unknown outcome, like a deadline.
    """

    def __init__(
        self,
        channels: Sequence[grpc.aio.Channel],
        *,
        terminal_id: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        """
        Take channels that are open, and close them in the end; `open` makes them.
        """
        self.terminal_id = terminal_id
        self._timeout_s = timeout_s
        self._channels = tuple(channels)
        self._next = cycle(
            [(channel, CardServiceStub(channel)) for channel in channels]
        )

    @classmethod
    def open(
        cls,
        connection: Connection,
        *,
        terminal_id: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Self:
        """
        Open the channels of a connection, which connect at the first call.

        Args:
            connection: where the gateway is, and the till's certificate.
            terminal_id: the terminal to speak for: required with a CONTROLLER's
                certificate, superfluous with a TERMINAL's.
            timeout_s: how long a call may take, all its retries included.

        Raises:
            CredentialError: a file cannot be read, or is not what it should be.

        """
        return cls(
            connection.open_channels(), terminal_id=terminal_id, timeout_s=timeout_s
        )

    @property
    def channels(self) -> Sequence[grpc.aio.Channel]:
        """
        Give the channels, for a stream over one of them.
        """
        return self._channels

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """
        Close the connections; calls still waiting end with an unknown outcome.
        """
        await asyncio.gather(*(channel.close() for channel in self._channels))

    async def connect(self, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """
        Connect now, or raise NotAppliedError with gRPC's own reason.

        Calls wait for a connection by themselves. This is for whoever wants to know
        before anything is sent why there is none.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*map(_ready, self._channels))
        except TimeoutError:
            raise await self._no_connection(timeout_s) from None

    async def _no_connection(self, timeout_s: float) -> NotAppliedError:
        reason = "no connection"
        status = grpc.StatusCode.UNAVAILABLE.name
        try:
            # A call that does not wait for a connection tells why there is none.
            check = self._channels[0].unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            await check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            reason = error.details() or reason
            status = error.code().name
        return NotAppliedError(reason, advice=_NO_CONNECTION_ADVICE, status=status)

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send a request as it is, and give its answer.
        """
        channel, stub = next(self._next)
        method: Callable[..., Awaitable[Any]] = getattr(stub, METHODS[type(request)])
        try:
            response = await method(
                write_message(request),
                timeout=self._timeout_s if timeout_s is None else timeout_s,
                wait_for_ready=True,
            )
        except grpc.aio.AioRpcError as error:
            connected = channel.get_state() is grpc.ChannelConnectivity.READY
            raise error_of_call(error, connected=connected) from error
        return read_answer(response.outcome)

    async def activate(
        self,
        card_number: CardNumber,
        *,
        request_id: UUID,
        initial_amount: Money | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Make a pending card usable, with a first amount or none.
        """
        request = Activate(
            request_id=request_id,
            card_number=card_number,
            initial_amount=initial_amount,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def load(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        request_id: UUID,
        load_type: LoadType = LoadType.SALE,
        pin: Pin | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Add value to an active card.
        """
        request = Load(
            request_id=request_id,
            card_number=card_number,
            amount=amount,
            load_type=load_type,
            terminal_id=self.terminal_id,
            pin=pin,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def redeem(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        request_id: UUID,
        allow_partial: bool = False,
        pin: Pin | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Spend from a card; with `allow_partial` what it has, when that is less.
        """
        request = Redeem(
            request_id=request_id,
            card_number=card_number,
            amount=amount,
            allow_partial=allow_partial,
            terminal_id=self.terminal_id,
            pin=pin,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def cash_out(
        self,
        card_number: CardNumber,
        *,
        request_id: UUID,
        pin: Pin | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Pay the rest of a card out; hand out the answer's `cash_back_amount`.
        """
        request = CashOut(
            request_id=request_id,
            card_number=card_number,
            terminal_id=self.terminal_id,
            pin=pin,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def balance(
        self,
        card_number: CardNumber,
        *,
        request_id: UUID | None = None,
        pin: Pin | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Read a card's balance. Nothing is recorded.
        """
        request = GetBalance(
            request_id=request_id,
            card_number=card_number,
            terminal_id=self.terminal_id,
            pin=pin,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def reverse(
        self,
        original_request_id: UUID,
        *,
        request_id: UUID,
        reason: ReversalReason,
        card_number: CardNumber | None = None,
        original_terminal_id: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Undo a request, whether or not it was ever done.
        """
        request = Reverse(
            request_id=request_id,
            original_request_id=original_request_id,
            reason=reason,
            original_terminal_id=original_terminal_id,
            card_number=card_number,
            terminal_id=self.terminal_id,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def refund(
        self,
        original_request_id: UUID,
        amount: Money,
        *,
        request_id: UUID,
        card_number: CardNumber | None = None,
        original_terminal_id: str = "",
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Give back what a redemption spent, wholly or in part.
        """
        request = Refund(
            request_id=request_id,
            original_request_id=original_request_id,
            amount=amount,
            original_terminal_id=original_terminal_id,
            card_number=card_number,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def void(
        self,
        original_request_id: UUID,
        *,
        request_id: UUID,
        card_number: CardNumber | None = None,
        original_terminal_id: str = "",
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Undo a completed request of the same business day.
        """
        request = Void(
            request_id=request_id,
            original_request_id=original_request_id,
            original_terminal_id=original_terminal_id,
            card_number=card_number,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def get_transaction(
        self,
        request_id: UUID,
        *,
        terminal_id: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Ask what is recorded, or raise NotRecordedError, which need not be final.
        """
        request = GetTransaction(
            request_id=request_id, terminal_id=terminal_id or self.terminal_id
        )
        return await self.send(request, timeout_s=timeout_s)


async def _ready(channel: grpc.aio.Channel) -> None:
    await channel.channel_ready()
