import pytest

from gateway.live.errors import RedisLostError
from gateway.live.link import Link


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", ""])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    """
    Only redis://, rediss:// and unix:// are addresses of Redis.
    """
    with pytest.raises(ValueError, match="redis://, rediss://, unix://"):
        Link(url, name="test", timeout_ms=50, on_event=lambda _: None)


async def test_a_password_is_in_no_error() -> None:
    """
    What is logged of a failed log-in or connection does not tell the password.
    """
    link = Link(
        "redis://scrip:open-sesame@127.0.0.1:1/0",
        name="test",
        timeout_ms=500,
        on_event=lambda _: None,
    )
    with pytest.raises(RedisLostError) as caught:
        await link.call("PING")

    assert "127.0.0.1" in str(caught.value)
    assert "open-sesame" not in str(caught.value)
    assert "open-sesame" not in repr(link)
