"""
Settings come from the environment, bounded, and are refused all at once.
"""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.runtime.settings import (
    Settings,
    SettingsError,
    inherited_environment,
    load_settings,
    setting_fields,
)
from gateway.runtime.settings_groups import LaneSettings

# Endings that tell what a number counts; a bound without one cannot be judged.
UNITS = (
    *("_ms", "_s", "_bytes", "_limit", "_per_minute", "_per_terminal", "_per_store"),
    *("_percent", "port", "workers", "_streams", "_items"),
)


def faults_of(env: dict[str, str]) -> tuple[str, ...]:
    """
    Load and give what was wrong.
    """
    with pytest.raises(SettingsError) as error:
        load_settings(env)
    return error.value.faults


def test_an_empty_environment_is_enough() -> None:
    """
    Every setting has a working default.
    """
    settings = load_settings({})

    assert settings == Settings()
    assert settings.postgres.url is None
    assert Path.home() / ".local/share/scrip" == settings.data_folder


def test_values_come_from_variables_and_the_command_line_wins() -> None:
    """
    A variable sets its field; an override from the command line beats it.
    """
    env = {
        "SCRIP_LANE__QUEUE_LIMIT": "300",
        "SCRIP_LANE__BATCH_LIMIT": "8",
        "SCRIP_WORKERS": "2",
        "SCRIP_LOGGING__FORMAT": "console",
        "PATH": "/bin",
    }
    settings = load_settings(env, {"lane.batch_limit": 16, "metrics.port": 9100})

    assert settings.lane.queue_limit == 300
    assert settings.lane.batch_limit == 16
    assert settings.workers == 2
    assert settings.logging.format == "console"
    assert settings.metrics.port == 9100


def test_an_empty_value_counts_as_not_set() -> None:
    """
    Compose files write `NAME=` for what they leave alone.
    """
    assert Settings() == load_settings({"SCRIP_WORKERS": "", "SCRIP_REDIS__URL": ""})


def test_metrics_can_be_switched_off_by_word() -> None:
    """
    `off` is what a person writes for no port.
    """
    assert load_settings({"SCRIP_METRICS__PORT": "off"}).metrics.port is None


def test_all_faults_are_told_at_once_with_their_variables() -> None:
    """
    One start shows everything that is wrong: names, bounds, words and files.
    """
    faults = faults_of(
        {
            "SCRIP_LANE__QUEU_LIMIT": "300",
            "SCRIP_LANE__QUEUE_LIMIT": "many",
            "SCRIP_WORKERS": "0",
            "SCRIP_LOGGING__LEVEL": "loud",
            "SCRIP_REDIS__URL_FILE": "/no/such/file",
            "SCRIP_ODD": "1",
        }
    )

    names = sorted(fault.split(maxsplit=1)[0].rstrip(":") for fault in faults)
    assert names == [
        "SCRIP_LANE__QUEUE_LIMIT",
        "SCRIP_LANE__QUEU_LIMIT",
        "SCRIP_LOGGING__LEVEL",
        "SCRIP_ODD",
        "SCRIP_REDIS__URL_FILE",
        "SCRIP_WORKERS",
    ]


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SCRIP_LANE__QUEU_LIMIT": "1"}, "did you mean SCRIP_LANE__QUEUE_LIMIT?"),
        ({"SCRIP_WORKERS": "0"}, "greater than or equal to 1; the default is 1"),
        ({"SCRIP_METRICS__PORT": "x"}, "valid integer"),
        ({"SCRIP_POSTGRES__URL": "mysql://x"}, "postgresql:// or postgres://"),
        ({"SCRIP_REDIS__URL": "localhost"}, "redis:// or rediss:// or unix://"),
        (
            {"SCRIP_POSTGRES__LOCK_TIMEOUT_MS": "5000"},
            "must not exceed statement_timeout_ms",
        ),
        ({"SCRIP_LANE__QUEUE_LIMIT": "8"}, "must not exceed queue_limit"),
        ({"SCRIP_POSTGRES__OWNER_URL": "postgresql://h/d"}, "set both or neither"),
        ({"SCRIP_GRPC__CERTIFICATE_FILE": "/x"}, "set all three or none"),
        ({"SCRIP_SUPERVISOR__STOP_GRACE_S": "5"}, "must not be below"),
    ],
)
def test_a_fault_says_what_would_be_right(env: dict[str, str], said: str) -> None:
    """
    A message names the remedy, also for values that contradict each other.
    """
    (fault,) = faults_of(env)

    assert said in fault


def test_a_secret_never_stands_in_a_fault() -> None:
    """
    The password in a wrong address does not get into the error.
    """
    faults = faults_of({"SCRIP_POSTGRES__URL": "mysql://user:hunter2@host/db"})

    assert "hunter2" not in str(SettingsError(list(faults)))


@pytest.mark.parametrize("name", ["SCRIP_POSTGRES__URL", "SCRIP_REDIS__URL"])
@pytest.mark.parametrize("password", ["hun/ter2", "hun?ter2", "hun#ter2", "12/hunter2"])
def test_a_password_that_is_not_encoded(name: str, password: str) -> None:
    """
    It would be read as a port or a path, and shown as such: refused, with the remedy.
    """
    scheme = "redis" if "REDIS" in name else "postgresql"
    (fault,) = faults_of({name: f"{scheme}://user:{password}@host/0"})

    assert "/ is %2F" in fault
    assert "hun" not in fault
    assert "ter2" not in fault


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """
    The name with `_FILE` reads the secret; both at once are refused.
    """
    file = tmp_path / "url"
    file.write_text("postgresql://user:hunter2@host/db\n")
    name = "SCRIP_POSTGRES__URL"

    settings = load_settings({f"{name}_FILE": str(file)})

    assert settings.postgres.url is not None
    secret = settings.postgres.url.get_secret_value()
    assert secret == "postgresql://user:hunter2@host/db"
    (fault,) = faults_of({f"{name}_FILE": str(file), name: secret})
    assert "keep one of the two" in fault


def test_an_empty_secret_file_is_a_fault(tmp_path: Path) -> None:
    """
    A mounted secret that is empty must not silently mean an embedded server.
    """
    file = tmp_path / "url"
    file.write_text("\n")

    (fault,) = faults_of({"SCRIP_REDIS__URL_FILE": str(file)})

    assert "the file is empty" in fault


def test_settings_are_frozen_and_known() -> None:
    """
    Nothing changes after the start, and a group takes no unknown names.
    """
    with pytest.raises(ValidationError, match="frozen"):
        Settings().lane.queue_limit = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        LaneSettings.model_validate({"queue": 1})


def test_every_setting_is_described_bounded_and_has_a_unit() -> None:
    """
    A number has both bounds and a unit in its name; every field says what it is.
    """
    for field in setting_fields():
        assert field.info.description, field.env_name
        assert field.info.description.endswith("."), field.env_name
        if field.info.annotation in (int, int | None):
            bounds = {type(bound).__name__ for bound in field.info.metadata}
            assert {"Ge", "Le"} <= bounds, field.env_name
            assert field.path[-1].endswith(UNITS), field.env_name


def test_a_child_inherits_all_but_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What a child is told about settings comes from the settings alone.
    """
    monkeypatch.setenv("SCRIP_WORKERS", "3")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")

    inherited = inherited_environment()

    assert "SCRIP_WORKERS" not in inherited
    assert inherited["SOMETHING_ELSE"] == "kept"
