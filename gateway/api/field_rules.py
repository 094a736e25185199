"""
The form that each text field of a request must have.

A rule gives None for a good text and otherwise what is wrong and what to send instead.
No rule repeats the text: it may be a card number in the wrong field.
"""

import re
from collections.abc import Callable
from typing import Final

from gateway.domain.ids import RequestId

TextRule = Callable[[str], str | None]

# As many digits as the vault reads; the longest number we issue has 19.
CARD_NUMBER_MAX_DIGITS: Final = 32
PIN_MIN_DIGITS: Final = 4
PIN_MAX_DIGITS: Final = 12
CURRENCY_CODE_LETTERS: Final = 3
SYSTEM_TRACE_MAX_DIGITS: Final = 6
TERMINAL_ID_MAX_CHARACTERS: Final = 64
REASON_MAX_CHARACTERS: Final = 200

# Not `isprintable`: it refuses the joiners that Arabic and Persian are written with.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# As many digits as the shortest card number has, however they are grouped.
_LONG_NUMBER: Final = re.compile(r"(?:\d[\s.-]*){12}")
_UUID_CHARACTERS: Final = 36
_UUID_BYTES: Final = 16
_UUID_REMEDY: Final = (
    "is not a UUID: send its 36 characters, like 0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e"
)


def read_uuid(text: str) -> RequestId | None:
    """
    Read 36 characters with dashes, in any case, to 16 bytes; None for all else.
    """
    if (
        len(text) != _UUID_CHARACTERS
        or text[8] != "-"
        or text[13] != "-"
        or text[18] != "-"
        or text[23] != "-"
    ):
        return None
    try:
        value = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    # Blanks, which fromhex passes over, and further dashes leave fewer bytes.
    return RequestId(value) if len(value) == _UUID_BYTES else None


def _uuid(text: str) -> str | None:
    return _UUID_REMEDY if read_uuid(text) is None else None


def _card_number(text: str) -> str | None:
    if not (text.isascii() and text.isdigit()):
        return "holds something other than digits: send the card's number, 0 to 9 only"
    if len(text) > CARD_NUMBER_MAX_DIGITS:
        return f"has more than {CARD_NUMBER_MAX_DIGITS} digits: send the card's number"
    return None


def _pin(text: str) -> str | None:
    if PIN_MIN_DIGITS <= len(text) <= PIN_MAX_DIGITS and (
        text.isascii() and text.isdigit()
    ):
        return None
    return f"is not {PIN_MIN_DIGITS} to {PIN_MAX_DIGITS} digits: send the PIN"


def _currency_code(text: str) -> str | None:
    if len(text) == CURRENCY_CODE_LETTERS and text.isascii() and text.isalpha():
        return None
    return "is not three letters: send the currency's ISO 4217 code, like KWD"


def _trace_number(text: str) -> str | None:
    if len(text) <= SYSTEM_TRACE_MAX_DIGITS and text.isascii() and text.isdigit():
        return None
    return f"is not 1 to {SYSTEM_TRACE_MAX_DIGITS} digits: send the till's own number"


def _text_up_to(characters: int) -> TextRule:
    def rule(text: str) -> str | None:
        if len(text) > characters:
            return f"has more than {characters} characters: send at most as many"
        if _CONTROL.search(text) is not None:
            return "holds control characters: send text without them"
        return None

    return rule


def _reason(text: str) -> str | None:
    if _LONG_NUMBER.search(text) is not None:
        return "holds a long number: a card's number has no place here"
    return _text_up_to(REASON_MAX_CHARACTERS)(text)


# By the field's own name: the same name has the same form in every message.
TEXT_RULES: Final[dict[str, TextRule]] = {
    "request_id": _uuid,
    "original_request_id": _uuid,
    "transaction_id": _uuid,
    "terminal_id": _text_up_to(TERMINAL_ID_MAX_CHARACTERS),
    # Staff may name a colleague's desk of another store: STORE/TERMINAL.
    "original_terminal_id": _text_up_to(2 * TERMINAL_ID_MAX_CHARACTERS),
    "card_number": _card_number,
    "to_card_number": _card_number,
    "pin": _pin,
    "currency_code": _currency_code,
    "merchant_reference": _text_up_to(64),
    "cashier_id": _text_up_to(32),
    "reason": _reason,
    "local_time": _text_up_to(35),
    "system_trace_no": _trace_number,
    "terminal_batch_no": _text_up_to(12),
}
