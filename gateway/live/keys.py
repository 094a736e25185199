"""
Every key in Redis. All lie in one hash slot, so that one function may use them all.
"""

from typing import Final

from gateway.domain.ids import CardId, StoreId, TerminalId

CURRENT_IDS: Final = "{scrip}:ids:current"
PREVIOUS_IDS: Final = "{scrip}:ids:previous"
# Open holds by the moment they expire, and a mark that all of them are there.
EXPIRIES: Final = "{scrip}:expiries"
EXPIRIES_MARK: Final = "{scrip}:expiries:loaded"


def requests_of(terminal_id: TerminalId) -> str:
    """
    Name the counter of a terminal's requests.
    """
    return f"{{scrip}}:requests:{terminal_id}"


def failed_at_terminal(terminal_id: TerminalId) -> str:
    """
    Name the counter of a terminal's failed look-ups.
    """
    return f"{{scrip}}:failed:terminal:{terminal_id}"


def failed_at_store(store_id: StoreId) -> str:
    """
    Name the counter of a store's failed look-ups.
    """
    return f"{{scrip}}:failed:store:{store_id}"


def snapshot_of(card_id: CardId) -> str:
    """
    Name a card's snapshot.
    """
    return f"{{scrip}}:snapshot:{card_id}"
