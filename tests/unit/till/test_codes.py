"""
The till's values are the contract's.
"""

from itertools import pairwise

import pytest
from google.protobuf.descriptor import EnumDescriptor

from scrip.v1 import card_pb2, card_service_pb2, result_pb2, transaction_pb2
from till import (
    ActivityType,
    CardNumber,
    CardNumberError,
    CardState,
    CurrentState,
    EntryMode,
    LoadType,
    Result,
    ReversalReason,
    new_request_id,
)
from till.codes import ContractEnum


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Result, result_pb2.Result.DESCRIPTOR),
        (ActivityType, transaction_pb2.ActivityType.DESCRIPTOR),
        (CurrentState, transaction_pb2.CurrentState.DESCRIPTOR),
        (EntryMode, transaction_pb2.EntryMode.DESCRIPTOR),
        (CardState, card_pb2.Card.State.DESCRIPTOR),
        (LoadType, card_service_pb2.LoadType.DESCRIPTOR),
        (ReversalReason, card_service_pb2.ReversalReason.DESCRIPTOR),
    ],
)
def test_enums_equal_the_contracts(
    ours: type[ContractEnum], theirs: EnumDescriptor
) -> None:
    """
    Every value of the contract has its name here, without the prefix, and no more.
    """
    names = {value.number: value.name for value in theirs.values}
    prefix = names[0].removesuffix("UNSPECIFIED")

    assert {number: name.removeprefix(prefix) for number, name in names.items()} == {
        member.value: member.name for member in ours
    }


def test_a_number_of_a_newer_contract_is_no_approval() -> None:
    """
    What the till does not know yet reads as UNSPECIFIED.
    """
    assert Result.UNSPECIFIED is Result.read(999)


def test_request_ids_are_uuids_in_order_of_time() -> None:
    """
    They are of version 7, the usual variant, distinct, and grow with the time.
    """
    ids = [new_request_id() for _ in range(500)]

    assert {7} == {made.version for made in ids}
    assert {"specified in RFC 4122"} == {made.variant for made in ids}
    assert 500 == len(set(ids))
    stamps = [made.int >> 80 for made in ids]
    assert all(earlier <= later for earlier, later in pairwise(stamps))


def test_a_card_number_is_never_shown() -> None:
    """
    Its repr, its text and the error about it hold no more than four digits.
    """
    number = CardNumber(" 4111-1111 1111-1234 ")

    assert "4111111111111234" == number.digits
    assert "CardNumber(...1234)" == repr(number)
    assert "...1234" == f"{number}"
    with pytest.raises(CardNumberError) as raised:
        CardNumber("4111x1111")
    assert "4111" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "  ", "12a4", "١٢٣٤", "1" * 33])
def test_what_is_no_card_number_is_refused(text: str) -> None:
    """
    Empty text, letters, digits of other scripts and too many digits are refused.
    """
    with pytest.raises(CardNumberError):
        CardNumber(text)
