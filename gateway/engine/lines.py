"""
The lines of cards that took each other's place, as far as a batch has locked them.
"""

from collections.abc import Mapping

from gateway.domain.cards import Card
from gateway.domain.ids import CardId


def line_of(cards: Mapping[CardId, Card], card_id: CardId | None) -> list[Card]:
    """
    Give a card and those that replaced it, one after the other.
    """
    line: list[Card] = []
    while card_id is not None and (card := cards.get(card_id)) is not None:
        line.append(card)
        card_id = card.replaced_by
    return line


def last_of(cards: Mapping[CardId, Card], card_id: CardId) -> Card | None:
    """
    Give the last card of a line, which acts for all of it; None if it is not locked.
    """
    line = line_of(cards, card_id)
    return line[-1] if line and line[-1].replaced_by is None else None


def missing_of(cards: Mapping[CardId, Card], card_id: CardId | None) -> CardId | None:
    """
    Give the first card of a line that is not locked.
    """
    line = line_of(cards, card_id)
    return line[-1].replaced_by if line else card_id
