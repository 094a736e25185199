"""
Settings shown to people and handed to child processes.

`describe` is what `scrip check-config` prints: nothing in it is a secret.
`settings_environment` is the opposite: the variables that make a child process
load the very same settings, secrets included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from gateway.runtime.addresses import MASK, masked_url
from gateway.runtime.settings import (
    SettingField,
    inherited_environment,
    setting_fields,
)

if TYPE_CHECKING:
    from gateway.runtime.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLine:
    """
    One setting as it may be shown.
    """

    env_name: str
    shown: str
    description: str
    is_default: bool


def setting_lines(settings: Settings) -> list[SettingLine]:
    """
    List all settings with their values, secrets masked.
    """
    return [
        SettingLine(
            env_name=field.env_name,
            shown=_shown(field.value_in(settings)),
            description=field.info.description or "",
            is_default=_is_default(field, settings),
        )
        for field in setting_fields()
    ]


def describe(settings: Settings) -> str:
    """
    Write all settings as text, a star before each that is not the default.
    """
    lines = setting_lines(settings)
    width = max(len(line.env_name) for line in lines)
    return "\n".join(
        f"{' ' if line.is_default else '*'} {line.env_name:<{width}} = {line.shown}"
        for line in lines
    )


def settings_environment(settings: Settings) -> dict[str, str]:
    """
    Give the variables from which `load_settings` builds equal settings.

    Secrets are in it in clear, so it is for the environment of a child only.
    """
    environment: dict[str, str] = {}
    for field in setting_fields():
        if _is_default(field, settings):
            continue
        value = field.value_in(settings)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        environment[field.env_name] = str(value)
    return environment


def child_environment(settings: Settings) -> dict[str, str]:
    """
    Give the whole environment of a child process that shall have these settings.
    """
    return inherited_environment() | settings_environment(settings)


def _shown(value: object) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return masked_url(text) if "://" in text else MASK
    return str(value)


def _is_default(field: SettingField, settings: Settings) -> bool:
    """
    Compare with a default that went through the same checks (`~` expanded).
    """
    return field.value_in(settings) == field.value_in(type(settings)())
