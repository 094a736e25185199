"""
The audit: which commands are a staff member's, and what is kept of each call.

Whether a command is staff's does not hang on where it came in: the lane asks here again
before it decides (design 3), and what only staff can ask never passes for a till's.
"""

from datetime import datetime
from typing import Final, NamedTuple

from gateway.domain.commands import (
    Adjust,
    ApproveAdjustment,
    Block,
    Command,
    GetBalance,
    Replace,
    ResetPin,
    Unblock,
)
from gateway.domain.desks import Desk
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId, RequestId, TerminalId, TransactionId
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Channel, Result
from gateway.domain.staff import ROLES, Acting, StaffOperation, StaffRole

_OPERATIONS: Final[dict[type[Command | GetBalance], StaffOperation]] = {
    GetBalance: StaffOperation.GET_CARD,
    Block: StaffOperation.BLOCK,
    Unblock: StaffOperation.UNBLOCK,
    Replace: StaffOperation.REPLACE,
    Adjust: StaffOperation.ADJUST,
    ApproveAdjustment: StaffOperation.APPROVE_ADJUSTMENT,
    ResetPin: StaffOperation.RESET_PIN,
}
_SHARED: Final = frozenset({GetBalance, Block})
_STAFF_ONLY: Final = frozenset(_OPERATIONS) - _SHARED


class AuditEntry(NamedTuple):
    """
    One call of a staff member: who did what to which card, and what was answered.

    `transaction_id` is of what was recorded for it, this time or before (`replayed`).
    """

    host_time: datetime
    terminal_id: TerminalId
    staff: str
    role: StaffRole
    operation: StaffOperation
    channel: Channel
    request_id: RequestId | None
    card_id: CardId | None
    transaction_id: TransactionId | None
    result: Result
    replayed: bool


def acting_of(command: Command | GetBalance) -> Acting | None:
    """
    Tell which staff member asks for what in which role; None for a till's request.

    Raises:
        InvariantError: it is staff's and does not say whose, or staff has no such.

    """
    kind = type(command)
    # The usual ones first: hashing an enum is slow.
    if command.channel is Channel.API and kind not in _STAFF_ONLY:
        return None
    role = ROLES.get(command.channel)
    if role is None and kind not in _STAFF_ONLY:
        return None
    operation = _OPERATIONS.get(kind)
    if role is None or operation is None or command.actor is None:
        message = f"{kind.__name__} by {command.channel.name} is nobody's of the staff"
        raise InvariantError(message)
    return Acting(operation, role, command.actor)


def audit_of_explaining(
    desk: Desk, record: TransactionRecord | None, *, at: datetime
) -> AuditEntry:
    """
    Write what is kept of a look at a transaction; None: there was none to see.
    """
    return AuditEntry(
        host_time=at,
        terminal_id=desk.terminal_id,
        staff=desk.staff,
        role=desk.role,
        operation=StaffOperation.EXPLAIN,
        channel=desk.channel,
        request_id=None,
        card_id=record.card_id if record else None,
        transaction_id=record.transaction_id if record else None,
        result=Result.APPROVED if record else Result.ORIGINAL_NOT_FOUND,
        replayed=False,
    )


def audit_of(
    command: Command | GetBalance,
    record: TransactionRecord,
    *,
    at: datetime,
    replayed: bool,
) -> AuditEntry | None:
    """
    Write what is kept of a staff member's call; None for a till's.
    """
    acting = acting_of(command)
    if acting is None:
        return None
    return AuditEntry(
        host_time=at,
        terminal_id=command.terminal_id,
        staff=acting.staff,
        role=acting.role,
        operation=acting.operation,
        channel=command.channel,
        request_id=command.request_id,
        card_id=record.card_id,
        transaction_id=record.transaction_id,
        result=record.result,
        replayed=replayed,
    )
