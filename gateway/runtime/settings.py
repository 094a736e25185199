"""
Everything that can be configured, in one frozen tree.

Built once at the start and passed down in parts, so no other module reads the
environment.  A name is `SCRIP_`, the group, two underscores, the field; a field
ends in its unit.  A secret may also be given as a file: the same name and `_FILE`.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway.runtime.settings_clerk import ClerkSettings
from gateway.runtime.settings_groups import (
    GrpcSettings,
    LaneSettings,
    LimitsSettings,
    LoggingSettings,
    MetricsSettings,
    PostgresSettings,
    RedisSettings,
    SupervisorSettings,
)
from gateway.runtime.settings_testing import RehearsalSettings
from gateway.runtime.settings_types import Folder, LocaleName, OptionalFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

ENV_PREFIX: Final = "SCRIP_"
ENV_DELIMITER: Final = "__"
FILE_SUFFIX: Final = "_FILE"

_SECRET_FILE_LIMIT_BYTES: Final = 64 * 1024


class SettingsError(Exception):
    """
    The settings are wrong; the message lists every fault with its remedy.
    """

    def __init__(self, faults: list[str]) -> None:
        """
        Keep the faults apart too, so that a test or a page can list them.
        """
        self.faults = tuple(faults)
        count = "A setting is" if len(faults) == 1 else f"{len(faults)} settings are"
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(
            f"{count} wrong:{lines}\nAll settings, their bounds and defaults: "
            "docs/reference/settings.md, or `scrip check-config`."
        )


class Settings(BaseSettings):
    """
    All settings of one process.

    Constructing it reads nothing from outside, so tests build what they need;
    `load_settings` is what reads the environment.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
    )

    data_folder: Folder = Field(
        default=Path("~/.local/share/scrip"),
        description="Where embedded stores, keys and certificates are kept.",
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="Gateway processes on the one port."
    )
    key_ring_file: OptionalFile = Field(
        default=None, description="The local key ring; unset: in the data folder."
    )
    locale: LocaleName = Field(
        default="en",
        description="How commands write money, figures and dates, as en or ar_KW.",
    )
    max_rate_jump_percent: int = Field(
        default=10,
        ge=1,
        le=1_000,
        description="A rate that moves by more needs a second person's approval.",
    )
    postgres: PostgresSettings = PostgresSettings()
    redis: RedisSettings = RedisSettings()
    grpc: GrpcSettings = GrpcSettings()
    lane: LaneSettings = LaneSettings()
    limits: LimitsSettings = LimitsSettings()
    clerk: ClerkSettings = ClerkSettings()
    logging: LoggingSettings = LoggingSettings()
    metrics: MetricsSettings = MetricsSettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    test: RehearsalSettings = RehearsalSettings()

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.supervisor.stop_grace_s < self.grpc.drain_grace_s:
            message = (
                "supervisor.stop_grace_s must not be below grpc.drain_grace_s: workers "
                "would be killed while they drain; raise the first or lower the last"
            )
            raise ValueError(message)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """
        Take values from the constructor alone.
        """
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """
    One setting: where it is in the tree and what it is called outside.
    """

    path: tuple[str, ...]
    info: FieldInfo

    @property
    def env_name(self) -> str:
        """
        Give the name of the environment variable.
        """
        return ENV_PREFIX + ENV_DELIMITER.join(self.path).upper()

    @property
    def is_secret(self) -> bool:
        """
        Tell whether the value must never be shown.
        """
        annotation = self.info.annotation
        return SecretStr in (annotation, *get_args(annotation))

    def value_in(self, settings: Settings) -> object:
        """
        Look the value up in a tree.
        """
        value: object = settings
        for name in self.path:
            value = getattr(value, name)
        return value


def setting_fields(
    model: type[BaseModel] = Settings, path: tuple[str, ...] = ()
) -> Iterator[SettingField]:
    """
    Walk all settings in the order in which they are declared.
    """
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from setting_fields(annotation, (*path, name))
        else:
            yield SettingField(path=(*path, name), info=info)


class _MappingSource(EnvSettingsSource):
    """
    The library's reading of environment variables, from a mapping we are given.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._env.items()}


def load_settings(
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """
    Build the settings from the environment, or say all that is wrong with it.

    An unknown `SCRIP_` name is a fault too: a misspelt limit would otherwise be
    no limit, silently.  An empty value counts as not set, as compose files write it.

    Args:
        env: Variables to read instead of the process's own.
        overrides: Values from the command line by dotted path (`lane.queue_limit`).

    Raises:
        SettingsError: With one line a fault.

    """
    source = os.environ if env is None else env
    faults: list[str] = []
    known = _known_variables(source, faults)
    values: dict[str, Any] = _MappingSource(known)()
    for path, value in (overrides or {}).items():
        group: dict[str, Any] = values
        *parents, leaf = path.split(".")
        for parent in parents:
            group = group.setdefault(parent, {})
        group[leaf] = value
    try:
        settings = Settings(**values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        faults.extend(_fault_of(detail) for detail in details)
    else:
        if not faults:
            return settings
    raise SettingsError(faults)


def inherited_environment() -> dict[str, str]:
    """
    Give what a child process inherits besides its settings: paths, locale, home.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ENV_PREFIX)
    }


def _known_variables(source: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    """
    Pick our variables, with the contents of secrets' files put in their place.
    """
    fields = {field.env_name: field for field in setting_fields()}
    files = {
        name + FILE_SUFFIX: name for name, field in fields.items() if field.is_secret
    }
    known: dict[str, str] = {}
    for name, value in source.items():
        if not name.startswith(ENV_PREFIX) or not value:
            continue
        if name in fields:
            known[name] = value
        elif name not in files:
            close = difflib.get_close_matches(name, [*fields, *files], n=1, cutoff=0.8)
            hint = f"did you mean {close[0]}?" if close else "remove it"
            faults.append(f"{name}: there is no such setting; {hint}")
    for file_name, name in files.items():
        if not source.get(file_name):
            continue
        if name in known:
            faults.append(f"{file_name}: {name} is set as well; keep one of the two")
            continue
        try:
            known[name] = _secret_in(Path(source[file_name]))
        except (OSError, ValueError) as error:
            faults.append(f"{file_name}: cannot be read ({error}); name a text file")
    return known


def _secret_in(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        text = file.read(_SECRET_FILE_LIMIT_BYTES).strip()
    if not text:
        message = "the file is empty"
        raise ValueError(message)
    return text


def _fault_of(detail: ErrorDetails) -> str:
    """
    Say in one line which variable is wrong, why, and what would be right.
    """
    path = tuple(str(part) for part in detail["loc"])
    why = detail["msg"].removeprefix("Value error, ")
    why = why[:1].lower() + why[1:]
    field = next((field for field in setting_fields() if field.path == path), None)
    if field is None:
        where = ENV_PREFIX + ENV_DELIMITER.join(path).upper() if path else "settings"
        return f"{where}: {why}"
    got = "" if field.is_secret else f" = {detail['input']!r}"
    purpose = (field.info.description or "").rstrip(".")
    default = field.info.default
    remedy = "leave it out" if default is None else f"the default is {default}"
    return f"{field.env_name}{got}: {why}; {remedy} ({purpose})"
