"""
Settings are shown without secrets, handed on with them, and documented as they are.
"""

from pathlib import Path

import pytest

from gateway.runtime.addresses import masked_url
from gateway.runtime.settings import Settings, load_settings, setting_fields
from gateway.runtime.settings_reference import PATH, main, reference_text
from gateway.runtime.settings_view import (
    child_environment,
    describe,
    setting_lines,
    settings_environment,
)

ENV = {
    "SCRIP_POSTGRES__URL": "postgresql://user:hunter2@h1:1,h2/db?sslpassword=hunter3",
    "SCRIP_REDIS__URL": "redis://:hunter4@host:6379/0",
    "SCRIP_WORKERS": "4",
    "SCRIP_DATA_FOLDER": "/data",
}


def test_no_secret_is_shown() -> None:
    """
    Passwords are masked, also inside of addresses; the rest of those is shown.
    """
    text = describe(load_settings(ENV))

    assert "hunter" not in text
    assert "postgresql://user:****@h1:1,h2/db?sslpassword=****" in text
    assert "redis://:****@host:6379/0" in text


def test_what_is_not_the_default_is_marked() -> None:
    """
    A star shows what somebody has set.
    """
    text = describe(load_settings(ENV))
    marked = {line.split()[1] for line in text.splitlines() if line.startswith("*")}

    assert set(ENV) == marked
    assert all(line.is_default for line in setting_lines(Settings()))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://user@/db?host=/tmp/x", "postgresql://user@/db?host=/tmp/x"),
        ("postgresql://h/d?password=x&a=b", "postgresql://h/d?password=****&a=b"),
        ("unix:///tmp/valkey.sock", "unix:///tmp/valkey.sock"),
        ("redis://u:p@ss@host/0", "redis://u:****@host/0"),
        ("redis://:hunter2@host", "redis://:****@host"),
        ("postgresql://u@[::1]:5432/db", "postgresql://u@[::1]:5432/db"),
        ("postgresql://u:hun/ter2@host/db", "****"),
        ("postgresql://u:12/hunter2@host/db", "****"),
        ("postgresql://u:hun?ter2@host/db", "****"),
        ("postgresql://u:hun?a=ter2@host/db", "****"),
        ("postgresql://u:hun#ter2@host/db", "****"),
        ("postgresql://h?password=hunter2@y", "****"),
        ("postgresql://u:hunter2", "****"),
        ("password=hunter2 host=x", "****"),
        ("postgresql://[::1/x", "****"),
    ],
)
def test_a_url_is_masked_or_hidden_whole(url: str, expected: str) -> None:
    """
    Only what can be taken apart is shown.
    """
    assert expected == masked_url(url)


def test_a_child_loads_equal_settings() -> None:
    """
    Workers get what the supervisor was given, secrets and all.
    """
    settings = load_settings(ENV, {"lane.queue_limit": 512, "metrics.port": 9100})

    assert settings == load_settings(settings_environment(settings))
    assert settings == load_settings(child_environment(settings))
    assert settings_environment(Settings()) == {}


def test_the_reference_is_what_the_settings_say() -> None:
    """
    docs/reference/settings.md names every variable and has not drifted.
    """
    page = Path(__file__).parents[3] / PATH
    text = reference_text()

    assert [] == [f.env_name for f in setting_fields() if f.env_name not in text]
    assert text == page.read_text(encoding="utf-8"), main.__module__
    assert main(["--check", "--path", str(page)]) == 0


def test_a_drifted_reference_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The check fails on a page that is missing or old, and says what to run.
    """
    page = tmp_path / "settings.md"

    assert main(["--check", "--path", str(page)]) == 1
    assert "python -m gateway.runtime.settings_reference" in capsys.readouterr().err
    assert main(["--path", str(page)]) == 0
    assert main(["--check", "--path", str(page)]) == 0
    page.write_text("old")
    assert main(["--check", "--path", str(page)]) == 1
