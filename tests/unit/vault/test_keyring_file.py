import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.vault.errors import PrivateFileError
from gateway.vault.keyring import LocalKeyring, Purpose, RootSecret

FIXED_ROOT = bytes(range(32))
FIXED_ROOT_HEX = FIXED_ROOT.hex()
ACTIVE = {"id": 1, "state": "ACTIVE"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o644])
def test_a_file_that_others_may_touch_is_refused(
    keyring: LocalKeyring, mode: int
) -> None:
    """
    A wider mode than 0600 stops the start: the secret may be known already.
    """
    keyring.path.chmod(mode)

    with pytest.raises(PrivateFileError, match=f"mode {mode:04o}, not 0600"):
        LocalKeyring.open(keyring.path)
    with pytest.raises(PrivateFileError, match="may be read or written by others"):
        LocalKeyring.open_or_create(keyring.path)


def test_a_narrower_mode_is_accepted(keyring: LocalKeyring) -> None:
    """
    A file that even its owner may only read opens.
    """
    keyring.path.chmod(0o400)

    assert LocalKeyring.open(keyring.path).active_key_id(Purpose.PAN_ENC) == 1


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("format", "other", "not the file of a key ring"),
        ("version", 2, "version other than 1"),
        ("root_secret", None, "no root secret"),
        ("root_secret", FIXED_ROOT_HEX[:-2], "not 32 bytes"),
        ("root_secret", "x" + FIXED_ROOT_HEX[1:], "not 32 bytes"),
        ("root_secret", FIXED_ROOT_HEX[:-1] + "e", "check value"),
        ("check", "0" * 16, "check value"),
        ("keys", [], "lists no keys"),
        ("keys.pan-enc", {}, "not a list"),
        ("keys.pan-enc", [], "exactly one ACTIVE"),
        ("keys.pan-enc", ["x"], "one was removed"),
        ("keys.pan-enc", [{**ACTIVE, "id": 2}], "one was removed"),
        (
            "keys.pan-enc",
            [ACTIVE, {"id": 2, "state": "ACTIVE"}],
            "exactly one ACTIVE",
        ),
        (
            "keys.pan-enc",
            [{"id": 1, "state": "PENDING"}],
            "exactly one ACTIVE",
        ),
        (
            "keys.pan-enc",
            [{"id": 1, "state": "DESTROYED"}],
            "state that this program does not know",
        ),
        ("keys.pan-enc", [{"id": 1, "state": []}], "does not know"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(
    keyring: LocalKeyring,
    place: str,
    value: object,
    message: str,
    told_by: Callable[[Callable[[], object]], str],
) -> None:
    """
    The error says what is wrong, and nothing on its way holds the root secret.
    """
    document: Any = json.loads(keyring.path.read_bytes())
    *parents, name = place.split(".")
    part = document
    for parent in parents:
        part = part[parent]
    part[name] = value
    keyring.path.write_text(json.dumps(document))
    told = told_by(lambda: LocalKeyring.open(keyring.path))

    assert message in told
    assert FIXED_ROOT_HEX[1:-2] not in told
    assert repr(FIXED_ROOT) not in told


@pytest.mark.parametrize("cut", [0, 1, -2])
def test_half_a_file_is_refused_without_telling_it(
    keyring: LocalKeyring, cut: int, told_by: Callable[[Callable[[], object]], str]
) -> None:
    """
    A parser's error holds the text it could not read; ours does not.
    """
    keyring.path.write_bytes(keyring.path.read_bytes()[:cut])
    told = told_by(lambda: LocalKeyring.open(keyring.path))

    assert "is not JSON" in told
    assert FIXED_ROOT_HEX not in told


def test_a_root_secret_of_another_length_is_refused(
    told_by: Callable[[Callable[[], object]], str],
) -> None:
    """
    31 of 32 bytes are almost the secret: the refusal does not show them.
    """
    told = told_by(lambda: RootSecret(FIXED_ROOT[:-1]))

    assert "32 bytes, not 31" in told
    assert repr(FIXED_ROOT)[2:12] not in told
