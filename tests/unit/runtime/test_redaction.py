"""
Whatever looks like a card number leaves the process masked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runtime.redaction import TEXT_LIMIT, redact, redact_value

NUMBER = "6016001234567890"
REQUEST_ID = UUID("0198f0f0-1111-7000-8000-000000000001")


class Color(Enum):
    """
    An enum as our results are.
    """

    RED = 1


@dataclass(frozen=True)
class Holder:
    """
    A value whose `repr` shows more than it should.
    """

    number: str


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NUMBER, "****7890"),
        ("6016 0012 3456 7890", "****7890"),
        ("6016-0012-3456-7890", "****7890"),
        ("6016\u20130012\u20133456\u20137890", "****7890"),
        ("6016\u00a00012\u00a03456\u00a07890", "****7890"),
        ("٦٠١٦٠٠١٢٣٤٥٦٧٨٩٠", "****٧٨٩٠"),
        (f"card {NUMBER}, card {NUMBER}.", "card ****7890, card ****7890."),
        (f"PAN{NUMBER}X", "PAN****7890X"),
        ("123456789012", "****9012"),
        ("1234567890123456789", "****6789"),
        (f"00{NUMBER}0000000000", "****0000"),
        ("12345678901", "12345678901"),
        ("10.20.30.40:50051", "10.20.30.40:50051"),
        ("2025-01-01T12:30:45.123456+00:00", "2025-01-01T12:30:45.123456+00:00"),
        (str(REQUEST_ID), str(REQUEST_ID)),
        (
            f"request 12345678-1234-1234-1234-123456789012 of {NUMBER}",
            "request 12345678-1234-1234-1234-123456789012 of ****7890",
        ),
    ],
)
def test_numbers_are_masked_and_ids_are_not(text: str, expected: str) -> None:
    """
    Runs of twelve and more digits keep their last four; times, addresses, UUIDs stay.
    """
    assert expected == redact(text)


def test_values_inside_of_values_are_masked() -> None:
    """
    Lists, mappings and their keys, exceptions and unknown types are looked into.
    """
    when = datetime(2025, 1, 1, tzinfo=UTC)
    value = {
        "list": [NUMBER, (NUMBER,)],
        NUMBER: {"deep": {NUMBER}},
        "error": ValueError(NUMBER),
        "holder": Holder(number=NUMBER),
        "bytes": NUMBER.encode(),
        "kept": [1, 2.5, None, True, when, REQUEST_ID],
        "enum": Color.RED,
    }

    assert redact_value(value) == {
        "list": ["****7890", ["****7890"]],
        "****7890": {"deep": ["****7890"]},
        "error": "ValueError('****7890')",
        "holder": "Holder(number='****7890')",
        "bytes": "b'****7890'",
        "kept": [1, 2.5, None, True, when, REQUEST_ID],
        "enum": "RED",
    }


def test_a_value_without_end_is_cut() -> None:
    """
    A list that holds itself ends, and so does a text of any length.
    """
    endless: list[object] = []
    endless.append(endless)

    assert "..." in repr(redact_value(endless))
    assert redact("x" * TEXT_LIMIT + NUMBER).endswith(f"({TEXT_LIMIT + 16} characters)")


NOT_DIGITS = st.text(st.characters(exclude_categories=["Nd"]), max_size=20)


@given(
    before=NOT_DIGITS,
    digits=st.text(alphabet="0123456789", min_size=12, max_size=19),
    separators=st.lists(st.sampled_from(["", " ", "-"]), min_size=18, max_size=18),
    after=NOT_DIGITS,
)
def test_no_number_gets_through(
    before: str, digits: str, separators: list[str], after: str
) -> None:
    """
    However a number is written and whatever stands around it, four digits remain.
    """
    written = digits[0] + "".join(
        separator + digit
        for separator, digit in zip(separators, digits[1:], strict=False)
    )

    masked = redact(f"{before}{written}{after}")

    assert sum(character.isdecimal() for character in masked) == 4
