"""
A setting that can be set does something.
"""

from pathlib import Path

import pytest

from gateway.runtime.settings import setting_fields

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", sorted({field.path[-1] for field in setting_fields()}))
def test_a_setting_is_read(name: str) -> None:
    """
    Its name stands somewhere outside of the modules that declare and describe it.
    """
    modules = [
        path
        for folder in ("gateway", "till")
        for path in (ROOT / folder).rglob("*.py")
        if not path.name.startswith("settings")
    ]

    assert any(f".{name}" in path.read_text(encoding="utf-8") for path in modules)
