"""
A worker serves with the key ring that wrote its books, and with no other.
"""

from pathlib import Path

import pytest

from gateway.bootstrap.key_ring import ForeignKeyRingError, open_key_ring
from gateway.domain.ids import TransactionId
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.settings import Settings
from gateway.vault.approval import ApprovalCodes
from gateway.vault.keyring import LocalKeyring, Purpose

SOLD = TransactionId(bytes(range(16)))


def settings_in(folder: Path) -> Settings:
    """
    Make the settings of a data folder.
    """
    return Settings(data_folder=folder)


def approval_of(folder: Path) -> tuple[TransactionId, str]:
    """
    Approve a transaction with the key ring of a folder.
    """
    key_ring = open_key_ring(settings_in(folder), None)
    return SOLD, ApprovalCodes(key_ring).code(SOLD)


def test_new_books_get_a_new_ring(tmp_path: Path) -> None:
    """
    Where nothing was approved yet, a ring is made, or the one that is there is taken.
    """
    first = open_key_ring(settings_in(tmp_path), None)
    again = open_key_ring(settings_in(tmp_path), approval_of(tmp_path))

    assert DataFolder(tmp_path).key_ring_path == first.path == again.path


def test_a_rotated_ring_is_the_same_ring(tmp_path: Path) -> None:
    """
    A code under a retired key proves it as well.
    """
    approval = approval_of(tmp_path)
    key_ring = LocalKeyring.open(DataFolder(tmp_path).key_ring_path)
    key_id = key_ring.add_key(Purpose.APPROVAL_CODE)
    key_ring.activate(Purpose.APPROVAL_CODE, key_id)

    again = open_key_ring(settings_in(tmp_path), approval)

    assert again.active_key_id(Purpose.APPROVAL_CODE) == key_id


def test_a_foreign_ring_is_refused(tmp_path: Path) -> None:
    """
    The message names the file, and what must stand in its place.
    """
    approval = approval_of(tmp_path / "one")
    other = settings_in(tmp_path / "two")

    with pytest.raises(ForeignKeyRingError, match=r"two/keys/keyring\.json is not"):
        open_key_ring(other, approval)


def test_a_folder_for_tests_may_have_one(tmp_path: Path) -> None:
    """
    Its books may be made up.
    """
    approval = approval_of(tmp_path / "one")
    DataFolder(tmp_path / "two").mark_for_tests()

    found = open_key_ring(settings_in(tmp_path / "two"), approval)

    assert found.path == DataFolder(tmp_path / "two").key_ring_path
