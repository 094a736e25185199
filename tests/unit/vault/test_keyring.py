import copy
import hashlib
import hmac
import json
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.vault.approval import ApprovalCodes
from gateway.vault.errors import (
    KeyringFileError,
    KeyUseError,
    UnknownKeyError,
)
from gateway.vault.fingerprints import Fingerprinter
from gateway.vault.keyring import KeyState, LocalKeyring, Purpose, RootSecret
from gateway.vault.numbers import NumberVault

FIXED_ROOT = bytes(range(32))
FIXED_ROOT_HEX = FIXED_ROOT.hex()

Document = dict[str, Any]


def _document(path: Path) -> Document:
    document: Document = json.loads(path.read_bytes())
    return document


def test_a_new_key_ring_is_private_and_has_one_key_for_each_purpose(
    tmp_path: Path,
) -> None:
    """
    The file is 0600 in a folder of 0700, with key 1 ACTIVE for each purpose.
    """
    path = tmp_path / "vault" / "keyring.json"
    keyring = LocalKeyring.open_or_create(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {purpose: {1: KeyState.ACTIVE} for purpose in Purpose} == {
        purpose: keyring.key_states(purpose) for purpose in Purpose
    }


def test_each_new_key_ring_has_a_root_secret_of_its_own(tmp_path: Path) -> None:
    """
    Two installations share no key.
    """
    first, second = (
        LocalKeyring.open_or_create(tmp_path / name).mac(Purpose.PAN_INDEX, 1, b"x")
        for name in ("a", "b")
    )

    assert first != second
    assert len(bytes.fromhex(_document(tmp_path / "a")["root_secret"])) == 32


def test_opening_again_gives_the_same_keys(tmp_path: Path) -> None:
    """
    A second start changes nothing in the file and derives the same keys.
    """
    path = tmp_path / "keyring.json"
    first = LocalKeyring.open_or_create(path)
    content = path.read_bytes()
    second, third = LocalKeyring.open_or_create(path), LocalKeyring.open(path)

    assert content == path.read_bytes()
    assert first.mac(Purpose.FINGERPRINT, 1, b"x") == second.mac(
        Purpose.FINGERPRINT, 1, b"x"
    )
    assert first.mac(Purpose.FINGERPRINT, 1, b"x") == third.mac(
        Purpose.FINGERPRINT, 1, b"x"
    )


def test_a_missing_file_is_not_made_by_opening(tmp_path: Path) -> None:
    """
    `open` is for an installation that must have its keys already.
    """
    with pytest.raises(FileNotFoundError):
        LocalKeyring.open(tmp_path / "keyring.json")

    assert list(tmp_path.iterdir()) == []


def test_creating_over_a_key_ring_is_refused(keyring: LocalKeyring) -> None:
    """
    A root secret in use is never overwritten.
    """
    path = keyring.path
    content = path.read_bytes()

    with pytest.raises(KeyringFileError, match="exists already"):
        LocalKeyring.create(path, root=RootSecret(bytes(32)))

    assert content == path.read_bytes()


def test_starting_together_makes_one_key_ring(tmp_path: Path) -> None:
    """
    Of eight that start at once all have the keys of the one that was kept.
    """
    path = tmp_path / "keyring.json"
    with ThreadPoolExecutor(8) as pool:
        keyrings = list(pool.map(LocalKeyring.open_or_create, [path] * 8))

    assert len({ring.mac(Purpose.PAN_INDEX, 1, b"x") for ring in keyrings}) == 1


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.PAN_ENC])
def test_keys_are_derived_as_documented(
    keyring: LocalKeyring, purpose: Purpose
) -> None:
    """
    HKDF-SHA-256 of the root with the purpose and key id, recomputed here by hand.
    """
    extracted = hmac.digest(bytes(32), FIXED_ROOT, hashlib.sha256)
    info = f"scrip/v1/{purpose.value}/1".encode()
    key = hmac.digest(extracted, info + b"\x01", hashlib.sha256)
    expected = hmac.digest(key, b"data", hashlib.sha256)

    assert expected == keyring.mac(purpose, 1, b"data")
    assert expected == keyring.keyed_mac(purpose, 1)(b"data")


def test_no_two_keys_are_alike(keyring: LocalKeyring) -> None:
    """
    Each purpose and each key id gives another hash of the same data.
    """
    purposes = (Purpose.FINGERPRINT, Purpose.APPROVAL_CODE, Purpose.PAN_INDEX)
    for purpose in purposes:
        keyring.add_key(purpose)
    macs = {
        keyring.mac(purpose, key_id, b"x") for purpose in purposes for key_id in (1, 2)
    }

    assert len(macs) == 6


def test_a_key_serves_its_purpose_only(keyring: LocalKeyring) -> None:
    """
    An encryption key does not hash and a hashing key does not encrypt.
    """
    with pytest.raises(KeyUseError):
        keyring.mac(Purpose.PAN_ENC, 1, b"x")
    with pytest.raises(KeyUseError):
        keyring.cipher(Purpose.PAN_INDEX, 1)


