"""
Ask for a whole card number, where it is not echoed and no other process sees it.
"""

import sys
from typing import Any, Final

import typer

from gateway.books.admin import AdminConnection
from gateway.books.admin_cards import cards
from gateway.console.faults import BadInputError
from gateway.console.session import Session
from gateway.vault.numbers import CardNumber, CardNumberError, NumberVault

NO_SUCH_CARD: Final = "there is no such card: check the digits"
_NUMBER_MAX_CHARACTERS: Final = 64


def asked_card_index(session: Session) -> bytes:
    """
    Read a number from standard input; give its keyed hash.

    Raises:
        BadInputError: it is no card number.

    """
    if sys.stdin.isatty():
        text = typer.prompt("card number", hide_input=True, err=True)
    else:
        text = sys.stdin.readline(_NUMBER_MAX_CHARACTERS)
    try:
        number = CardNumber.read(text.strip())
    except CardNumberError as error:
        raise BadInputError(f"{error}: give it on a line of standard input") from None
    return NumberVault(session.key_ring()).index(number)


def find_card(books: AdminConnection, number_index: bytes) -> dict[str, Any]:
    """
    Give the row of the one card with this number.

    Raises:
        BadInputError: there is no such card.

    """
    for row in cards(books, number_index=number_index, limit=1):
        return row
    raise BadInputError(NO_SUCH_CARD)
