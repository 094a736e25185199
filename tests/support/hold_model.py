"""
A small model of one hold on one card, written from the contract alone.

It decides one message after the other, in fractions, and knows nothing of the gateway.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from tests.support.model_rules import half_up

UNKNOWN = "ORIGINAL_NOT_FOUND"


class Shown(NamedTuple):
    """
    What an answer tells: the balances unless they are hidden, the hold if it changed.

    `hold` is its state, what is authorized and captured, and what it keeps.
    """

    result: str
    approved: int = 0
    balances: tuple[int, int, int] | None = None
    hold: tuple[str, int, int, int] | None = None
    replayed: bool = False


@dataclass
class Seen:
    """
    A message that came: its answer, what it moved, whether it was undone.
    """

    kind: str
    told: Shown
    minor: int = 0
    card_minor: int = 0
    undone: bool = False


class HoldModel:
    """
    A card with some money, and one hold that may be placed on it.

    `rate` is minor units of the card for one of the hold's; `tip` the part of a hold
    that a capture may take beyond it; a hold lives for `lives` units of time.
    """

    def __init__(
        self, rate: Fraction, *, balance: int, tip: Fraction, lives: int
    ) -> None:
        self.rate, self.tip, self.lives = rate, tip, lives
        self.balance = balance
        self.now = 0
        self.ends = 0
        self.state = ""
        self.authorized = self.captured = 0
        self.expired = 0
        self.seen: dict[int, Seen | None] = {}

    @property
    def held(self) -> int:
        """
        Give what the hold keeps.
        """
        if self.state != "OPEN":
            return 0
        return self._worth(self.authorized) - self._worth(self.captured)

    def pass_time(self, units: int) -> None:
        """
        Let time pass; a hold ends with its last moment.
        """
        self.now += units
        if self.state == "OPEN" and self.now >= self.ends:
            self.state = "EXPIRED"
            self.expired += 1

    def place(self, key: int, minor: int) -> Shown:
        """
        Authorize.
        """
        if key in self.seen:
            return self._repeated(key)
        if self._worth(minor) > self.balance:
            return self._keep(key, "place", self._tell("INSUFFICIENT_FUNDS"))
        self.state, self.authorized = "OPEN", minor
        self.ends = self.now + self.lives
        told = self._tell("APPROVED", minor, hold=True)
        return self._keep(key, "place", told, minor)

    def increment(self, key: int, original: int, minor: int) -> Shown:
        """
        IncrementAuthorization.
        """
        fault = self._fault(key, original, "increment")
        if fault:
            return fault
        more = self._worth(self.authorized + minor) - self._worth(self.authorized)
        result = "APPROVED"
        if self.state != "OPEN":
            result = "AUTHORIZATION_EXPIRED"
        elif more > self.balance - self.held:
            result = "INSUFFICIENT_FUNDS"
        if result != "APPROVED":
            return self._keep(key, "increment", self._tell(result))
        self.authorized += minor
        told = self._tell(result, minor, hold=True)
        return self._keep(key, "increment", told, minor)

    def capture(
        self, key: int, original: int, minor: int | None, *, keep_open: bool
    ) -> Shown:
        """
        Capture; None is all that is left.
        """
        fault = self._fault(key, original, "capture")
        if fault:
            return fault
        if minor is None:
            minor = self.authorized - self.captured
        whole = self.captured + minor
        beyond = self._worth(whole) - self._worth(self.authorized)
        most = self.authorized + int(self.authorized * self.tip)
        result = "APPROVED"
        if self.state in {"CANCELLED", "EXPIRED"}:
            result = "AUTHORIZATION_EXPIRED"
        elif self.state == "CAPTURED" or whole > most:
            result = "EXCEEDS_AUTHORIZED"
        elif beyond > self.balance - self.held:
            result = "INSUFFICIENT_FUNDS"
        if result != "APPROVED":
            return self._keep(key, "capture", self._tell(result))
        taken = self._worth(whole) - self._worth(self.captured)
        self.captured = whole
        self.balance -= taken
        if not keep_open or beyond >= 0:
            self.state = "CAPTURED"
        told = self._tell(result, minor, hold=True)
        return self._keep(key, "capture", told, minor, taken)

    def cancel(self, key: int, original: int) -> Shown:
        """
        CancelAuthorization.
        """
        fault = self._fault(key, original, "cancel")
        if fault:
            return fault
        if self.state != "OPEN":
            return self._keep(key, "cancel", self._tell("AUTHORIZATION_EXPIRED"))
        self.state = "CANCELLED"
        return self._keep(key, "cancel", self._tell("APPROVED", hold=True))

    def reverse(self, original: int) -> Shown:
        """
        Reverse; its own id is never asked for again.
        """
        if original not in self.seen:
            self.seen[original] = None
        undone = self.seen[original]
        if undone is None:
            return Shown(UNKNOWN)
        if undone.told.result != "APPROVED":
            return Shown("APPROVED")
        if undone.undone:
            return self._tell("APPROVED")
        if undone.kind == "cancel":
            return self._tell("CANNOT_BE_REVERSED")
        told = getattr(self, f"_undo_{undone.kind}")(undone)
        undone.undone = told.result == "APPROVED"
        assert isinstance(told, Shown)
        return told

    def _undo_place(self, _: Seen) -> Shown:
        if self.captured:
            return self._tell("FURTHER_ACTIVITY_PREVENTS_REVERSAL")
        if self.state != "OPEN":
            return self._tell("APPROVED")
        self.state = "CANCELLED"
        return self._tell("APPROVED", self.authorized, hold=True)

    def _undo_increment(self, undone: Seen) -> Shown:
        less = self.authorized - undone.minor
        if self.state != "OPEN" or less < self.captured:
            return self._tell("FURTHER_ACTIVITY_PREVENTS_REVERSAL")
        self.authorized = less
        if self.held == 0:
            self.state = "CAPTURED"
        return self._tell("APPROVED", undone.minor, hold=True)

    def _undo_capture(self, undone: Seen) -> Shown:
        self.balance += undone.card_minor
        return self._tell("APPROVED", undone.minor)

    def _fault(self, key: int, original: int, kind: str) -> Shown | None:
        """
        Answer what was asked before, and what names no hold.
        """
        if key in self.seen:
            return self._repeated(key)
        placed = self.seen.get(original)
        if placed is None:
            return self._keep(key, kind, Shown(UNKNOWN))
        if placed.told.result != "APPROVED":
            return self._keep(key, kind, Shown(UNKNOWN))
        return None

    def _repeated(self, key: int) -> Shown:
        before = self.seen[key]
        if before is None:
            return Shown("ALREADY_REVERSED")
        return before.told._replace(replayed=True)

    def _keep(
        self, key: int, kind: str, told: Shown, minor: int = 0, card_minor: int = 0
    ) -> Shown:
        self.seen[key] = Seen(kind, told, minor, card_minor)
        return told

    def _tell(self, result: str, approved: int = 0, *, hold: bool = False) -> Shown:
        balances = (self.balance - self.held, self.balance, self.held)
        now = (self.state, self.authorized, self.captured, self.held)
        return Shown(result, approved, balances, now if hold else None)

    def _worth(self, minor: int) -> int:
        return half_up(minor * self.rate)
