"""
Read the file of numbers that `scrip card create` writes.
"""

from __future__ import annotations

import csv
from pathlib import Path

from till.card_number import CardNumber
from till.demo.folder import DemoError
from till.pin import Pin
from till.stories.script import HeldCard


def read_cards(path: Path, count: int) -> list[CardNumber]:
    """
    Read the cards' numbers in their order.
    """
    return [card.number for card in read_cards_and_pins(path, count)]


def read_cards_and_pins(path: Path, count: int) -> list[HeldCard]:
    """
    Read the cards' numbers in their order, each with its PIN if it has one.
    """
    with path.open(encoding="utf-8", newline="") as file:
        cards = [
            HeldCard(
                CardNumber(row["card_number"]),
                Pin(row["pin"]) if "pin" in row else None,
            )
            for row in csv.DictReader(file)
        ]
    if len(cards) != count:
        raise DemoError(f"{path} holds {len(cards)} cards, not {count}")
    return cards
