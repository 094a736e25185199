"""
Tills for tests: the generated stub over mutual TLS, with the words a till would use.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from currency import find_currency
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from scrip.v1 import money_pb2, transaction_pb2
from tests.support.late_till import LateTill
from tests.support.server import Card, Gateway

if TYPE_CHECKING:
    from gateway.vault.pki import KeyPair

Outcome = transaction_pb2.Outcome
UNKNOWN_NUMBER: Final = "6036280000000000007"
DEADLINE_S: Final = 10.0
WORKER_ATTEMPTS: Final = 200
BROKEN_PAUSE_S: Final = 0.02

_DETAILS: Final = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    A status as a till sees it. Without ErrorInfo it was made by the library.
    """

    code: grpc.StatusCode
    details: str
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...]
    retry_after_ms: int | None
    worker: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    An answer, and which worker gave it.
    """

    outcome: Outcome
    worker: int


def new_id() -> str:
    """
    Make a request id.
    """
    return str(uuid.uuid4())


def money(minor: int, currency: str = "USD", exponent: int | None = None) -> Any:
    """
    Make an amount, with the currency's own digits unless told otherwise.
    """
    known = find_currency(currency)
    digits = (known.exponent if known else 2) if exponent is None else exponent
    return money_pb2.Money(minor_units=minor, currency_code=currency, exponent=digits)


@dataclass(slots=True, kw_only=True)
class Till(LateTill):
    """
    One device over one connection.

    Each method sends one request and gives the outcome; a status is raised as
    `AioRpcError`, and `fault` awaits one. `request_id` is new unless given; further
    words are fields of the request (`terminal_id`, `till`).
    """

    name: str
    channel: aio.Channel
    stub: pb_grpc.CardServiceAsyncStub

    async def activate(
        self,
        card: Card | str,
        minor: int | None = None,
        currency: str = "USD",
        **more: Any,
    ) -> Outcome:
        """
        Make a card usable.
        """
        amount = None if minor is None else _amount(minor, currency, more)
        return await self.ask(
            "Activate", card_number=_number(card), initial_amount=amount, **more
        )

    async def load(
        self, card: Card | str, minor: int, currency: str = "USD", **more: Any
    ) -> Outcome:
        """
        Add value.
        """
        amount = _amount(minor, currency, more)
        return await self.ask("Load", card_number=_number(card), amount=amount, **more)

    async def redeem(
        self,
        card: Card | str,
        minor: int,
        currency: str = "USD",
        *,
        partial: bool = False,
        **more: Any,
    ) -> Outcome:
        """
        Spend.
        """
        return await self.ask(
            "Redeem",
            card_number=_number(card),
            amount=_amount(minor, currency, more),
            allow_partial=partial,
            **more,
        )

    async def cash_out(self, card: Card | str, **more: Any) -> Outcome:
        """
        Pay the rest out in cash.
        """
        return await self.ask("CashOut", card_number=_number(card), **more)

    async def balance(self, card: Card | str, **more: Any) -> Outcome:
        """
        Read the balance.
        """
        more.setdefault("request_id", "")
        return await self.ask("GetBalance", card_number=_number(card), **more)

    async def reverse(
        self,
        original: Outcome | str,
        reason: int = pb.REVERSAL_REASON_TIMEOUT,
        **more: Any,
    ) -> Outcome:
        """
        Undo a request, by its answer or its id.
        """
        original_id = original if isinstance(original, str) else original.request_id
        return await self.ask(
            "Reverse", original_request_id=original_id, reason=reason, **more
        )

    async def refund(
        self, original: Outcome | str, minor: int, currency: str = "USD", **more: Any
    ) -> Outcome:
        """
        Give back what a sale spent, by its answer or its id.
        """
        original_id = original if isinstance(original, str) else original.request_id
        amount = _amount(minor, currency, more)
        return await self.ask(
            "Refund", original_request_id=original_id, amount=amount, **more
        )

    async def void(self, original: Outcome | str, **more: Any) -> Outcome:
        """
        Undo what was done today, by its answer or its id.
        """
        original_id = original if isinstance(original, str) else original.request_id
        return await self.ask("Void", original_request_id=original_id, **more)

    async def block(self, card: Card | str, reason: int, **more: Any) -> Outcome:
        """
        Block a card at once.
        """
        number = _number(card)
        return await self.ask("Block", card_number=number, reason=reason, **more)

    async def transfer(self, card: Card | str, to: Card | str, **more: Any) -> Outcome:
        """
        Move all that can be spent to another card.
        """
        both = {"card_number": _number(card), "to_card_number": _number(to)}
        return await self.ask("TransferBalance", **both, **more)

    async def deactivate(self, card: Card | str, **more: Any) -> Outcome:
        """
        Close an empty card for ever.
        """
        return await self.ask("Deactivate", card_number=_number(card), **more)

    async def ask(self, method: str, **fields: Any) -> Outcome:
        """
        Send any request by its fields.
        """
        return (await self.send(method, request_of(method, **fields))).outcome

    async def send(
        self, method: str, request: Any, *, timeout_s: float = DEADLINE_S, **how: Any
    ) -> Reply:
        """
        Send a request message as it is.
        """
        call: Any = getattr(self.stub, method)(request, timeout=timeout_s, **how)
        response = await call
        trailer = dict(await call.trailing_metadata())
        return Reply(outcome=response.outcome, worker=int(trailer["scrip-worker"]))

    def stream(self, **how: Any) -> Any:
        """
        Open a Transact stream.
        """
        return self.stub.Transact(**how)

    async def reached(self) -> int | None:
        """
        Tell which worker this connection leads to, or None if it broke at once.

        A worker that is killed takes those along that wait in its queue. Only gRPC
        says UNAVAILABLE without a reason.
        """
        error = await fault(self.transaction(new_id()))
        if error.code is grpc.StatusCode.UNAVAILABLE and not error.reason:
            await asyncio.sleep(BROKEN_PAUSE_S)
            return None
        assert error.code is grpc.StatusCode.NOT_FOUND, error
        assert error.worker is not None
        return error.worker


def request_of(method: str, **fields: Any) -> Any:
    """
    Make a request message with a new id; fields that are None are left out.
    """
    fields.setdefault("request_id", new_id())
    kind = getattr(pb, f"{method}Request")
    return kind(**{name: value for name, value in fields.items() if value is not None})


async def fault(call: Awaitable[object]) -> Fault:
    """
    Await a call that must end with a status, and take it apart.
    """
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    return fault_of(caught.value)


def fault_of(error: aio.AioRpcError) -> Fault:
    """
    Take a status apart.
    """
    trailer: dict[str, Any] = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailer.get(_DETAILS, b""))
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        any(detail.Unpack(kind) for kind in (info, bad, retry))
    worker = trailer.get("scrip-worker")
    return Fault(
        code=error.code(),
        details=error.details() or "",
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=tuple(violation.field for violation in bad.field_violations),
        retry_after_ms=(
            retry.retry_delay.ToMilliseconds()
            if retry.HasField("retry_delay")
            else None
        ),
        worker=None if worker is None else int(worker),
    )


class Tills:
    """
    Opens tills on a gateway; all are closed at the end of the test.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._open: list[aio.Channel] = []

    async def __call__(
        self,
        name: str = "till-1",
        *,
        worker: int | None = None,
        options: tuple[tuple[str, Any], ...] = (),
    ) -> Till:
        """
        Open a till by its name in `seed.DEVICES`, on a connection of its own.

        With `worker` it is opened again until that worker answers.
        """
        pair = self.gateway.register(name)
        for _ in range(WORKER_ATTEMPTS):
            till = self.connect(name, pair, options=options)
            if worker is None or await till.reached() == worker:
                return till
            self._open.remove(till.channel)
            await till.channel.close()
        message = f"no connection to worker {worker} in {WORKER_ATTEMPTS} attempts"
        raise AssertionError(message)

    def connect(
        self, name: str, pair: KeyPair, *, options: tuple[tuple[str, Any], ...] = ()
    ) -> Till:
        """
        Open a connection with any certificate.
        """
        credentials = grpc.ssl_channel_credentials(
            self.gateway.authority.certificate_pem, pair.key_pem, pair.cert_pem
        )
        channel = aio.secure_channel(
            f"127.0.0.1:{self.gateway.port}",
            credentials,
            options=[("grpc.use_local_subchannel_pool", 1), *options],
        )
        self._open.append(channel)
        stub = pb_grpc.CardServiceStub(channel)
        return Till(name=name, channel=channel, stub=stub)

    async def close(self) -> None:
        """
        Close every connection.
        """
        for channel in self._open:
            await channel.close()
        self._open.clear()


