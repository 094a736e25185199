"""
Requests, records and lanes for tests of the API, without stores behind it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from gateway.bootstrap.sealing import VaultSealer
from gateway.domain.auditing import AuditEntry
from gateway.domain.balance import read_balance
from gateway.domain.commands import GetBalance, GetTransaction, MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.errors import GatewayError
from gateway.domain.policy import Caller, Device, DeviceKind, DeviceName, Policy
from gateway.domain.results import CurrentState
from gateway.engine.answers import Answer
from gateway.vault.keyring import LocalKeyring
from gateway.vault.keys import RootSecret
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import money_pb2
from tests.support import world

CARD_NUMBER = "6036280000000000007"
REQUEST_ID = "0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e"
ORIGINAL_ID = "0198c6a4-5d1e-7f00-8a4e-00000000beef"
ROOT_SECRET = bytes(range(32))
DEVICE = DeviceName("m-1", "s-1", "till-1")
CONTROLLER = DeviceName("m-1", "s-1", "controller-1")
SHA256 = b"\x05" * 32


@contextmanager
def sealer() -> Iterator[VaultSealer]:
    """
    Give a sealer over a key ring whose keys are the same in every run.
    """
    with TemporaryDirectory() as folder:
        keyring = LocalKeyring.create(
            Path(folder) / "vault" / "keyring", root=RootSecret(ROOT_SECRET)
        )
        yield VaultSealer(keyring)


def money(minor: int, code: str = "USD", exponent: int | None = 2) -> money_pb2.Money:
    """
    Make an amount; `exponent` None leaves it out.
    """
    return money_pb2.Money(minor_units=minor, currency_code=code, exponent=exponent)


def redeem_request(**changes: Any) -> pb.RedeemRequest:
    """
    Make a request to spend 30.00.
    """
    values: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "card_number": CARD_NUMBER,
        "amount": money(30_00),
    }
    return pb.RedeemRequest(**(values | changes))


def load_request(**changes: Any) -> pb.LoadRequest:
    """
    Make a request to load 40.00.
    """
    values: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "card_number": CARD_NUMBER,
        "amount": money(40_00),
    }
    return pb.LoadRequest(**(values | changes))


def activate_request(**changes: Any) -> pb.ActivateRequest:
    """
    Make a request to activate without an amount.
    """
    values: dict[str, Any] = {"request_id": REQUEST_ID, "card_number": CARD_NUMBER}
    return pb.ActivateRequest(**(values | changes))


def cash_out_request(**changes: Any) -> pb.CashOutRequest:
    """
    Make a request to pay the rest out.
    """
    values: dict[str, Any] = {"request_id": REQUEST_ID, "card_number": CARD_NUMBER}
    return pb.CashOutRequest(**(values | changes))


def refund_request(**changes: Any) -> pb.RefundRequest:
    """
    Make a request to give back what another spent.
    """
    fields: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "original_request_id": ORIGINAL_ID,
        "amount": money(4_00),
    }
    return pb.RefundRequest(**(fields | changes))


def void_request(**changes: Any) -> pb.VoidRequest:
    """
    Make a request to void another.
    """
    fields: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "original_request_id": ORIGINAL_ID,
    }
    return pb.VoidRequest(**(fields | changes))


def reverse_request(**changes: Any) -> pb.ReverseRequest:
    """
    Make a request to reverse another.
    """
    values: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "original_request_id": ORIGINAL_ID,
        "reason": pb.REVERSAL_REASON_TIMEOUT,
    }
    return pb.ReverseRequest(**(values | changes))


def balance_request(**changes: Any) -> pb.GetBalanceRequest:
    """
    Ask for a balance.
    """
    return pb.GetBalanceRequest(**({"card_number": CARD_NUMBER} | changes))


def transaction_request(**changes: Any) -> pb.GetTransactionRequest:
    """
    Ask what is recorded.
    """
    return pb.GetTransactionRequest(**({"request_id": REQUEST_ID} | changes))


def policy_with_devices(
    *, revoked: bool = False, sha256: bytes = SHA256, version: int = 1
) -> Policy:
    """
    Make the world's policy with a till and a controller registered.
    """
    rules = world.policy()
    till = Device(
        name=DEVICE,
        store_id=world.STORE,
        kind=DeviceKind.TERMINAL,
        terminal_id=world.TERMINAL,
        revoked=revoked,
        certificates=frozenset({sha256}),
    )
    controller = replace(
        till, name=CONTROLLER, kind=DeviceKind.CONTROLLER, terminal_id=None
    )
    devices = {DEVICE: till, CONTROLLER: controller}
    return replace(rules, devices=devices, version=version)


class KnownPolicies:
    """
    A policy source that gives what it was given, and counts who asks for a newer one.
    """

    def __init__(self, current: Policy, newer: Policy | None = None) -> None:
        self.current = current
        self.newer = newer
        self.refreshed = 0

    async def refresh(self) -> Policy:
        """
        Give the newer policy, if there is one.
        """
        self.refreshed += 1
        if self.newer is not None:
            self.current = self.newer
        return self.current


class DecidingLane:
    """
    A lane that decides each command on a card of 100.00, alone.

    `hold` keeps answers back until `release`; `fault` is raised instead of an answer.
    """

    def __init__(self, policies: KnownPolicies, *, free: int = 1_000) -> None:
        self.free = free
        self.hold = False
        self.fault: BaseException | None = None
        self.taken: list[tuple[Caller, MoneyCommand, float]] = []
        self.asked: list[tuple[Caller, GetBalance, float]] = []
        self._policies = policies
        self._held: list[tuple[asyncio.Future[Answer], Answer]] = []

    def submit(
        self, caller: Caller, command: MoneyCommand, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Decide a command.
        """
        self.taken.append((caller, command, deadline))
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self.fault is not None:
            future.set_exception(self.fault)
            return future
        view = world.view(world.card(), rules=self._policies.current)
        answer = answer_of(decide(command, view, None).record)
        if self.hold:
            self._held.append((future, answer))
        else:
            future.set_result(answer)
        return future

    def ask(
        self, caller: Caller, question: GetBalance, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Answer a question for a balance.
        """
        self.asked.append((caller, question, deadline))
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        view = world.view(world.card(), rules=self._policies.current)
        future.set_result(answer_of(read_balance(question, view)))
        return future

    def fail_held(self, fault: BaseException) -> None:
        """
        End what is held back with a fault.
        """
        for future, _ in self._held:
            future.set_exception(fault)
        self._held.clear()

    def release(self) -> None:
        """
        Give the answers that were kept back.
        """
        held, self._held = self._held, []
        for future, answer in held:
            if not future.done():
                future.set_result(answer)


class RefusingQuestions:
    """
    A lane for questions that knows nothing.
    """

    def __init__(self, fault: GatewayError) -> None:
        self.free = 1_000
        self.fault = fault
        self.taken: list[GetBalance | GetTransaction] = []

    def submit(
        self, caller: Caller, question: GetBalance | GetTransaction, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Refuse a question.
        """
        self.taken.append(question)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        future.set_exception(self.fault)
        return future


class KeptAudit:
    """
    Keep what is audited.
    """

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def append(self, entry: AuditEntry) -> None:
        """
        Keep it.
        """
        self.entries.append(entry)


def answer_of(record: Any, *, replayed: bool = False) -> Answer:
    """
    Wrap a record as the answer it was decided with.
    """
    declined = record.approval_code is None
    state = CurrentState.DECLINED if declined else CurrentState.POSTED
    return Answer(record, replayed=replayed, state=state)


def uuid_bytes(text: str) -> bytes:
    """
    Give the 16 bytes of a UUID, by the library's own reading.
    """
    return UUID(text).bytes
