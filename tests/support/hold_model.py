"""
A small model of a card and the holds on it, written from the contract alone.

It decides one message after the other, in fractions, and knows nothing of the gateway.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from tests.support.model_rules import half_up

UNKNOWN = "ORIGINAL_NOT_FOUND"
TOO_LATE = "FURTHER_ACTIVITY_PREVENTS_REVERSAL"


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
class ModelHold:
    """
    A hold. `rate` is minor units of the card for one of its own.
    """

    rate: Fraction
    ends: int
    authorized: int
    captured: int = 0
    state: str = "OPEN"

    @property
    def held(self) -> int:
        """
        Give what it keeps.
        """
        if self.state != "OPEN":
            return 0
        return self.worth(self.authorized) - self.worth(self.captured)

    def worth(self, minor: int) -> int:
        """
        Give what an amount under it is in the card's currency.
        """
        return half_up(minor * self.rate)


@dataclass
class Seen:
    """
    A message that came: its answer, what it moved, whether it was undone.
    """

    kind: str
    told: Shown
    hold: ModelHold | None = None
    minor: int = 0
    card_minor: int = 0
    undone: bool = False
    has_card: bool = True


class HoldModel:
    """
    A card with some money. `tip` is the part of a hold that may be captured beyond it.
    """

    def __init__(self, *, balance: int, tip: Fraction = Fraction(0)) -> None:
        self.tip, self.balance = tip, balance
        self.lost = False
        self.now = 0
        self.expired = 0
        self.holds: list[ModelHold] = []
        self.seen: dict[int, Seen | None] = {}

    @property
    def held(self) -> int:
        """
        Give what all holds keep.
        """
        return sum(hold.held for hold in self.holds)

    def pass_time(self, units: int) -> None:
        """
        Let time pass; a hold ends with its last moment.
        """
        self.now += units
        for hold in self.holds:
            if hold.state == "OPEN" and self.now >= hold.ends:
                hold.state = "EXPIRED"
                self.expired += 1

    def spend(self, key: int, minor: int) -> Shown:
        """
        Redeem in the card's own currency.
        """
        if key in self.seen:
            return self._repeated(key)
        refused = self._refused(minor)
        if refused:
            return self._keep(key, "spend", refused)
        self.balance -= minor
        return self._keep(
            key, "spend", self._tell("APPROVED", minor), None, minor, minor
        )

    def place(
        self, key: int, minor: int, rate: Fraction, lives: int, *, partial: bool = False
    ) -> Shown:
        """
        Authorize.
        """
        if key in self.seen:
            return self._repeated(key)
        hold = ModelHold(rate, self.now + lives, minor)
        available = self.balance - self.held
        result = "APPROVED"
        if partial and not self.lost and hold.held > available:
            hold.authorized, result = int(available / rate), "APPROVED_PARTIAL"
        refused = self._refused(hold.held)
        if not self.lost and not hold.worth(minor):
            refused = self._tell("INVALID_AMOUNT")
        if refused or not hold.held:
            refused = refused or self._tell("INSUFFICIENT_FUNDS")
            return self._keep(key, "place", refused)
        self.holds.append(hold)
        told = self._tell(result, hold.authorized, hold)
        return self._keep(key, "place", told, hold, hold.authorized)

    def increment(self, key: int, original: int, minor: int) -> Shown:
        """
        IncrementAuthorization.
        """
        if key in self.seen:
            return self._repeated(key)
        hold = self._placed(original)
        if hold is None:
            # It is asked what an Authorize is before the hold is looked for.
            known = self._has_card(original)
            told = self._tell(UNKNOWN) if known else Shown(UNKNOWN)
            if known and self.lost:
                told = Shown("LOST_CARD")
            return self._astray(key, "increment", original, told)
        more = hold.worth(hold.authorized + minor) - hold.worth(hold.authorized)
        refused = None
        if self.lost:
            refused = Shown("LOST_CARD")
        elif not more:
            refused = self._tell("INVALID_AMOUNT")
        elif hold.state != "OPEN":
            refused = self._tell("AUTHORIZATION_EXPIRED")
        refused = refused or self._refused(more)
        if refused:
            return self._keep(key, "increment", refused)
        hold.authorized += minor
        told = self._tell("APPROVED", minor, hold)
        return self._keep(key, "increment", told, hold, minor)

    def capture(
        self, key: int, original: int, minor: int | None, *, keep_open: bool
    ) -> Shown:
        """
        Capture; None is all that is left.
        """
        if key in self.seen:
            return self._repeated(key)
        hold = self._placed(original)
        if hold is None:
            told = self._no_hold(original)
            return self._astray(key, "capture", original, told)
        ended = {
            "OPEN": None,
            "CAPTURED": "EXCEEDS_AUTHORIZED",
            "CANCELLED": "AUTHORIZATION_EXPIRED",
            "EXPIRED": "AUTHORIZATION_EXPIRED",
        }[hold.state]
        if minor is None and ended:
            return self._keep(key, "capture", self._tell(ended))
        if minor is None:
            minor = hold.authorized - hold.captured
        whole = hold.captured + minor
        taken = hold.worth(whole) - hold.worth(hold.captured)
        beyond = hold.worth(whole) - hold.worth(hold.authorized)
        result = "APPROVED"
        if not taken:
            result = "INVALID_AMOUNT"
        elif ended:
            result = ended
        elif whole > hold.authorized + int(hold.authorized * self.tip):
            result = "EXCEEDS_AUTHORIZED"
        elif beyond > self.balance - self.held:
            result = "INSUFFICIENT_FUNDS"
        if result != "APPROVED":
            return self._keep(key, "capture", self._tell(result))
        hold.captured = whole
        self.balance -= taken
        if not keep_open or beyond >= 0:
            hold.state = "CAPTURED"
        told = self._tell(result, minor, hold)
        return self._keep(key, "capture", told, None, minor, taken)

    def cancel(self, key: int, original: int) -> Shown:
        """
        CancelAuthorization.
        """
        if key in self.seen:
            return self._repeated(key)
        hold = self._placed(original)
        if hold is None:
            told = self._no_hold(original)
            return self._astray(key, "cancel", original, told)
        if hold.state != "OPEN":
            return self._keep(key, "cancel", self._tell("AUTHORIZATION_EXPIRED"))
        hold.state = "CANCELLED"
        return self._keep(key, "cancel", self._tell("APPROVED", hold=hold))

    def reverse(self, original: int) -> Shown:
        """
        Reverse; its own id is never asked for again.
        """
        if original not in self.seen:
            self.seen[original] = None
        undone = self.seen[original]
        if undone is None:
            return Shown(UNKNOWN)
        if undone.told.result not in {"APPROVED", "APPROVED_PARTIAL"}:
            return Shown("APPROVED")
        if undone.undone:
            return self._tell("APPROVED")
        if undone.kind == "cancel":
            return self._tell("CANNOT_BE_REVERSED")
        told = self._undo(undone)
        undone.undone = told.result == "APPROVED"
        return told

    def _undo(self, undone: Seen) -> Shown:
        hold = undone.hold
        if hold is None:
            self.balance += undone.card_minor
            return self._tell("APPROVED", undone.minor)
        if undone.kind == "place":
            if hold.captured:
                return self._tell(TOO_LATE)
            if hold.state != "OPEN":
                return self._tell("APPROVED")
            hold.state = "CANCELLED"
            return self._tell("APPROVED", hold.authorized, hold)
        less = hold.authorized - undone.minor
        if hold.state != "OPEN" or less < hold.captured:
            return self._tell(TOO_LATE)
        hold.authorized = less
        if hold.held == 0:
            hold.state = "CAPTURED"
        return self._tell("APPROVED", undone.minor, hold)

    def _refused(self, card_minor: int) -> Shown | None:
        """
        Tell what is in the way of new money: the card, or that there is not enough.
        """
        if self.lost:
            return Shown("LOST_CARD")
        if card_minor > self.balance - self.held:
            return self._tell("INSUFFICIENT_FUNDS")
        return None

    def _approved(self, original: int) -> bool:
        named = self.seen.get(original)
        return named is not None and named.told.result.startswith("APPROVED")

    def _placed(self, original: int) -> ModelHold | None:
        named = self.seen.get(original)
        return named.hold if named is not None and named.kind == "place" else None

    def _no_hold(self, original: int) -> Shown:
        """
        Tell that there is no such hold, of what was approved with the balances.
        """
        return self._tell(UNKNOWN) if self._approved(original) else Shown(UNKNOWN)

    def _has_card(self, original: int) -> bool:
        """
        Tell whether a message was about the card: what names nothing is about none.
        """
        named = self.seen.get(original)
        return named is not None and named.has_card

    def _astray(self, key: int, kind: str, original: int, told: Shown) -> Shown:
        """
        Keep what named no hold.
        """
        has_card = self._has_card(original)
        self.seen[key] = Seen(kind, told, has_card=has_card)
        return told

    def _repeated(self, key: int) -> Shown:
        before = self.seen[key]
        if before is None:
            return Shown("ALREADY_REVERSED")
        return before.told._replace(replayed=True)

    def _keep(
        self,
        key: int,
        kind: str,
        told: Shown,
        hold: ModelHold | None = None,
        minor: int = 0,
        card_minor: int = 0,
    ) -> Shown:
        self.seen[key] = Seen(kind, told, hold, minor, card_minor)
        return told

    def _tell(
        self, result: str, approved: int = 0, hold: ModelHold | None = None
    ) -> Shown:
        balances = (self.balance - self.held, self.balance, self.held)
        now = None
        if hold is not None:
            now = (hold.state, hold.authorized, hold.captured, hold.held)
        return Shown(result, approved, balances, now)
