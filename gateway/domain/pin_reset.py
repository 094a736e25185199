"""
The reset of a PIN by staff: its wrong tries are forgiven.
"""

from gateway.domain.cards import CardState
from gateway.domain.checks import refuse_card, refuse_place
from gateway.domain.commands import ResetPin
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.results import ActivityType, Result

_CLOSED = (CardState.DEACTIVATED, CardState.REPLACED)


def decide_pin_reset(command: ResetPin, view: View) -> Decision:
    """
    Let a card's PIN be tried again, by every channel; it stays the PIN that it was.

    Results: APPROVED, or 58/03, 14, 78 for a closed card, 57 for one without a PIN.
    """
    card, kept = view.card, view.pin
    facts = Facts(ActivityType.PIN_RESET, Result.APPROVED)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, view.policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    if card.state in _CLOSED:
        return decline(command, view, facts._replace(result=Result.CARD_CLOSED))
    if kept is None:
        return decline(command, view, facts._replace(result=Result.NOT_PERMITTED))
    after = card.moved(0, view.stamp.now, expires_on=card.expires_on)
    facts = facts._replace(approved=True, shown=True)
    record = write_record(command, view, facts, before=card, after=after)
    forgiven = tuple(tries._replace(tries=0) for tries in kept.tries.values())
    return Decision(record, card=after, tries=forgiven)
