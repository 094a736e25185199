import uuid

import pytest

from gateway.vault.approval import APPROVAL_CODE_ALPHABET, ApprovalCodes
from gateway.vault.keyring import LocalKeyring, Purpose

TRANSACTION_ID = uuid.UUID("018f3a5c-7d1e-7c4b-9a2f-0123456789ab").bytes


def test_the_code_never_drifts(keyring: LocalKeyring) -> None:
    """
    The code of a transaction under a fixed root secret is this one for ever.

    A replay must print what the first answer printed.
    """
    assert ApprovalCodes(keyring).code(TRANSACTION_ID) == "GQKAJ2"


def test_the_alphabet_has_no_sign_that_looks_like_another() -> None:
    """
    32 signs of A to Z and 2 to 9, without O and I: five bits each.
    """
    assert len(set(APPROVAL_CODE_ALPHABET)) == 32
    assert not set("01OI") & set(APPROVAL_CODE_ALPHABET)


def test_codes_use_every_sign_in_every_place(keyring: LocalKeyring) -> None:
    """
    Codes of counted transaction ids are spread over the whole alphabet.
    """
    codes = ApprovalCodes(keyring)
    made = [codes.code(number.to_bytes(16)) for number in range(3_000)]

    assert {len(code) for code in made} == {6}
    assert [set(APPROVAL_CODE_ALPHABET)] * 6 == [
        set(place) for place in zip(*made, strict=True)
    ]
    assert len(set(made)) > 2_990


def test_an_old_code_is_derived_again_under_its_own_key(keyring: LocalKeyring) -> None:
    """
    After a rotation the key id of a transaction still gives its code.
    """
    first = ApprovalCodes(keyring).code(TRANSACTION_ID)
    keyring.activate(Purpose.APPROVAL_CODE, keyring.add_key(Purpose.APPROVAL_CODE))
    rotated = ApprovalCodes(keyring)

    assert rotated.key_id == 2
    assert first == rotated.code(TRANSACTION_ID, 1)
    assert first != rotated.code(TRANSACTION_ID)
    assert rotated.code(TRANSACTION_ID) == rotated.code(TRANSACTION_ID, 2)


@pytest.mark.parametrize("length", [0, 15, 17, 36])
def test_only_sixteen_bytes_are_a_transaction_id(
    keyring: LocalKeyring, length: int
) -> None:
    """
    The text form of an id would give another code than its bytes: it is refused.
    """
    with pytest.raises(ValueError, match="16 bytes"):
        ApprovalCodes(keyring).code(bytes(length))
