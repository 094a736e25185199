from enum import StrEnum
from typing import Any

import pytest

from gateway.vault.errors import UnknownKeyError
from gateway.vault.fingerprints import Fingerprinter, Part, length_prefixed
from gateway.vault.keyring import LocalKeyring, Purpose

REDEEM: list[Part] = ["REDEEM", "6398123456789012349", None, 10005, "USD", True, b"\0"]


class _Operation(StrEnum):
    REDEEM = "REDEEM"


def test_the_encoding_never_drifts() -> None:
    """
    The encoding of a list is these bytes for ever.

    Every stored fingerprint is a hash of it.
    """
    expected = (
        b"S\0\0\0\6REDEEM"
        b"S\0\0\0\x136398123456789012349"
        b"N\0\0\0\0"
        b"I\0\0\0\x0510005"
        b"S\0\0\0\3USD"
        b"L\0\0\0\1\1"
        b"B\0\0\0\1\0"
    )

    assert expected == length_prefixed(REDEEM)


def test_the_fingerprint_never_drifts(keyring: LocalKeyring) -> None:
    """
    The fingerprint of a list under a fixed root secret is this value for ever.
    """
    assert bytes.fromhex(
        "be50e8de4e05af14c870384f3a1e596df9719e35bed691a0b5fd77e9ba768fcd"
    ) == Fingerprinter(keyring).compute(length_prefixed(REDEEM))


def test_parts_that_look_alike_differ() -> None:
    """
    Parts of other types, or cut at other places, have other encodings.
    """
    lists: list[list[Part]] = [
        [],
        [None],
        [None, None],
        [False],
        [True],
        [0],
        [1],
        [-1],
        [""],
        ["0"],
        ["1"],
        ["-1"],
        ["False"],
        [b""],
        [b"0"],
        [b"\0"],
        ["", ""],
        ["ab", "c"],
        ["a", "bc"],
        ["abc"],
        ["S\0\0\0\0"],
        ["é"],
        ["e\u0301"],
    ]

    assert len(lists) == len({length_prefixed(parts) for parts in lists})


def test_a_string_enum_counts_as_its_text() -> None:
    """
    An operation may be given as the enum or as its name.
    """
    assert length_prefixed(["REDEEM"]) == length_prefixed([_Operation.REDEEM])


@pytest.mark.parametrize("part", [1.5, object(), ["a"], ()])
def test_another_type_is_refused(part: Any) -> None:
    """
    A float, for one, has no single spelling and so no place in a fingerprint.
    """
    with pytest.raises(TypeError):
        length_prefixed([part])


def test_an_old_fingerprint_is_compared_under_its_own_key(
    keyring: LocalKeyring,
) -> None:
    """
    After a rotation a stored key id still gives the stored fingerprint.
    """
    stored = Fingerprinter(keyring).compute(b"payload")
    keyring.activate(Purpose.FINGERPRINT, keyring.add_key(Purpose.FINGERPRINT))
    rotated = Fingerprinter(keyring)

    assert rotated.key_id == 2
    assert stored == rotated.compute(b"payload", 1)
    assert stored != rotated.compute(b"payload")
    assert rotated.compute(b"payload") == rotated.compute(b"payload", 2)


def test_an_unknown_key_is_refused(keyring: LocalKeyring) -> None:
    """
    A key id nobody made is a fault in the books, not a new key.
    """
    with pytest.raises(UnknownKeyError):
        Fingerprinter(keyring).compute(b"payload", 2)
