"""
Open the key ring, and make sure that it is the one of these books.

With another one nothing fails: every card is unknown (14), and every retry of a sale
that was done is a DUPLICATE (94), which a till takes for "not paid". A ring that was
lost, or a second machine without a copy, must not serve.
"""

import hmac
from typing import Final

from gateway.domain.ids import TransactionId
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.logging import get_logger
from gateway.runtime.settings import Settings
from gateway.vault.approval import ApprovalCodes
from gateway.vault.keyring import LocalKeyring, Purpose

_log: Final = get_logger("key ring")


class ForeignKeyRingError(Exception):
    """
    The key ring is not the one that these books were written with.
    """


def open_key_ring(
    settings: Settings, last_approval: tuple[TransactionId, str] | None
) -> LocalKeyring:
    """
    Open the key ring of the settings, or make one for books that are new.

    The newest approval code in the books proves which ring wrote them. In a folder for
    tests, whose books may be made up, a foreign one is a warning.

    Raises:
        VaultError: the file cannot be used.
        ForeignKeyRingError: another ring wrote these books.

    """
    folder = DataFolder(settings.data_folder)
    path = settings.key_ring_file or folder.key_ring_path
    key_ring = LocalKeyring.open_or_create(path)
    if last_approval is None or _has_made(key_ring, *last_approval):
        return key_ring
    message = (
        f"{path} is not the key ring that these books were written with: every card "
        "would be unknown. Put that one in its place, or name it by "
        "SCRIP_KEY_RING_FILE; without it the cards are lost"
    )
    if not folder.is_marked_for_tests():
        raise ForeignKeyRingError(message)
    _log.warning("foreign key ring", why=message)
    return key_ring


def _has_made(key_ring: LocalKeyring, transaction_id: TransactionId, code: str) -> bool:
    """
    Tell whether a code was made with one of the ring's keys, active or retired.
    """
    codes = ApprovalCodes(key_ring)
    return any(
        hmac.compare_digest(codes.code(transaction_id, key_id), code)
        for key_id in key_ring.key_states(Purpose.APPROVAL_CODE)
    )
