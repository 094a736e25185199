"""
An independent model of the lives of cards: what becomes of each, and of its money.

Written from the contract (domain 1.3, 1.7) and ADR 0017. Names are strings, and one
currency is enough.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

REFUSED_BY_BLOCK = {
    "LOST": "LOST_CARD",
    "STOLEN": "STOLEN_CARD",
    "FRAUD": "RESTRICTED_CARD",
    "CUSTOMER": "RESTRICTED_CARD",
}
GRAVER = ("CUSTOMER", "FRAUD", "LOST", "STOLEN")
# What a card was used for; blocks and what was undone are no use of it.
USES = {"LOAD", "REDEEM", "REFUND", "TRANSFER", "REPLACE", "DEACTIVATE"}
MONEY = {"ACTIVATE", "LOAD", "REDEEM", "REFUND"}


class Wish(NamedTuple):
    """
    One request. `of` is the number of the request that it names, `staff` who blocks.
    """

    what: str
    card: int = 0
    minor: int = 0
    other: int = 0
    reason: str = ""
    staff: bool = False
    of: int = 0


@dataclass
class LifeCard:
    """
    One card; `once` takes one load, and may be spent in several sales.
    """

    state: str = "PENDING"
    once: bool = False
    balance: int = 0
    loads: int = 0
    loaded: int = 0
    block: str = ""
    successor: int = 0
    used: "list[Done]" = field(default_factory=list)

    @property
    def fault(self) -> str:
        """
        Say why it cannot be used, if it cannot.
        """
        return self.closed or REFUSED_BY_BLOCK.get(self.block, "")

    @property
    def closed(self) -> str:
        """
        Say why it is not alive, blocked or not.
        """
        return {
            "PENDING": "CARD_NOT_ACTIVE",
            "DEACTIVATED": "CARD_CLOSED",
            "REPLACED": "CARD_CLOSED",
        }.get(self.state, "")

    def settle(self) -> None:
        """
        Be spent, or live again, by what is on it; what is blocked stays blocked.
        """
        if self.state in {"ACTIVE", "DEPLETED"}:
            spent = self.once and self.loads and not self.balance
            self.state = "DEPLETED" if spent else "ACTIVE"


@dataclass(eq=False)
class Done:
    """
    A request that was answered, and what has become of it.
    """

    wish: Wish
    result: str
    minor: int = 0
    refunded: int = 0
    undone: bool = False
    sale: "Done | None" = None

    # The request that it found, if it names one.
    named: "Done | None" = None

    @property
    def blind(self) -> bool:
        """
        Tell whether it found no card: neither its own, nor one by what it names.
        """
        if self.wish.card:
            return False
        return self.named is None or self.named.blind

    @property
    def at_desk(self) -> bool:
        """
        Tell whether staff asked, at a terminal that no till means.
        """
        return self.wish.staff or self.wish.what in {"UNBLOCK", "REPLACE"}


class LifeModel:
    """
    The cards by their numbers, and what was answered under each request number.
    """

    def __init__(self, cards: dict[int, LifeCard]) -> None:
        self.cards = cards
        self.done: dict[int, Done] = {}

    def answer(self, number: int, wish: Wish) -> Done:
        """
        Decide a request that was not asked before.
        """
        decide = getattr(self, f"_{wish.what.lower()}")
        said = decide(wish)
        done = said if isinstance(said, Done) else Done(wish, said)
        if wish.of and not self.done[wish.of].at_desk:
            done.named = self.done[wish.of]
        self.done[number] = done
        if done.result == "APPROVED" and wish.what in USES | {"ACTIVATE"}:
            card = self.cards[wish.card] if wish.card else self._last(wish.of)
            card.used.append(done)
            if wish.other:
                self.cards[wish.other].used.append(done)
        return done

    def last_number(self, number: int) -> int:
        """
        Follow a card to the last one that took its place.
        """
        while successor := self.cards[number].successor:
            number = successor
        return number

    def _last(self, request: int) -> LifeCard:
        of = self.done[request]
        if of.wish.card:
            return self.cards[self.last_number(of.wish.card)]
        return self._last(of.wish.of)

    # --- Money ----------------------------------------------------------------------

    def _activate(self, wish: Wish) -> str | Done:
        card = self.cards[wish.card]
        if card.state in {"ACTIVE", "DEPLETED"}:
            return "CARD_ALREADY_ACTIVATED"
        if card.state != "PENDING":
            return card.fault
        card.state = "ACTIVE"
        return self._loaded(card, wish)

    def _load(self, wish: Wish) -> str | Done:
        card = self.cards[wish.card]
        if card.once and card.loads:
            return "CARD_NOT_RELOADABLE"
        return card.fault or self._loaded(card, wish)

    def _loaded(self, card: LifeCard, wish: Wish) -> Done:
        card.balance += wish.minor
        card.loads += 1
        card.loaded += wish.minor
        return Done(wish, "APPROVED", wish.minor)

    def _redeem(self, wish: Wish) -> str | Done:
        card = self.cards[wish.card]
        if card.fault:
            return card.fault
        if wish.minor > card.balance:
            return "INSUFFICIENT_FUNDS"
        card.balance -= wish.minor
        card.settle()
        return Done(wish, "APPROVED", wish.minor)

    def _refund(self, wish: Wish) -> str | Done:
        sale = self.done[wish.of]
        if sale.at_desk:
            return "ORIGINAL_NOT_FOUND"
        if sale.blind:
            return "CANNOT_BE_REVERSED"
        card = self._last(wish.of)
        if card.closed:
            return card.closed
        if sale.wish.what != "REDEEM" or sale.result != "APPROVED":
            return "CANNOT_BE_REVERSED"
        if sale.undone:
            return "ALREADY_REVERSED"
        if sale.refunded + wish.minor > sale.minor:
            return "INVALID_AMOUNT"
        sale.refunded += wish.minor
        card.balance += wish.minor
        card.settle()
        return Done(wish, "APPROVED", wish.minor, sale=sale)

    def _reverse(self, wish: Wish) -> str | Done:
        original = self.done[wish.of]
        if original.at_desk:
            return "ORIGINAL_NOT_FOUND"
        if original.wish.what == "REVERSE":
            return "CANNOT_BE_REVERSED"
        if original.result != "APPROVED" or original.undone:
            return Done(wish, "APPROVED")
        if original.wish.what not in MONEY:
            return "CANNOT_BE_REVERSED"
        card, what = self._last(wish.of), original.wish.what
        back = original.minor if what == "REDEEM" else -original.minor
        if original.refunded or card.balance + back < 0:
            return "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
        if what == "ACTIVATE" and (card.block or self._was_used_since(original)):
            return "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
        original.undone = True
        card.balance += back
        if what in {"ACTIVATE", "LOAD"}:
            card.loads -= 1
            card.loaded -= original.minor
        if what == "ACTIVATE":
            card.state = "PENDING"
        elif what != "LOAD":
            card.settle()
        if original.sale is not None:
            original.sale.refunded -= original.minor
        return Done(wish, "APPROVED", original.minor)

    def _was_used_since(self, activation: Done) -> bool:
        used = self.cards[activation.wish.card].used
        since = used[used.index(activation) + 1 :]
        return any(not one.undone and one.wish.what in USES for one in since)

    # --- Lives ----------------------------------------------------------------------

    def _block(self, wish: Wish) -> str:
        card = self.cards[wish.card]
        if card.closed:
            return card.closed
        kept_from_tills = card.block == "FRAUD" and not wish.staff
        if not card.block:
            card.state, card.block = "BLOCKED", wish.reason
        elif wish.staff and wish.reason == "FRAUD":
            card.block = "FRAUD"
        elif not kept_from_tills:
            card.block = max(card.block, wish.reason, key=GRAVER.index)
        return "APPROVED"

    def _unblock(self, wish: Wish) -> str:
        card = self.cards[wish.card]
        if not card.closed and card.block:
            card.state, card.block = "ACTIVE", ""
            card.settle()
        return card.closed or "APPROVED"

    def _deactivate(self, wish: Wish) -> str:
        card = self.cards[wish.card]
        if card.closed:
            return card.closed
        if card.balance:
            return "NOT_PERMITTED"
        card.state = "DEACTIVATED"
        return "APPROVED"

    def _replace(self, wish: Wish) -> str | Done:
        card, new = self.cards[wish.card], self.cards[wish.other]
        if card is new:
            return "NOT_PERMITTED"
        if card.closed:
            return card.closed
        if card.block not in {"LOST", "STOLEN"}:
            return "CARD_NOT_FLAGGED"
        if new.state in {"ACTIVE", "DEPLETED"}:
            return "CARD_ALREADY_ACTIVATED"
        if new.state != "PENDING":
            return new.fault
        minor = card.balance
        new.balance, new.loads, new.loaded = minor, card.loads, card.loaded
        new.state = "ACTIVE"
        new.settle()
        card.state, card.successor = "REPLACED", wish.other
        card.balance = card.loads = card.loaded = 0
        return Done(wish, "APPROVED", minor)

    def _transfer(self, wish: Wish) -> str | Done:
        card, other = self.cards[wish.card], self.cards[wish.other]
        if card is other:
            return "NOT_PERMITTED"
        if other.once or other.state == "DEPLETED":
            return "CARD_NOT_RELOADABLE"
        if card.fault or other.fault:
            return card.fault or other.fault
        if not card.balance:
            return "INSUFFICIENT_FUNDS"
        minor, card.balance = card.balance, 0
        card.settle()
        other.balance += minor
        other.loads += 1
        other.loaded += minor
        return Done(wish, "APPROVED", minor)
