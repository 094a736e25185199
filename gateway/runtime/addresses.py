"""
Addresses with a password in them: taken apart as their drivers do, and shown without.

A password may hold any sign. One that is not percent-encoded makes an address that is
read otherwise than it was meant, and then the password stands where nobody expects it:
in the port, the path, the query. Such an address is refused, and never shown.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

MASK: Final = "****"

ENCODE_REMEDY: Final = (
    "cannot be taken apart: write the signs of its user and password in percents "
    "(@ is %40, / is %2F, ? is %3F, # is %23, : is %3A)"
)

_ADDRESS: Final = re.compile(
    # As libpq reads it: what stands before an @, and that before any slash.
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^@/:]*)(?P<colon>:?)(?P<password>[^/]*)@)?"
    r"(?P<hosts>[^/?#@]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.%]*\]|[^:\[\]]*)(:[0-9]{1,5})?")
# What ends an authority for all readers but libpq.
_ENDS: Final = re.compile(r"[?#]")
_SECRET_PARAMETER: Final = re.compile(r"pass|secret|token|key", re.IGNORECASE)


class _Address(NamedTuple):
    """
    The parts of an address, without its password.
    """

    scheme: str
    user: str | None
    has_password: bool
    hosts: str
    path: str
    query: list[tuple[str, str]]


def masked_url(url: str) -> str:
    """
    Hide the password of a URL, also one given as a parameter.

    What cannot be taken apart is hidden whole.
    """
    address = _taken_apart(url)
    if address is None:
        return MASK
    credentials = ""
    if address.user is not None:
        password = f":{MASK}" if address.has_password else ""
        credentials = f"{address.user}{password}@"
    pairs = [
        (name, MASK if _SECRET_PARAMETER.search(name) else value)
        for name, value in address.query
    ]
    query = urlencode(pairs, safe="*/")
    rest = f"{address.hosts}{address.path}{query and '?' + query}"
    return f"{address.scheme}://{credentials}{rest}"


def is_plain_address(url: str) -> bool:
    """
    Tell whether all readers of an address find the same parts in it.
    """
    return _taken_apart(url) is not None


def _taken_apart(url: str) -> _Address | None:
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return None
    user, password, path = found["user"], found["password"] or "", found["path"] or ""
    if _ENDS.search((user or "") + password) or "@" in path:
        return None
    if not all(map(_HOST.fullmatch, found["hosts"].split(","))):
        return None
    query = parse_qsl(found["query"] or "", keep_blank_values=True)
    if any("@" in name for name, _ in query):
        return None
    return _Address(
        scheme=found["scheme"],
        user=user,
        has_password=bool(found["colon"]),
        hosts=found["hosts"],
        path=path,
        query=query,
    )
