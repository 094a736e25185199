import pytest

from gateway.live.server_report import judge_server, parse_info

VALKEY = {
    "redis_version": "7.2.4",
    "server_name": "valkey",
    "valkey_version": "9.1.2",
    "maxmemory_policy": "noeviction",
}


def test_info_is_read_line_by_line() -> None:
    """
    Headings and empty lines are left out; values keep their colons.
    """
    text = "# Server\r\nredis_version:7.0.15\r\n\r\nexecutable:/a:b\r\n# Memory\r\n"

    assert parse_info(text) == {"redis_version": "7.0.15", "executable": "/a:b"}


def test_a_valkey_is_told_by_its_own_version() -> None:
    """
    Valkey also names a Redis version, for old clients: that is not its own.
    """
    report = judge_server(VALKEY)

    assert ("Valkey", "9.1.2") == (report.name, report.version)
    assert report.is_supported
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("version", "is_supported"),
    [
        ("6.2.14", False),
        ("7.0.0", True),
        ("7.4.1", True),
        ("10.0.1", True),
        ("", False),
    ],
)
def test_redis_is_supported_from_7_0(version: str, *, is_supported: bool) -> None:
    """
    Functions came with Redis 7.0; without them a start should be refused.
    """
    report = judge_server({"redis_version": version, "maxmemory_policy": "noeviction"})

    assert report.name == "Redis"
    assert report.is_supported is is_supported
    assert bool(report.warnings) is not is_supported


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", None])
def test_a_server_that_may_forget_is_warned_of(policy: str | None) -> None:
    """
    Every policy but noeviction, or one that is not told, is worth a warning.
    """
    info = {name: value for name, value in VALKEY.items() if name != "maxmemory_policy"}
    report = judge_server(info | ({"maxmemory_policy": policy} if policy else {}))

    assert report.is_supported
    assert len(report.warnings) == 1
    assert (policy or "unknown") in report.warnings[0]
