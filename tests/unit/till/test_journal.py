"""
What a till must not forget survives it.
"""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import pytest

from currency import Currency, Money
from till import (
    Activate,
    CardNumber,
    CashOut,
    FileJournal,
    JournalError,
    Load,
    Redeem,
    Refund,
    ReversalReason,
    Reverse,
    Void,
)

CARD = CardNumber("4111111111111111")
DINARS = Money(10_000, Currency.of("KWD"))


def text_of(path: Path) -> str:
    """
    Read what is on the disk.
    """
    return path.read_text(encoding="utf-8")


def sale() -> Redeem:
    """
    Make a sale of ten dinars.
    """
    return Redeem(
        request_id=uuid4(), card_number=CARD, amount=DINARS, terminal_id="till-1"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Name a journal in a folder that is not there yet.
    """
    return tmp_path / "state" / "journal.jsonl"


async def test_open_requests_survive(path: Path) -> None:
    """
    What was begun and not ended is there when the till starts again, in order.
    """
    first, second, third = sale(), sale(), sale()
    journal = FileJournal(path)
    for request in (first, second, third):
        await journal.begin(request)
    await journal.end([second.request_id], "APPROVED")
    journal.close()

    again = FileJournal(path)

    kept = [entry.request_id for entry in again.open_entries()]
    assert [str(first.request_id), str(third.request_id)] == kept
    assert "10.000" == again.open_entries()[0].amount
    assert "till-1" == again.open_entries()[0].terminal_id
    again.close()


async def test_a_cash_out_is_kept_without_an_amount(path: Path) -> None:
    """
    It names none; the card's last digits are enough to know it by.
    """
    journal = FileJournal(path)
    await journal.begin(CashOut(request_id=uuid4(), card_number=CARD))

    (entry,) = journal.open_entries()
    assert ("cashout", "", "", "1111") == (
        entry.operation,
        entry.amount,
        entry.currency,
        entry.last_four,
    )
    journal.close()


async def test_a_reversal_can_be_sent_again(path: Path) -> None:
    """
    A reversal is kept whole, so that it goes out again under its own id.
    """
    reversal = Reverse(
        request_id=uuid4(),
        original_request_id=uuid4(),
        reason=ReversalReason.TIMEOUT,
        terminal_id="till-1",
    )
    journal = FileJournal(path)
    await journal.begin(reversal)
    journal.close()

    again = FileJournal(path)

    assert reversal == again.open_entries()[0].reversal()
    again.close()


async def test_refunds_and_voids_are_kept_like_sales(path: Path) -> None:
    """
    They name no card, so none is noted; given up, they are reversed like a sale.
    """
    refund = Refund(request_id=uuid4(), original_request_id=uuid4(), amount=DINARS)
    void = Void(
        request_id=uuid4(),
        original_request_id=uuid4(),
        card_number=CARD,
        terminal_id="till-1",
    )
    journal = FileJournal(path)
    await journal.begin(refund)
    await journal.begin(void)
    journal.close()

    again = FileJournal(path)
    first, second = again.open_entries()

    assert ("refund", "10.000", "KWD", "") == (
        first.operation,
        first.amount,
        first.currency,
        first.last_four,
    )
    assert ("void", "", CARD.last_four) == (
        second.operation,
        second.amount,
        second.last_four,
    )
    assert first.reversal() is second.reversal() is None
    again.close()


async def test_a_sale_and_its_reversal_end_together(path: Path) -> None:
    """
    Both are marked in one line, so that no crash leaves one of them open.
    """
    original = sale()
    reversal = Reverse(
        request_id=uuid4(),
        original_request_id=original.request_id,
        reason=ReversalReason.TIMEOUT,
    )
    journal = FileJournal(path)
    await journal.begin(original)
    await journal.begin(reversal)
    lines = text_of(path).count("\n")

    await journal.end([reversal.request_id, original.request_id], "REVERSAL APPROVED")

    assert [] == journal.open_entries()
    assert lines + 1 == text_of(path).count("\n")
    journal.close()


async def test_no_card_number_is_written(path: Path) -> None:
    """
    The file holds the last four digits of a card, and not the others.
    """
    journal = FileJournal(path)
    await journal.begin(sale())
    await journal.begin(Activate(request_id=uuid4(), card_number=CARD))
    await journal.begin(Load(request_id=uuid4(), card_number=CARD, amount=DINARS))

    text = text_of(path)

    assert CARD.digits not in text
    assert CARD.last_four in text
    journal.close()


def test_only_its_owner_can_read_it(path: Path) -> None:
    """
    The file is made for its owner alone.
    """
    FileJournal(path).close()

    assert 0 == path.stat().st_mode & 0o077


async def test_a_torn_last_line_was_never_sent(path: Path) -> None:
    """
    A line that power loss cut was not acknowledged: it is left out, the rest is kept.
    """
    journal = FileJournal(path)
    kept = sale()
    await journal.begin(kept)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"begun":{"request_id":"0')

    again = FileJournal(path)

    assert [str(kept.request_id)] == [e.request_id for e in again.open_entries()]
    again.close()


@pytest.mark.parametrize("line", [b"rubbish\n", b"{}\n", b'{"begun":7}\n', b"[]\n"])
def test_a_broken_line_stops_the_till(path: Path, line: bytes) -> None:
    """
    A line that was whole and cannot be read may be an open sale: nobody goes on.
    """
    path.parent.mkdir()
    path.write_bytes(line)

    with pytest.raises(JournalError, match="line 1, cannot be read"):
        FileJournal(path)


def test_one_journal_one_till(path: Path) -> None:
    """
    A second process on the same journal is refused; after close it may open it.
    """
    journal = FileJournal(path)

    with pytest.raises(JournalError, match="in use"):
        FileJournal(path)
    journal.close()

    FileJournal(path).close()


async def test_the_file_does_not_grow_for_ever(path: Path) -> None:
    """
    Above its bound the file is written anew with what is open.
    """
    journal = FileJournal(path, compact_at_bytes=2_000)
    kept = sale()
    await journal.begin(kept)
    for _ in range(40):
        request = sale()
        await journal.begin(request)
        await journal.end([request.request_id], "APPROVED")

    assert len(text_of(path)) < 3_000
    assert [str(kept.request_id)] == [e.request_id for e in journal.open_entries()]

    journal.close()
    again = FileJournal(path)
    assert [str(kept.request_id)] == [e.request_id for e in again.open_entries()]
    again.close()


async def test_requests_at_once_are_all_kept(path: Path) -> None:
    """
    A controller's terminals write side by side; each line stays whole.
    """
    journal = FileJournal(path)
    sales = [sale() for _ in range(30)]

    await asyncio.gather(*(journal.begin(request) for request in sales))
    journal.close()
    again = FileJournal(path)

    assert {str(request.request_id) for request in sales} == {
        entry.request_id for entry in again.open_entries()
    }
    again.close()


async def test_a_disk_that_fails_stops_the_till(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When fsync fails nothing is acknowledged, then and later: nothing may be sent.
    """
    journal = FileJournal(path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(JournalError, match="No space left"):
            await journal.begin(sale())

    with pytest.raises(JournalError, match="restart the till"):
        await journal.begin(sale())
    journal.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """
    The error names the journal's path.
    """
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(JournalError, match=r"journal\.jsonl"):
        FileJournal(tmp_path / "file" / "journal.jsonl")
