from dataclasses import replace

import pytest

from currency import Currency
from gateway.domain.cards import CardState
from gateway.domain.ids import CardId
from gateway.live.snapshot import decode_snapshot, encode_snapshot
from tests.support.world import card

AT_MS = 1_764_000_000_000
CARD = replace(
    card(12_345, currency="EUR", held_minor=2_000),
    state=CardState.BLOCKED,
    unconfirmed_minor=300,
    version=42,
)


def test_a_snapshot_is_read_as_it_was_written() -> None:
    """
    All money, the state, the currency and the version arrive, with the age.
    """
    text = encode_snapshot(CARD, AT_MS)
    snapshot = decode_snapshot(CARD.card_id, text, AT_MS + 250)

    assert text == f"42 {AT_MS} 10045 12345 2000 4 EUR"
    assert snapshot is not None
    assert (10_045, 12_345, 2_000) == (
        snapshot.available_minor,
        snapshot.ledger_minor,
        snapshot.held_minor,
    )
    assert snapshot.state is CardState.BLOCKED
    assert snapshot.currency is Currency.of("EUR")
    assert (42, AT_MS, 250) == (snapshot.version, snapshot.at_ms, snapshot.age_ms)


def test_an_age_is_never_below_zero() -> None:
    """
    The clock of the machine that wrote it may be ahead of the reader's.
    """
    snapshot = decode_snapshot(CardId(1), encode_snapshot(CARD, AT_MS), AT_MS - 900)

    assert snapshot is not None
    assert snapshot.age_ms == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        f"42 {AT_MS} 1 1 0 4 EUR extra",
        f"42 {AT_MS} 1 1 0 99 EUR",
        f"42 {AT_MS} 1 1 0 4 QQQ",
        f"42 {AT_MS} 1.5 1 0 4 EUR",
        f"42 {AT_MS} {10**30} 1 0 4 EUR",
        f"-1 {AT_MS} 1 1 0 4 EUR",
    ],
)
def test_what_is_no_snapshot_is_none(text: str) -> None:
    """
    Foreign or damaged text is never shown as a balance.
    """
    assert decode_snapshot(CardId(1), text, AT_MS) is None
