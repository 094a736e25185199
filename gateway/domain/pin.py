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
    What a compare found: the refusal, or None, and what is counted now.
    """

    refusal: Result | None
    tries: tuple[PinTries, ...] = ()


_PASSED = _Compared(None)
_LOCKED = _Compared(Result.PIN_TRIES_EXCEEDED)


def check_pin(
    command: Proving, view: View, facts: Facts
) -> tuple[Result | None, Facts]:
    """
    Check 10: a PIN where one is needed or sent (55), and that it is not locked (75).

    Gives the refusal, or None, and the facts with what is counted now: the decision
    goes on with those, whatever its later checks say.

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
    refusal, tries = _compare(sent, view.pin, command.channel, view, product)
    return refusal, facts._replace(tries=tries, proven=refusal is None)


def _compare(
    sent: PinProof, kept: CardPin, channel: Channel, view: View, product: Product
) -> _Compared:
    """
    Compare, unless too many were wrong before; a right one forgives them.

    While it is locked nothing is compared and nothing counted, so that the lock ends by
    itself, however often it is tried meanwhile.
    """
    now = view.stamp.now
    before = kept.tries.get(channel)
    count = 0 if before is None else before.tries
    if before is not None and now - before.last_tried_at >= timedelta(
        seconds=product.pin_lock_s
    ):
        count = 0
    if count >= product.pin_max_tries:
        return _LOCKED
    tag = sent.tags.get(kept.key_id)
    if tag is None:
        message = f"this process has no key {kept.key_id} for PINs"
        raise InvariantError(message)
    if hmac.compare_digest(tag, kept.tag):
        if before is None or not before.tries:
            return _PASSED
        return _Compared(None, (before._replace(tries=0),))
    total = 0 if before is None else before.wrong_total
    tries = PinTries(kept.card_id, channel, count + 1, now, total + 1)
    return _Compared(Result.INCORRECT_PIN, (tries,))
