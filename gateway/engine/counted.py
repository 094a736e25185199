"""
What a batch must lock and read besides: cards, and what limits count (ADR 0020).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gateway.domain.commands import Command, Naming
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.limit_checks import looks_back_s
from gateway.domain.policy import Policy
from gateway.engine.journal import Journal
from gateway.engine.locking import Locked
from gateway.engine.releasing import moment


def counted_terminals(commands: Iterable[Command], policy: Policy) -> set[TerminalId]:
    """
    Give the terminals that count, among those that a batch asks for or undoes on.
    """
    limited = policy.terminal_limits
    if not limited:
        return set()
    named = set()
    for command in commands:
        named.add(command.terminal_id)
        if isinstance(command, Naming):
            named.add(command.original.terminal_id)
    return {terminal_id for terminal_id in named if terminal_id in limited}


def missing_terminals(
    commands: Iterable[Command], policy: Policy, journal: Journal, locked: Locked
) -> set[TerminalId]:
    """
    Give the terminals that count and prove not to be locked.

    The policy may be newer than that by which they were locked.
    """
    asked = list(commands)
    missing = counted_terminals(asked, policy) - locked.terminal_uses.keys()
    for command in asked:
        if isinstance(command, Naming):
            terminal_id = journal.terminal_counted(command.original)
            if terminal_id is not None and terminal_id not in locked.terminal_uses:
                missing.add(terminal_id)
    return missing


def missing_cards(commands: Iterable[Command], journal: Journal) -> set[CardId]:
    """
    Give the cards that originals are about, or that replaced them, and are not locked.

    Of an original of this very batch that is the successor of the card it names.
    """
    asked = list(commands)
    named = {command.original for command in asked if isinstance(command, Naming)}
    missing = {journal.missing_card(original) for original in named}
    missing |= {
        journal.missing_successor(command) for command in asked if command.key in named
    }
    return {card_id for card_id in missing if card_id is not None}


def looking_back(locked: Locked, policy: Policy) -> list[tuple[CardId, datetime]]:
    """
    Give the cards whose limits look back, each with the moment after which uses count.
    """
    if not policy.limits:
        return []
    return [
        (card.card_id, moment(card, locked.clock) - timedelta(seconds=seconds))
        for card in locked.cards
        if (seconds := looks_back_s(card, policy))
    ]
