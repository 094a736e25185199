"""
Who of the staff may do what: the one table, and how a staff member stands in a command.

The code of a staff member's device names the person, in all desks of one merchant.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from gateway.domain.errors import RoleDeniedError
from gateway.domain.results import Channel


class StaffRole(IntEnum):
    """
    What a staff member is trusted with.
    """

    CALL_CENTRE = 1
    OPERATOR = 2


class StaffOperation(IntEnum):
    """
    What a staff member can ask for. The numbers are kept in the audit.
    """

    GET_CARD = 1
    BLOCK = 2
    UNBLOCK = 3
    REPLACE = 4
    ADJUST = 5
    APPROVE_ADJUSTMENT = 6
    RESET_PIN = 7
    EXPLAIN = 8


_EVERYBODY: Final = frozenset(StaffRole)
_OPERATORS: Final = frozenset({StaffRole.OPERATOR})

# Whoever talks to cardholders helps with a lost card or a locked PIN, and asks for
# money to be put right; only an operator lets it happen.
PERMITTED: Final[dict[StaffOperation, frozenset[StaffRole]]] = {
    StaffOperation.GET_CARD: _EVERYBODY,
    StaffOperation.BLOCK: _EVERYBODY,
    StaffOperation.UNBLOCK: _EVERYBODY,
    StaffOperation.REPLACE: _EVERYBODY,
    StaffOperation.ADJUST: _EVERYBODY,
    StaffOperation.APPROVE_ADJUSTMENT: _OPERATORS,
    StaffOperation.RESET_PIN: _EVERYBODY,
    StaffOperation.EXPLAIN: _EVERYBODY,
}

# By which way a call of each role comes (domain 1.3).
CHANNELS: Final[dict[StaffRole, Channel]] = {
    StaffRole.CALL_CENTRE: Channel.IVR,
    StaffRole.OPERATOR: Channel.ADMIN,
}
ROLES: Final = {channel: role for role, channel in CHANNELS.items()}


class Acting(NamedTuple):
    """
    What a staff member asks for, in which role, and who it is.
    """

    operation: StaffOperation
    role: StaffRole
    staff: str


def acting_role(
    roles: frozenset[StaffRole], operation: StaffOperation
) -> StaffRole | None:
    """
    Give the role in which whoever has `roles` may do this, None where none permits it.

    Of two the lesser one acts: nobody uses more trust than an operation asks for.
    """
    return min(roles & PERMITTED[operation], default=None)


def role_denied(operation: StaffOperation) -> RoleDeniedError:
    """
    Make the fault of whoever has no role for an operation.
    """
    return RoleDeniedError(f"no role of this certificate permits {operation.name}")