@asynccontextmanager
async def open_tills(gateway: Gateway) -> AsyncIterator[Tills]:
    """
    Give what opens tills, and close them afterwards.
    """
    tills = Tills(gateway)
    try:
        yield tills
    finally:
        await tills.close()


MakeCard = Callable[..., Awaitable[Card]]


def card_maker(tills: Tills) -> MakeCard:
    """
    Give a function that makes cards, ACTIVE with ledger 100.00 unless told otherwise.

    `balance` None leaves a card PENDING; 0 activates it without an amount. `product` is
    one of `seed`; `pin` gives it a PIN. Further words are columns that are changed at
    last, such as `state` with `block_reason`, or `expires_on`.
    """

    async def make(
        balance: int | None = 100_00,
        *,
        product: str = "usd",
        currency: str | None = None,
        pin: str | None = None,
        **columns: object,
    ) -> Card:
        gateway = tills.gateway
        (card,) = gateway.new_cards(1, product=product)
        if pin is not None:
            gateway.give_pin(card, pin)
        if balance is not None:
            own = currency or ("EUR" if product == "eur" else "USD")
            till = await tills("till-1")
            told = await till.activate(card, balance or None, own)
            assert told.response_code == "00", told
        if columns:
            gateway.change_card(card, **columns)
        return card

    return make


def _number(card: Card | str) -> str:
    return card if isinstance(card, str) else card.number


def _amount(minor: int, currency: str, more: dict[str, Any]) -> Any:
    return money(minor, currency, more.pop("exponent", None))
