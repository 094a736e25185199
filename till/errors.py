"""
What may go wrong for a till, named by what the till may conclude from it.

A decline is no error: it is an Answer. An error always says what to do next, because
the one mistake that costs money is to sell again under a new request id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple


class Meaning(Enum):
    """
    What a till may conclude.

    NOT_APPLIED: this attempt moved nothing; an earlier one of the same request id may
    have. UNKNOWN: it may have been done. REFUSED: the gateway does not take it in this
    form or from this device, however often it is sent.
    """

    NOT_APPLIED = "not applied"
    UNKNOWN = "outcome unknown"
    REFUSED = "refused"


class FieldProblem(NamedTuple):
    """
    Point at one field of a request that was refused.
    """

    field: str
    message: str


class TillError(Exception):
    """
    Stand for every request that got no final answer.

    `status` is the gRPC status by name, `reason` the gateway's own ErrorInfo reason,
    or "" where gRPC itself ended the call. `advice` says what to do.
    """

    meaning: Meaning = Meaning.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        advice: str,
        status: str = "",
        reason: str = "",
        retry_after_s: float | None = None,
        problems: Sequence[FieldProblem] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message
        self.advice = advice
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.problems = tuple(problems)
        self.metadata = dict(metadata or {})
        super().__init__(message)

    def __str__(self) -> str:
        """
        Say what happened, what it means and what to do.
        """
        named = " ".join(part for part in (self.status, self.reason) if part)
        head = f"{self.message} ({named})" if named else self.message
        lines = [f"{self.meaning.value}: {head}"]
        lines += [f"  {problem.field}: {problem.message}" for problem in self.problems]
        lines.append(self.advice)
        return "\n".join(lines)


class NotAppliedError(TillError):
    """
    This attempt moved nothing. Send the same request id again after `retry_after_s`.
    """

    meaning = Meaning.NOT_APPLIED


class OutcomeUnknownError(TillError):
    """
    It may have been done. Send the same request id again; if that fails too, reverse.
    """

    meaning = Meaning.UNKNOWN


class RefusedError(TillError):
    """
    The gateway does not take the request: correct it, or the device's registration.
    """

    meaning = Meaning.REFUSED


class NotRecordedError(TillError):
    """
    Nothing is recorded for the request id that was asked for.

    `final` is true when it was reversed before it arrived: it will never be done.
    Otherwise it may still arrive, and only a Reverse makes its absence final.
    """

    def __init__(
        self,
        message: str,
        *,
        final: bool,
        advice: str,
        status: str = "",
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            message, advice=advice, status=status, reason=reason, metadata=metadata
        )
        self.final = final
        if final:
            self.meaning = Meaning.REFUSED


class AnswerUnreadableError(OutcomeUnknownError):
    """
    An answer came, but not one this till can count with. Reverse it (reason 4020).
    """

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            advice=(
                "Reverse the request with the reason INVALID_RESPONSE, and update "
                "this till: the gateway speaks a newer contract."
            ),
        )
