"""
The till shows a sentence that says what a restriction refused.
"""

import pytest

from gateway.api.receipts import receipt_text
from gateway.api.spoken_hours import spoken_hours
from gateway.domain.decide import decide
from gateway.domain.ids import RestrictionVersionId
from gateway.domain.restrictions import Hours, RefusalReason, Window
from gateway.domain.results import Result
from tests.support.world import amount, card, redeem, view


@pytest.mark.parametrize(
    ("windows", "text"),
    [
        ([Window(0b0011111, 690, 840)], "Monday to Friday 11:30 to 14:00"),
        ([Window(0b1111111, 690, 840)], "11:30 to 14:00"),
        ([Window(0b1100000, 0, 1_440)], "Saturday and Sunday"),
        ([Window(0b0010000, 1_320, 120)], "Friday 22:00 to 02:00"),
        (
            [Window(0b0010101, 480, 1_440)],
            "Monday, Wednesday and Friday 08:00 to 24:00",
        ),
        (
            [Window(0b0110111, 480, 540)],
            "Monday to Wednesday, Friday and Saturday 08:00 to 09:00",
        ),
        (
            [Window(0b0001111, 690, 840), Window(16, 660, 780), Window(64, 0, 1_440)],
            "Monday to Thursday 11:30 to 14:00, Friday 11:00 to 13:00 and Sunday",
        ),
    ],
)
def test_hours_are_said_in_words(windows: list[Window], text: str) -> None:
    """
    From the short form that is kept, with nothing else at hand.
    """
    assert spoken_hours(Hours.of(windows).text) == text


@pytest.mark.parametrize(
    ("reason", "hours", "text"),
    [
        (RefusalReason.PLACE, None, "the card is not valid at this store"),
        (RefusalReason.COUNTRY, None, "the card is not valid in this country"),
        (RefusalReason.CATEGORY, None, "the card is not valid at this kind of store"),
        (
            RefusalReason.HOURS,
            "1-5 11:30-14:00",
            "the card is valid only Monday to Friday 11:30 to 14:00",
        ),
        (None, None, "the card is blocked"),
    ],
)
def test_each_refusal_has_its_sentence(
    reason: RefusalReason | None, hours: str | None, text: str
) -> None:
    """
    A 62 without a restriction is a block.
    """
    record = decide(redeem(amount(0)), view(card()), None).record._replace(
        result=Result.RESTRICTED_CARD,
        refusal=reason,
        restriction_version_id=None if reason is None else RestrictionVersionId(1),
        refusal_hours=hours,
    )

    assert receipt_text(record) == f"Declined: {text}."
