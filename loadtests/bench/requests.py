"""
Serialized requests, each with a request id of its own.

A request is written once; what changes is cut out and put in as bytes.
"""

import random
import uuid
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from scrip.v1 import card_service_pb2 as api

# What each operation asks first, and what it asks of that once it is answered.
STEPS: Final[Mapping[str, tuple[str, str | None]]] = {
    "redeem": ("Redeem", None),
    "balance": ("GetBalance", None),
    "hold": ("Authorize", "Capture"),
}

_ID: Final = "00000000-0000-4000-8000-000000000000"
_ORIGINAL: Final = "11111111-1111-4111-8111-111111111111"
_AMOUNT: Final = {"minor_units": 1, "currency_code": "USD", "exponent": 2}


class Asked(NamedTuple):
    """
    One request as it is sent: the method, the message, and the id inside it.
    """

    method: str
    payload: bytes
    request_id: bytes


class Requests:
    """
    What the tills of a run ask, one request after the other.
    """

    def __init__(self, operation: str, cards: list[str], seed: int) -> None:
        self._first, self._second = STEPS[operation]
        self._cards = cards
        self._random = random.Random(seed)
        self._head, self._tail = _cut(_on_card(self._first, cards[0]), _ID)
        if self._second:
            head, rest = _cut(_on_original(self._second), _ID)
            middle, tail = _cut(rest, _ORIGINAL)
            self._second_parts = (head, middle, tail)

    @property
    def methods(self) -> tuple[str, ...]:
        """
        Name the methods that are called.
        """
        return (self._first, self._second) if self._second else (self._first,)

    def take(self) -> Asked:
        """
        Give the next request on any card.
        """
        first, card = self._cards[0], self._random.choice(self._cards)
        request_id, tail = self._new_id(), self._tail
        if card != first:
            tail = tail.replace(first.encode(), card.encode(), 1)
        return Asked(self._first, self._head + request_id + tail, request_id)

    def after(self, answered: Asked) -> Asked:
        """
        Give what is asked once another is answered: its second step, or the next.
        """
        if self._second is None or answered.method == self._second:
            return self.take()
        head, middle, tail = self._second_parts
        request_id = self._new_id()
        payload = head + request_id + middle + answered.request_id + tail
        return Asked(self._second, payload, request_id)

    def _new_id(self) -> bytes:
        number = self._random.getrandbits(128)
        return str(uuid.UUID(int=number, version=4)).encode()


def _on_card(method: str, card: str) -> bytes:
    """
    Write a request on a card, for one cent where it takes an amount.
    """
    kind: Any = getattr(api, f"{method}Request")
    request = kind(request_id=_ID, card_number=card)
    if "amount" in kind.DESCRIPTOR.fields_by_name:
        request.amount.MergeFrom(type(request.amount)(**_AMOUNT))
    serialized: bytes = request.SerializeToString(deterministic=True)
    return serialized


def _on_original(method: str) -> bytes:
    """
    Write a request that names another, and takes all of what that one holds.
    """
    kind: Any = getattr(api, f"{method}Request")
    request = kind(request_id=_ID, original_request_id=_ORIGINAL)
    serialized: bytes = request.SerializeToString(deterministic=True)
    return serialized


def _cut(serialized: bytes, placeholder: str) -> tuple[bytes, bytes]:
    head, _, tail = serialized.partition(placeholder.encode())
    return head, tail
