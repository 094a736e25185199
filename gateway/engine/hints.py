"""
What comes of an attempt at a batch: it is done, or starts again knowing more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.domain.cards import Card
from gateway.domain.errors import GatewayError
from gateway.domain.holds import Hold
from gateway.domain.ids import CardId, TerminalId
from gateway.engine.answers import Answer
from gateway.engine.items import Asking, Item, Sweep


@dataclass(slots=True)
class Hints:
    """
    What earlier attempts at the same batch learned.

    `untombed` holds the reversals on whose behalf no tombstone may be claimed.
    """

    cards: set[CardId] = field(default_factory=set)
    terminals: set[TerminalId] = field(default_factory=set)
    untombed: set[Item] = field(default_factory=set)


class RestartError(Exception):
    """
    The batch was rolled back and is to start again, knowing more.

    `refused` holds items that are to be answered with a fault and left out.
    """

    def __init__(
        self, why: str, refused: Mapping[Asking, GatewayError] | None = None
    ) -> None:
        super().__init__(why)
        self.why = why
        self.refused = refused or {}


class KeptChangingError(Exception):
    """
    The batch asked to start again too often. Nothing was committed.
    """


class Done(NamedTuple):
    """
    What an attempt achieved: every answer, and the cards and holds that changed.

    `busy` are the sweeps whose cards another has locked just now.
    """

    answers: Sequence[tuple[Asking, Answer]]
    cards: Sequence[Card] = ()
    holds: Sequence[Hold] = ()
    swept: Sequence[Sweep] = ()
    busy: Sequence[Sweep] = ()
