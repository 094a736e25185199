"""
The types of settings that need a check of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BeforeValidator, SecretStr

from gateway.runtime.addresses import ENCODE_REMEDY, is_plain_address


def _url_of(*schemes: str) -> AfterValidator:
    """
    Make the check that a secret is a URL of one of these schemes.

    The URL itself never appears in the message: it may hold a password.
    """

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme, separator, _ = value.get_secret_value().partition("://")
        if not separator or scheme not in schemes:
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            message = f"give an address that starts with {wanted}"
            raise ValueError(message)
        if not is_plain_address(value.get_secret_value()):
            raise ValueError(ENCODE_REMEDY)
        return value

    return AfterValidator(check)


def _off_is_none(value: object) -> object:
    return None if isinstance(value, str) and value.lower() in {"off", ""} else value


def _expanded(value: Path) -> Path:
    return value.expanduser()


def _known_locale(value: str) -> str:
    try:
        return str(Locale.parse(value.partition(".")[0]))
    except (ValueError, UnknownLocaleError) as error:
        message = "give a language as en, tr or ar_KW"
        raise ValueError(message) from error


PostgresUrl = Annotated[SecretStr | None, _url_of("postgresql", "postgres")]
RedisUrl = Annotated[SecretStr | None, _url_of("redis", "rediss", "unix")]
Folder = Annotated[Path, AfterValidator(_expanded)]
OptionalFile = Annotated[
    Path | None, AfterValidator(lambda value: value and _expanded(value))
]
LocaleName = Annotated[str, AfterValidator(_known_locale)]
OptionalPort = Annotated[int | None, BeforeValidator(_off_is_none)]
