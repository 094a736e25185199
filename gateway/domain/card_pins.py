"""
A card's PIN as it is kept, the tries on it, and a PIN that somebody entered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.domain.ids import CardId
from gateway.domain.results import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class PinProof:
    """
    What is left of a PIN that was entered: its tags, by the id of the key of each.

    The card's own tag was made with one of those keys; which one, its row tells.
    """

    tags: Mapping[int, bytes] = field(repr=False)


class PinTries(NamedTuple):
    """
    The wrong PINs of a card by one channel.

    `tries` are those in a row up to now, `wrong_total` all there ever were.
    """

    card_id: CardId
    channel: Channel
    tries: int
    last_tried_at: datetime
    wrong_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPin:
    """
    What is kept of a card's PIN, read under the card's lock.

    A channel by which no wrong PIN ever came has no entry in `tries`.
    """

    card_id: CardId
    key_id: int
    tag: bytes = field(repr=False)
    tries: Mapping[Channel, PinTries] = field(default_factory=dict)

    def tried(self, tries: PinTries) -> "CardPin":
        """
        Give the PIN with what is counted now for one channel.
        """
        return CardPin(
            card_id=self.card_id,
            key_id=self.key_id,
            tag=self.tag,
            tries={**self.tries, tries.channel: tries},
        )
