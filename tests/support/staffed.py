"""
A lane's surroundings with a desk: what comes by staff's channels is asked by amira.
"""

from dataclasses import fields, replace

from gateway.domain.cards import Card
from gateway.domain.commands import MoneyCommand
from gateway.domain.policy import Caller
from gateway.domain.results import STAFF_CHANNELS
from gateway.engine.items import Item
from tests.support.desks import AMIRA, DESKS, desk_policy
from tests.support.engine_world import CONTROLLER, FAR, Bench, bench
from tests.support.lives import rules


class StaffedBench(Bench):
    """
    A bench on which each request is asked by whom its channel belongs to.
    """

    def item(
        self,
        command: MoneyCommand,
        *,
        caller: Caller = CONTROLLER,
        deadline: float = FAR,
    ) -> Item:
        """
        Make an item, at the desk if the command is of the staff.
        """
        if command.channel in STAFF_CHANNELS:
            caller = AMIRA
        return super().item(asked_at_desk(command), caller=caller, deadline=deadline)


def asked_at_desk(command: MoneyCommand) -> MoneyCommand:
    """
    Give a command of the staff as amira asks for it; a till's stays as it is.
    """
    if command.channel not in STAFF_CHANNELS:
        return command
    return replace(command, terminal_id=DESKS[AMIRA], actor=AMIRA.device.device)


def staffed(*cards: Card) -> StaffedBench:
    """
    Build it with these cards, of products that permit everything.
    """
    made = bench(*cards, rules=desk_policy(products=rules().products))
    return StaffedBench(
        **{each.name: getattr(made, each.name) for each in fields(made)}
    )
