"""
Read the file of numbers that `scrip card create` writes.
"""

from __future__ import annotations

import csv
from pathlib import Path

from till.card_number import CardNumber
from till.demo.folder import DemoError


def read_cards(path: Path, count: int) -> list[CardNumber]:
    """
    Read the cards' numbers in their order.
    """
    with path.open(encoding="utf-8", newline="") as file:
        cards = [CardNumber(row["card_number"]) for row in csv.DictReader(file)]
    if len(cards) != count:
        raise DemoError(f"{path} holds {len(cards)} cards, not {count}")
    return cards
