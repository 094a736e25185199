import hashlib
import hmac
from collections.abc import Callable

import pytest

from gateway.vault.errors import DecryptionError, VaultError
from gateway.vault.keyring import KeyedMac, LocalKeyring, Purpose
from gateway.vault.numbers import CardNumber, NumberVault

DIGITS = "6398123456789012349"
NUMBER = CardNumber(DIGITS)


def test_the_index_never_drifts(keyring: LocalKeyring) -> None:
    """
    The index of a number under a fixed root secret is this value for ever.

    The books find every card by it.
    """
    assert bytes.fromhex(
        "de7e5ebed7cf93e932a945923ca0f5bb084dc16a6089e11480e3b59acf262e79"
    ) == NumberVault(keyring).index(NUMBER)


def test_the_index_is_the_documented_hash(keyring: LocalKeyring) -> None:
    """
    Another program can compute it: HKDF-SHA-256 of the root, then HMAC-SHA-256.
    """
    extracted = hmac.digest(bytes(32), bytes(range(32)), hashlib.sha256)
    key = hmac.digest(extracted, b"scrip/v1/pan-index/1\x01", hashlib.sha256)
    expected = hmac.digest(key, b"pan\0" + DIGITS.encode(), hashlib.sha256)

    assert expected == NumberVault(keyring).index(NUMBER)


def test_a_read_number_has_the_index_of_the_issued_one(keyring: LocalKeyring) -> None:
    """
    What a till sends finds the card that was issued; another number does not.
    """
    vault = NumberVault(keyring)

    assert vault.index(NUMBER) == vault.index(CardNumber.read(DIGITS))
    assert vault.index(NUMBER) != vault.index(CardNumber.read(DIGITS[:-1] + "6"))


class _CountingKeyring:
    def __init__(self, keyring: LocalKeyring) -> None:
        self._keyring = keyring
        self.active_key_id = keyring.active_key_id
        self.key_ids = keyring.key_ids
        self.mac = keyring.mac
        self.cipher = keyring.cipher
        self.derivations = 0

    def keyed_mac(self, purpose: Purpose, key_id: int) -> KeyedMac:
        self.derivations += 1
        return self._keyring.keyed_mac(purpose, key_id)


def test_the_index_key_is_derived_once(keyring: LocalKeyring) -> None:
    """
    The hot path asks the key ring for nothing.
    """
    counting = _CountingKeyring(keyring)
    vault = NumberVault(counting)
    for _ in range(10):
        vault.index(NUMBER)

    assert counting.derivations == 1


def test_a_number_comes_back_for_its_card(keyring: LocalKeyring) -> None:
    """
    A ciphertext holds the number for one card, in no two ways the same.
    """
    vault = NumberVault(keyring)
    blobs = {vault.encrypt(7, NUMBER) for _ in range(50)}

    assert len(blobs) == 50
    assert {NUMBER} == {vault.decrypt(7, blob) for blob in blobs}


def test_a_ciphertext_has_the_documented_layout(keyring: LocalKeyring) -> None:
    """
    Key id (4 bytes), nonce (12), ciphertext, tag (16), bound to card and key.

    The database holds ciphertexts for years, so this one must open for ever.
    """
    blob = bytes.fromhex(
        "00000001a0a1a2a3a4a5a6a7a8a9aaab25bd4080f7ea7c3f8fdd74d3e46c7782"
        "2dda990e5f29095658b003ff3ab2efbba1f218"
    )
    nonce = blob[4:16]
    sealed = keyring.cipher(Purpose.PAN_ENC, 1).encrypt(
        nonce, DIGITS.encode(), b"scrip|card|7|1"
    )

    assert NUMBER == NumberVault(keyring).decrypt(7, blob)
    assert blob == b"\0\0\0\1" + nonce + sealed


def test_old_ciphertexts_open_after_a_rotation(keyring: LocalKeyring) -> None:
    """
    New numbers go under the new key while old ciphertexts still open.
    """
    old = NumberVault(keyring).encrypt(7, NUMBER)
    keyring.activate(Purpose.PAN_ENC, keyring.add_key(Purpose.PAN_ENC))
    rotated = NumberVault(keyring)
    new = rotated.encrypt(7, NUMBER)

    assert (1, 2) == (int.from_bytes(old[:4]), int.from_bytes(new[:4]))
    assert rotated.encryption_key_id == 2
    assert NUMBER == rotated.decrypt(7, old) == rotated.decrypt(7, new)


def test_the_index_and_the_encryption_rotate_alone(keyring: LocalKeyring) -> None:
    """
    A new index key changes every index and no ciphertext.
    """
    before = NumberVault(keyring)
    keyring.activate(Purpose.PAN_INDEX, keyring.add_key(Purpose.PAN_INDEX))
    after = NumberVault(keyring)

    assert (1, 2) == (before.index_key_id, after.index_key_id)
    assert before.encryption_key_id == after.encryption_key_id
    assert before.index(NUMBER) != after.index(NUMBER)
    assert NUMBER == after.decrypt(7, before.encrypt(7, NUMBER))


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 31])
def test_a_cut_ciphertext_is_refused(keyring: LocalKeyring, length: int) -> None:
    """
    Too short for a header or a tag is the same refusal as any other.
    """
    vault = NumberVault(keyring)
    blob = vault.encrypt(7, NUMBER)

    with pytest.raises(DecryptionError):
        vault.decrypt(7, blob[:length])


@pytest.mark.parametrize("key_id", [0, 2, 0xFFFFFFFF])
def test_a_ciphertext_of_an_unknown_key_is_refused(
    keyring: LocalKeyring, key_id: int
) -> None:
    """
    A key id that the key ring does not hold opens nothing and derives nothing.
    """
    vault = NumberVault(keyring)
    blob = key_id.to_bytes(4) + vault.encrypt(7, NUMBER)[4:]

    with pytest.raises(DecryptionError):
        vault.decrypt(7, blob)


def test_a_refusal_tells_neither_number_nor_key(
    keyring: LocalKeyring, told_by: Callable[[Callable[[], object]], str]
) -> None:
    """
    Nothing on the way of a failed decryption holds the digits or a key.
    """
    vault = NumberVault(keyring)
    blob = vault.encrypt(7, NUMBER)
    told = told_by(lambda: vault.decrypt(8, blob))

    assert DIGITS[:8] not in told
    assert "hidden" in told
    assert issubclass(DecryptionError, VaultError)
