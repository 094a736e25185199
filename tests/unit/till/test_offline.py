"""
What is sold offline is kept until it is told, in any order, through every loss.
"""

import asyncio
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from currency import Currency, Money
from tests.unit.till.fake_host import answer_of
from till import (
    Advice,
    Answer,
    CardNumber,
    Confirm,
    EntryMode,
    JournalError,
    OfflineQueue,
    OutcomeUnknownError,
    Request,
    Result,
    Reverse,
    TillContext,
)

CARD = CardNumber("4111111111111111")
TWENTY = Money(20_00, Currency.of("USD"))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Host:
    """
    Answer all but some requests, and keep what came in which order.
    """

    def __init__(self, *silent: UUID) -> None:
        self.silent = set(silent)
        self.came: list[Request] = []

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Answer, or lose the answer.
        """
        del timeout_s
        self.came.append(request)
        await asyncio.sleep(0)
        if request.request_id in self.silent:
            message = "lost"
            raise OutcomeUnknownError(message, advice="ask again")
        return answer_of(request, Result.APPROVED, NOW)


def text_of(path: Path) -> str:
    """
    Read the file.
    """
    return path.read_text()


def mode_of(path: Path) -> int:
    """
    Tell who may read it.
    """
    return stat.S_IMODE(path.stat().st_mode)


def spoil(path: Path) -> None:
    """
    Take the card's number away.
    """
    path.write_text(path.read_text().replace('"card"', '"cord"'))


async def at_once(seconds: float) -> None:
    """
    Wait no time.
    """
    del seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Name the queue's file.
    """
    return tmp_path / "offline.jsonl"


@pytest.fixture
def queue(path: Path) -> Iterator[OfflineQueue]:
    """
    Give a queue of a kiosk, on its own clock.
    """
    queue = OfflineQueue(path, terminal_id="kiosk-1", clock=lambda: NOW)
    yield queue
    queue.close()


async def test_a_sale_is_on_the_disk_when_it_returns(
    queue: OfflineQueue, path: Path
) -> None:
    """
    Only its owner may read it; it carries the till's own time.
    """
    advice = await queue.sell(CARD, TWENTY)

    assert advice.context.local_time == "2026-03-01T08:00:00+00:00"
    assert advice.terminal_id == "kiosk-1"
    assert str(advice.request_id) in text_of(path)
    assert mode_of(path) == 0o600
    assert queue.waiting() == [advice]


async def test_after_a_loss_of_power_all_is_there(path: Path) -> None:
    """
    Advices, reversals and confirmations come back as they were, byte for byte.
    """
    first = OfflineQueue(path, terminal_id="kiosk-1")
    context = TillContext(
        merchant_reference="order 7",
        entry_mode=EntryMode.SCANNED,
        local_time="2026-03-01T10:00:00+02:00",
    )
    sale = await first.sell(CARD, Money(1_000, Currency.of("KWD")), context=context)
    undone = await first.take_back(sale.request_id)
    confirm = Confirm(request_id=uuid4(), original_request_id=uuid4(), card_number=CARD)
    await first.keep(confirm)
    first.close()

    again = OfflineQueue(path)
    found = again.waiting()
    again.close()

    assert found == [sale, undone, confirm]
    assert isinstance(found[0], Advice)
    assert isinstance(found[1], Reverse)


async def test_what_is_told_is_gone_and_its_card_number_too(
    queue: OfflineQueue, path: Path
) -> None:
    """
    Nothing waits any more, and nothing in the file names a card.
    """
    sales = [await queue.sell(CARD, TWENTY) for _ in range(3)]
    host = Host()
    told = await queue.send_all(host)

    assert [each.request for each in told] == sales
    assert all(each.answer and each.answer.approved for each in told)
    assert queue.waiting() == []
    assert text_of(path) == ""
    assert await queue.send_all(host) == []


async def test_what_gets_no_answer_stays(path: Path) -> None:
    """
    It is asked again a few times, never reversed, and tried again another day.
    """
    queue = OfflineQueue(path)
    lost, told = await queue.sell(CARD, TWENTY), await queue.sell(CARD, TWENTY)
    host = Host(lost.request_id)
    first = {each.request: each for each in await queue.send_all(host, pause=at_once)}
    queue.close()
    again = OfflineQueue(path)
    host.silent.clear()
    second = await again.send_all(host)
    again.close()

    assert isinstance(first[lost].error, OutcomeUnknownError)
    assert first[told].answer is not None
    assert [each.request for each in second] == [lost]
    assert second[0].answer is not None
    assert host.came.count(lost) == 5
    assert not any(isinstance(request, Reverse) for request in host.came)


async def test_two_rounds_at_once_tell_each_thing_once(queue: OfflineQueue) -> None:
    """
    What is in one round's hand the other leaves alone.
    """
    for _ in range(5):
        await queue.sell(CARD, TWENTY)
    host = Host()
    rounds = await asyncio.gather(queue.send_all(host), queue.send_all(host))

    assert sorted(map(len, rounds)) == [0, 5]
    assert len(host.came) == 5


async def test_what_cannot_be_read_is_dropped_by_hand(queue: OfflineQueue) -> None:
    """
    It stays until somebody says so.
    """
    sale = await queue.sell(CARD, TWENTY)
    await queue.drop(sale.request_id)

    assert queue.waiting() == []


def test_one_queue_one_till(queue: OfflineQueue, path: Path) -> None:
    """
    A second process is refused.
    """
    assert queue.waiting() == []
    with pytest.raises(JournalError, match="in use"):
        OfflineQueue(path)


@pytest.mark.parametrize(
    "line",
    ['{"kept":{"operation":"Advice"}}', '{"kept":7}', "{}", "what", '{"told":"x"}'],
)
def test_a_file_that_cannot_be_read_is_refused(path: Path, line: str) -> None:
    """
    Nothing is lost silently: the line is named.
    """
    path.write_text(line + "\n")
    with pytest.raises(JournalError, match="line 1"):
        OfflineQueue(path)


async def test_an_advice_without_its_card_is_refused(path: Path) -> None:
    """
    It could never be told.
    """
    queue = OfflineQueue(path)
    await queue.sell(CARD, TWENTY)
    queue.close()
    spoil(path)
    with pytest.raises(JournalError, match="line 1"):
        OfflineQueue(path)
