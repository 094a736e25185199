"""
Where a small rest of a card is paid out in cash: the law of a place, dated, as data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from gateway.domain.errors import InvariantError


class RuledCards(IntEnum):
    """
    Which cards a rule is about: SINGLE_LOAD takes one load, RELOADABLE takes more.
    """

    ANY = 1
    SINGLE_LOAD = 2
    RELOADABLE = 3


class RuleKind(IntEnum):
    """
    What a rule asks of a card's balance.

    BELOW: it is less than the amount. UP_TO: it is the amount or less. USED: so many
    percent of what was loaded are used. NEVER: nothing is paid out by law (any more).
    """

    BELOW = 1
    UP_TO = 2
    USED = 3
    NEVER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CashOutRule:
    """
    What one jurisdiction rules for some cards, from one day on, in its own time.

    `jurisdiction` is a country of ISO 3166-1 (`IE`) or a part of one of ISO 3166-2
    (`US-CA`). The amount belongs to BELOW and UP_TO, the percentage to USED.
    """

    jurisdiction: str
    effective_from: date
    cards: RuledCards
    kind: RuleKind
    limit_minor: int | None = None
    currency: str | None = None
    used_percent: int | None = None

    def __post_init__(self) -> None:
        """
        Refuse what the database's CHECK refuses too.
        """
        by_amount = self.kind in {RuleKind.BELOW, RuleKind.UP_TO}
        if (
            (self.limit_minor is not None) is not by_amount
            or (self.currency is not None) is not by_amount
            or (self.used_percent is not None) is not (self.kind is RuleKind.USED)
        ):
            message = f"cash-out rule of {self.jurisdiction}: not what its kind needs"
            raise InvariantError(message)

    def permits(self, balance_minor: int, *, loaded_minor: int, currency: str) -> bool:
        """
        Tell whether a card's balance may be paid out.

        An amount is compared in its own currency only: what the rest is worth in
        another would change with a rate, from one visit to the next.
        """
        if self.kind is RuleKind.NEVER:
            return False
        if self.used_percent is not None:
            used = (loaded_minor - balance_minor) * 100
            return loaded_minor > 0 and used >= loaded_minor * self.used_percent
        if self.limit_minor is None or self.currency != currency:
            return False
        if self.kind is RuleKind.BELOW:
            return balance_minor < self.limit_minor
        return balance_minor <= self.limit_minor


class CashOutRules:
    """
    All rules, of all places and days.
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[CashOutRule] = ()) -> None:
        """
        Keep the rules by their jurisdiction.
        """
        self._rules: dict[str, list[CashOutRule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.jurisdiction, []).append(rule)

    def rule_for(
        self, jurisdiction: str, day: date, *, reloadable: bool
    ) -> CashOutRule | None:
        """
        Give the one rule in force for a card, or None where the law has none.

        A part of a country goes before its country, a later day before an earlier one,
        and of one day a rule for this kind of card before one for all.
        """
        own = RuledCards.RELOADABLE if reloadable else RuledCards.SINGLE_LOAD
        for place in dict.fromkeys((jurisdiction, jurisdiction[:2])):
            in_force = [
                rule
                for rule in self._rules.get(place, ())
                if rule.effective_from <= day and rule.cards in {own, RuledCards.ANY}
            ]
            if in_force:
                return max(
                    in_force, key=lambda rule: (rule.effective_from, rule.cards == own)
                )
        return None


NO_CASH_OUT_RULES = CashOutRules()
