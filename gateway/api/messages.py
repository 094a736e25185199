"""
Parse what comes in; what cannot be parsed becomes a value, not an exception.

gRPC would answer UNKNOWN with the text of the parser's exception; a till shall get
INVALID_ARGUMENT like for any other request that cannot be read.
"""

from collections.abc import Callable
from typing import Final, NoReturn, final

from google.protobuf.message import DecodeError

from gateway.domain.errors import InvalidRequestError

Parser = Callable[[bytes], object]


@final
class Unreadable:
    """
    Stand for bytes that are not the message they should be.
    """


UNREADABLE: Final = Unreadable()


def tolerant(parse: Parser) -> Parser:
    """
    Give a parser that answers UNREADABLE where the given one raises.
    """

    def parse_or_say(data: bytes) -> object:
        try:
            return parse(data)
        except DecodeError:
            return UNREADABLE

    return parse_or_say


def refuse_unreadable() -> NoReturn:
    """
    Refuse a message that cannot be parsed.
    """
    raise InvalidRequestError(
        "message",
        "cannot be parsed: send what proto/scrip/v1/card_service.proto describes",
    )