@pytest.mark.parametrize("key_id", [-1, 0, 2])
def test_an_unknown_key_is_refused(keyring: LocalKeyring, key_id: int) -> None:
    """
    Only ids that the file lists have a key, though any could be derived.
    """
    with pytest.raises(UnknownKeyError):
        keyring.mac(Purpose.PAN_INDEX, key_id, b"x")
    with pytest.raises(UnknownKeyError):
        keyring.cipher(Purpose.PAN_ENC, key_id)
    with pytest.raises(UnknownKeyError):
        keyring.activate(Purpose.PAN_ENC, key_id)


def test_a_rotation_goes_through_its_states(keyring: LocalKeyring) -> None:
    """
    PENDING, then ACTIVE while the former becomes DECRYPT_ONLY, each step durable.
    """
    purpose = Purpose.PAN_ENC

    assert keyring.add_key(purpose) == 2
    assert keyring.active_key_id(purpose) == 1
    assert {1: KeyState.ACTIVE, 2: KeyState.PENDING} == LocalKeyring.open(
        keyring.path
    ).key_states(purpose)

    keyring.activate(purpose, 2)

    assert keyring.active_key_id(purpose) == 2
    assert {1: KeyState.DECRYPT_ONLY, 2: KeyState.ACTIVE} == LocalKeyring.open(
        keyring.path
    ).key_states(purpose)
    assert {1: KeyState.ACTIVE} == keyring.key_states(Purpose.PAN_INDEX)


def test_a_rotation_can_be_taken_back(keyring: LocalKeyring) -> None:
    """
    The former key becomes ACTIVE again, and activating it twice changes nothing.
    """
    purpose = Purpose.PAN_ENC
    keyring.activate(purpose, keyring.add_key(purpose))
    for _ in range(2):
        keyring.activate(purpose, 1)

    assert {1: KeyState.ACTIVE, 2: KeyState.DECRYPT_ONLY} == keyring.key_states(purpose)


def test_a_pending_key_reads_already(keyring: LocalKeyring) -> None:
    """
    Before any process writes under a new key, every process can read under it.
    """
    key_id = keyring.add_key(Purpose.PAN_ENC)
    sealed = keyring.cipher(Purpose.PAN_ENC, key_id).encrypt(bytes(12), b"1", b"")
    other = LocalKeyring.open(keyring.path)

    assert b"1" == other.cipher(Purpose.PAN_ENC, key_id).decrypt(bytes(12), sealed, b"")


def test_two_processes_that_add_keys_lose_none(keyring: LocalKeyring) -> None:
    """
    A key ring that was opened before another process added a key keeps that key.
    """
    other = LocalKeyring.open(keyring.path)

    assert [2, 3, 4] == [
        keyring.add_key(Purpose.PAN_ENC),
        other.add_key(Purpose.PAN_ENC),
        keyring.add_key(Purpose.PAN_ENC),
    ]


def test_a_key_ring_is_not_changed_through_another_ones_file(
    keyring: LocalKeyring, tmp_path: Path
) -> None:
    """
    A file that was exchanged under a running process is not rotated by it.
    """
    other = LocalKeyring.open_or_create(tmp_path / "other.json")
    other.path.replace(keyring.path)

    with pytest.raises(KeyringFileError, match="another key ring"):
        keyring.add_key(Purpose.PAN_ENC)


def test_a_file_without_a_newer_purpose_opens(keyring: LocalKeyring) -> None:
    """
    A purpose that the file does not name has key 1, the same in every process.
    """
    expected = keyring.mac(Purpose.APPROVAL_CODE, 1, b"x")
    document = _document(keyring.path)
    del document["keys"]["approval-code"]
    keyring.path.write_text(json.dumps(document))
    opened = LocalKeyring.open(keyring.path)

    assert opened.active_key_id(Purpose.APPROVAL_CODE) == 1
    assert expected == opened.mac(Purpose.APPROVAL_CODE, 1, b"x")
    assert opened.add_key(Purpose.APPROVAL_CODE) == 2


def test_a_purpose_of_a_newer_program_is_kept(keyring: LocalKeyring) -> None:
    """
    A program of the last release, brought back, loses no key of the next.
    """
    document = _document(keyring.path)
    future = [{"id": 1, "state": "DECRYPT_ONLY"}, {"id": 2, "state": "ACTIVE"}]
    document["keys"]["pin-mac"] = future
    keyring.path.write_text(json.dumps(document))
    LocalKeyring.open(keyring.path).add_key(Purpose.PAN_ENC)

    assert future == _document(keyring.path)["keys"]["pin-mac"]


def test_no_object_of_the_vault_shows_or_gives_away_a_key(
    keyring: LocalKeyring,
) -> None:
    """
    Printed, the objects show ids; copied or pickled, they refuse.
    """
    objects = [
        keyring,
        RootSecret(FIXED_ROOT),
        keyring.keyed_mac(Purpose.PAN_INDEX, 1),
        keyring.cipher(Purpose.PAN_ENC, 1),
        NumberVault(keyring),
        Fingerprinter(keyring),
        ApprovalCodes(keyring),
    ]
    for holder in objects:
        for carry in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="not copied or pickled"):
                carry(holder)
        with pytest.raises(TypeError):
            vars(holder)
    shown = [f"{holder} {holder!r}" for holder in objects]

    assert all(FIXED_ROOT_HEX not in text for text in shown)
    assert all("\\x" not in text for text in shown)
    assert all(" object at 0x" not in text for text in shown)
