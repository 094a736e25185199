"""
Desks: where the requests of staff count, and in which role they are made.
"""

from typing import NamedTuple

from gateway.domain.errors import DeviceDeniedError, TerminalDeniedError
from gateway.domain.ids import TerminalId
from gateway.domain.policy import Caller, Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Channel
from gateway.domain.staff import (
    CHANNELS,
    StaffOperation,
    StaffRole,
    acting_role,
    role_denied,
)


class Desk(NamedTuple):
    """
    A staff member's terminal, their code, and the role in which they act.
    """

    terminal_id: TerminalId
    staff: str
    role: StaffRole

    @property
    def channel(self) -> Channel:
        """
        Give the way by which a request of this role comes.
        """
        return CHANNELS[self.role]


def desk_of(policy: Policy, caller: Caller, operation: StaffOperation) -> Desk:
    """
    Give the desk of a staff member who may do this.

    Raises:
        DeviceDeniedError, ServiceDeniedError: as `Policy.staff_of`.
        RoleDeniedError: no role of theirs permits it.

    """
    device = policy.staff_of(caller)
    role = acting_role(device.roles, operation)
    if role is None:
        raise role_denied(operation)
    if device.terminal_id is None:
        message = "this staff member has no desk"
        raise DeviceDeniedError(message)
    return Desk(device.terminal_id, device.name.device, role)


def may_see(policy: Policy, desk: Desk, record: TransactionRecord) -> bool:
    """
    Tell whether a transaction is one of a programme that the desk's merchant accepts.

    One that found no card is theirs where their merchant shares a programme with its
    own.
    """
    own = policy.places[desk.terminal_id].merchant.merchant_id
    programs = {program for program, merchant in policy.accepted if merchant == own}
    if record.program_id is not None:
        return record.program_id in programs
    return record.merchant_id == own or any(
        (program, record.merchant_id) in policy.accepted for program in programs
    )


def colleague_of(policy: Policy, caller: Caller, name: str) -> TerminalId:
    """
    Give a desk of the caller's merchant, named as TERMINAL or as STORE/TERMINAL.

    Raises:
        DeviceDeniedError, ServiceDeniedError: as `Policy.staff_of`.
        TerminalDeniedError: there is no such desk.

    """
    device = policy.staff_of(caller)
    store_code, _, terminal_code = name.rpartition("/")
    wanted = (device.name.merchant, store_code or device.name.store, terminal_code)
    for terminal_id in policy.desks:
        place = policy.places[terminal_id]
        if wanted == (place.merchant.code, place.store.code, place.terminal.code):
            return terminal_id
    message = "original_terminal_id: no such desk of this merchant"
    raise TerminalDeniedError(message)
