"""
Faults: what was not recorded, or is not known to be (domain 1.2, style 2.3).

Adapters raise these at their edge; no exception of a driver passes it. Each class has
one `reason`, the text of its ErrorInfo. A decline is no fault: it is a recorded answer.
"""

from typing import ClassVar


class GatewayError(Exception):
    """
    The root of all faults.
    """

    reason: ClassVar[str] = "INTERNAL"


class InvalidRequestError(GatewayError):
    """
    A request that cannot be keyed or read. Names the field and the remedy.
    """

    reason = "INVALID_REQUEST"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class UnauthenticatedError(GatewayError):
    """
    No usable certificate, or not over TLS 1.3.
    """

    reason = "UNAUTHENTICATED"


class DeviceDeniedError(GatewayError):
    """
    The certificate names no device of ours, or one whose access was taken away.
    """

    reason = "DEVICE_DENIED"


class TerminalDeniedError(GatewayError):
    """
    The device may not act for the terminal that the request names.
    """

    reason = "TERMINAL_DENIED"


class ServiceDeniedError(GatewayError):
    """
    A till asks for what staff does, or staff for what tills do.
    """

    reason = "SERVICE_DENIED"


class RoleDeniedError(GatewayError):
    """
    No role of the staff member permits what they ask for.
    """

    reason = "ROLE_DENIED"


class TransactionNotFoundError(GatewayError):
    """
    Nothing is recorded for the request id. Final only under a tombstone.
    """

    reason = "TRANSACTION_NOT_FOUND"

    def __init__(self, *, final: bool) -> None:
        super().__init__(
            "reversed before it arrived: it will never be recorded"
            if final
            else "not recorded so far; it may still wait in a queue: "
            "Reverse makes its absence final"
        )
        self.final = final


class UnknownTransactionError(GatewayError):
    """
    No transaction of the id that staff named is theirs to see.
    """

    reason = "TRANSACTION_NOT_FOUND"


class NotAppliedError(GatewayError):
    """
    This attempt moved nothing. An earlier one under the same request id may have.
    """

    reason = "NOT_APPLIED"
    retry_after_ms: int = 0


class ThrottledError(NotAppliedError):
    """
    A budget is used up, or the queue is full.
    """

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class ConcurrencyError(NotAppliedError):
    """
    Others hold the rows for too long. Ask again with the same request id.
    """

    retry_after_ms = 50


class DependencyError(NotAppliedError):
    """
    The books cannot be reached, or the worker is draining.
    """

    retry_after_ms = 100


class DeadlineOverError(GatewayError):
    """
    The caller's deadline was over before the request entered a batch.
    """

    reason = "DEADLINE_EXCEEDED"


class OutcomeUnknownError(GatewayError):
    """
    The commit was sent and its outcome could not be learned in time.
    """

    reason = "OUTCOME_UNKNOWN"


class InvariantError(GatewayError):
    """
    A rule of ours does not hold: our fault, never the caller's.
    """

    reason = "INTERNAL"
