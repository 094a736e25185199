"""
Staff in the table of operations: a desk that sends as a till does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrip.v1 import staff_service_pb2 as staff_pb
from scrip.v1 import staff_service_pb2_grpc as pb_grpc
from tests.support.staff import STAFF, Desks, register
from tests.support.tills import DEADLINE_S, UNKNOWN_NUMBER, WORKER_ATTEMPTS, Reply, Till

if TYPE_CHECKING:
    from tests.support.tills import Tills

_BY_TILLS = {"Reverse": "original_terminal_id", "GetTransaction": "terminal_id"}


class Desk(Till):
    """
    One staff member. What their service has no word for a till of their store asks.
    """

    def __init__(self, staff: Till, till: Till) -> None:
        super().__init__(name=staff.name, channel=staff.channel, stub=staff.stub)
        self._staff: Any = pb_grpc.StaffServiceStub(staff.channel)
        self._till = till

    async def worker(self) -> int:
        """
        Tell which worker this connection leads to.
        """
        request = staff_pb.GetCardRequest(card_number=UNKNOWN_NUMBER)
        return (await self.send("GetCard", request)).worker

    async def send(
        self, method: str, request: Any, *, timeout_s: float = DEADLINE_S, **how: Any
    ) -> Reply:
        """
        Send a request message as it is, but for the desk that a till names.
        """
        if method in _BY_TILLS:
            setattr(request, _BY_TILLS[method], STAFF[self.name].terminal)
            return await self._till.send(method, request, timeout_s=timeout_s, **how)
        call = getattr(self._staff, method)(request, timeout=timeout_s, **how)
        response = await call
        trailer = dict(await call.trailing_metadata())
        return Reply(outcome=response.outcome, worker=int(trailer["scrip-worker"]))


async def open_desk(tills: Tills, name: str, worker: int) -> Desk:
    """
    Open a staff member and the till beside them, both on one worker.
    """
    desks = Desks(tills)
    register(tills.gateway, "desk-till")
    till = await tills("desk-till", worker=worker)
    staff = desks.till(name)
    # A connection leads to whichever worker takes it.
    for _ in range(WORKER_ATTEMPTS):
        if await Desk(staff, till).worker() == worker:
            return Desk(staff, till)
        await staff.channel.close()
        staff = desks.till(name)
    message = f"no desk on worker {worker}"
    raise AssertionError(message)
