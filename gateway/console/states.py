"""
The states of merchants, stores and terminals, as listings show them.
"""

from collections.abc import Sequence
from typing import Any, Final

from gateway.console.screen import Column, Row
from gateway.domain.policy import PartyState

STATE_COLUMN: Final = Column(title="State", key="state")


def with_states(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """
    Give the rows with their state by name.
    """
    return [{**row, "state": PartyState(row["state"]).name} for row in rows]
