"""
Check 10: the PIN (domain 1.2, 1.7).

The compare is made under the card's lock, and what it counts is committed before any
answer leaves. Nothing here sees a PIN: only tags, made with keys that are elsewhere.
"""

import hmac
from datetime import timedelta
from typing import NamedTuple, Protocol

from gateway.domain.card_pins import CardPin, PinProof, PinTries
from gateway.domain.decision import Facts, View
from gateway.domain.errors import InvariantError
from gateway.domain.policy import Product
from gateway.domain.results import Channel, Result


class Proving(Protocol):
    """
    What a PIN may come with.
    """

    @property
    def pin(self) -> PinProof | None:
        """
        Give the PIN that was entered, if one was.
        """
        ...

    @property
    def channel(self) -> Channel:
        """
        Give the way it came.
        """
        ...

    @property
    def actor(self) -> str | None:
        """
        Give who of the staff asked, if anyone.
        """
        ...


class _Compared(NamedTuple):
    """
    What a compare found, whether the PIN was right, and what is counted now.

    None: it was not compared, because it is locked.
    """

    right: bool | None
    tries: tuple[PinTries, ...] = ()


_PASSED = _Compared(right=True)
_LOCKED = _Compared(right=None)
_REFUSALS = {
    True: None,
    False: Result.INCORRECT_PIN,
    None: Result.PIN_TRIES_EXCEEDED,
}


def check_pin(
    command: Proving, view: View, facts: Facts
) -> tuple[Result | None, Facts]:
    """
    Check 10: a PIN where one is needed or sent (55), and that it is not locked (75).

    Gives the refusal, or None, and the facts with what was found and is counted now:
    the decision goes on with those, whatever its later checks say. There is no other
    place where a PIN is compared, and what it found there is all that is kept of it.

    `view.card` is known, and checks 1 to 9 are passed. Staff have no PIN to enter. One
    that is sent though nobody asks for it is compared, if the card has one.
    """
    sent = command.pin
    if view.card is None:
        message = "a PIN is checked on a card that is known"
        raise InvariantError(message)
    product = view.policy.products[view.card.product_id]
    if sent is None or view.pin is None:
        needed = facts.activity in product.pin_required_for and command.actor is None
        return (Result.PIN_REQUIRED if needed else None), facts
    right, tries = _compare(sent, view.pin, command.channel, view, product)
    if right is not None:
        facts = facts._replace(pin_right=right, tries=tries)
    return _REFUSALS[right], facts


def refuse_locked(command: Proving, view: View, facts: Facts) -> Result | None:
    """
    Check 10 of what asks for no PIN, but does what needs one: that none is locked (75).

    Nothing is compared and nothing counted (ADR 0019).
    """
    card, kept = view.card, view.pin
    if card is None or kept is None or command.actor is not None:
        return None
    product = view.policy.products[card.product_id]
    if facts.activity not in product.pin_required_for:
        return None
    if _counted(kept, command.channel, view, product) < product.pin_max_tries:
        return None
    return Result.PIN_TRIES_EXCEEDED


def _compare(
    sent: PinProof, kept: CardPin, channel: Channel, view: View, product: Product
) -> _Compared:
    """
    Compare, unless too many were wrong before; a right one forgives them.

    While it is locked nothing is compared and nothing counted, so that the lock ends by
    itself, however often it is tried meanwhile.
    """
    count = _counted(kept, channel, view, product)
    if count >= product.pin_max_tries:
        return _LOCKED
    tag = sent.tags.get(kept.key_id)
    if tag is None:
        message = f"this process has no key {kept.key_id} for PINs"
        raise InvariantError(message)
    before = kept.tries.get(channel)
    if hmac.compare_digest(tag, kept.tag):
        if before is None or not before.tries:
            return _PASSED
        return _Compared(right=True, tries=(before._replace(tries=0),))
    total = 0 if before is None else before.wrong_total
    tries = PinTries(kept.card_id, channel, count + 1, view.stamp.now, total + 1)
    return _Compared(right=False, tries=(tries,))


def _counted(kept: CardPin, channel: Channel, view: View, product: Product) -> int:
    """
    Give how many wrong ones in a row count now by a channel; old ones do not.
    """
    before = kept.tries.get(channel)
    if before is None:
        return 0
    lock = timedelta(seconds=product.pin_lock_s)
    return before.tries if view.stamp.now - before.last_tried_at < lock else 0
