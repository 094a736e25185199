"""
What kind of server was found at start-up, and what should be said about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OLDEST_REDIS: Final = (7, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """
    The server as it was found. Not reachable, it is taken as it will come.

    `is_supported` is False for a server that has no functions: it would be skipped
    for ever, so a start should be refused.
    """

    name: str
    version: str
    is_reachable: bool
    is_supported: bool
    warnings: tuple[str, ...]


def unreachable(reason: str) -> ServerReport:
    """
    Report a server that did not answer.
    """
    return ServerReport(
        name="unknown",
        version="unknown",
        is_reachable=False,
        is_supported=True,
        warnings=(
            f"Redis does not answer ({reason}): budgets are local until it does",
        ),
    )


def judge_server(info: Mapping[str, str]) -> ServerReport:
    """
    Judge a server by what it answers to INFO.
    """
    is_valkey = info.get("server_name") == "valkey" or "valkey_version" in info
    name = "Valkey" if is_valkey else "Redis"
    version = info.get("valkey_version") or info.get("redis_version", "unknown")
    is_supported = is_valkey or _numbers(version) >= OLDEST_REDIS
    warnings = []
    if not is_supported:
        warnings.append(f"{name} {version} has no functions: use Redis 7.0 or Valkey")
    policy = info.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        warnings.append(
            f"maxmemory-policy is {policy}: {name} may forget budgets when its memory"
            " is full; set it to noeviction"
        )
    return ServerReport(
        name=name,
        version=version,
        is_reachable=True,
        is_supported=is_supported,
        warnings=tuple(warnings),
    )


def parse_info(text: str) -> dict[str, str]:
    """
    Read the lines of INFO.
    """
    pairs = (line.partition(":") for line in text.splitlines() if line[:1] != "#")
    return {name: value for name, colon, value in pairs if colon}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
