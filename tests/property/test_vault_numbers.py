import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.vault.card_number import CardNumber
from gateway.vault.errors import DecryptionError
from gateway.vault.keyring import LocalKeyring, RootSecret
from gateway.vault.luhn import is_luhn_valid, luhn_check_digit
from gateway.vault.numbers import NumberVault

digit_texts = st.text("0123456789", min_size=1, max_size=31)
numbers = st.text("0123456789", min_size=1, max_size=32).map(CardNumber.read)
card_ids = st.integers(0, 2**63 - 1)
roots = st.binary(min_size=32, max_size=32)


def _vault(root: bytes) -> NumberVault:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keyring.json"
        return NumberVault(LocalKeyring.create(path, root=RootSecret(root)))


VAULT = _vault(bytes(32))


@given(body=digit_texts)
def test_a_number_with_its_check_digit_is_valid(body: str) -> None:
    """
    The digit that is computed is the one that is accepted, and the only one.
    """
    check = luhn_check_digit(body)

    assert [check] == [d for d in "0123456789" if is_luhn_valid(body + d)]


@given(body=digit_texts, data=st.data())
def test_every_single_wrong_digit_is_caught(body: str, data: st.DataObject) -> None:
    """
    One mistyped digit anywhere, the check digit included, makes a number invalid.
    """
    valid = body + luhn_check_digit(body)
    place = data.draw(st.integers(0, len(valid) - 1))
    wrong = data.draw(st.sampled_from("0123456789".replace(valid[place], "")))

    assert not is_luhn_valid(valid[:place] + wrong + valid[place + 1 :])


@given(body=digit_texts, data=st.data())
def test_neighbours_in_the_wrong_order_are_caught_but_for_0_and_9(
    body: str, data: st.DataObject
) -> None:
    """
    Two exchanged neighbours make a number invalid, except 09 and 90.
    """
    valid = body + luhn_check_digit(body)
    place = data.draw(st.integers(0, len(valid) - 2))
    a, b = valid[place], valid[place + 1]
    exchanged = valid[:place] + b + a + valid[place + 2 :]

    assert (a == b or {a, b} == {"0", "9"}) is is_luhn_valid(exchanged)


@given(card_id=card_ids, number=numbers)
def test_encryption_loses_nothing(card_id: int, number: CardNumber) -> None:
    """
    Any number comes back for its card as it was, and is not in the ciphertext.
    """
    blob = VAULT.encrypt(card_id, number)

    assert number.digits == VAULT.decrypt(card_id, blob).digits
    assert len(blob) == 4 + 12 + len(number.digits) + 16


@given(card_id=card_ids, other_id=card_ids, number=numbers)
def test_a_ciphertext_moved_to_another_card_is_refused(
    card_id: int, other_id: int, number: CardNumber
) -> None:
    """
    Exchanging two rows' ciphertexts in the database exchanges no cards.
    """
    other_id += other_id == card_id

    with pytest.raises(DecryptionError):
        VAULT.decrypt(other_id, VAULT.encrypt(card_id, number))


@given(card_id=card_ids, number=numbers, data=st.data())
def test_every_flipped_bit_is_refused(
    card_id: int, number: CardNumber, data: st.DataObject
) -> None:
    """
    Key id, nonce, ciphertext and tag: none may change by one bit, nor the length.
    """
    blob = VAULT.encrypt(card_id, number)
    bit = data.draw(st.integers(0, len(blob) * 8 - 1))
    flipped = bytearray(blob)
    flipped[bit // 8] ^= 1 << bit % 8

    for altered in (bytes(flipped), blob[:-1], blob + b"\0"):
        with pytest.raises(DecryptionError):
            VAULT.decrypt(card_id, altered)


@given(root=roots.filter(any), card_id=card_ids, number=numbers)
def test_another_key_ring_opens_nothing(
    root: bytes, card_id: int, number: CardNumber
) -> None:
    """
    Without this installation's root secret a ciphertext and an index mean nothing.
    """
    other = _vault(root)

    assert VAULT.index(number) != other.index(number)
    with pytest.raises(DecryptionError):
        other.decrypt(card_id, VAULT.encrypt(card_id, number))


@given(texts=st.lists(numbers, unique=True, min_size=2))
def test_different_numbers_have_different_indexes(texts: list[CardNumber]) -> None:
    """
    No two numbers meet in one index, leading zeros included.
    """
    assert len(texts) == len({VAULT.index(number) for number in texts})


@given(number=numbers, width=st.integers(0, 40))
def test_no_format_shows_more_than_four_digits(number: CardNumber, width: int) -> None:
    """
    However long the number and the field, only the last four digits are shown.
    """
    shown = f"{number:>{width}}{number:<{width}}{number!r:{width}}"
    last_four = number.digits[-4:] if len(number.digits) >= 12 else ""

    assert last_four * 3 == "".join(sign for sign in shown if sign.isdigit())
