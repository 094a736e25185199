"""
A Transact stream matches answers, resumes by request id, and bounds what is open.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest

from currency import Currency, Money
from tests.unit.till.fake_gateway import (
    UNKNOWN,
    FakeGateway,
    fails,
    hangs,
    status_of,
)
from till import (
    CardNumber,
    CashOut,
    GetTransaction,
    NotRecordedError,
    OutcomeUnknownError,
    Redeem,
    Refund,
    RefusedError,
    TillClient,
    TransactStream,
    Void,
)

CARD = CardNumber("4111111111111111")


def one_dollar() -> Redeem:
    """
    Make a sale with an id of its own.
    """
    return Redeem(
        request_id=uuid4(), card_number=CARD, amount=Money(100, Currency.of("USD"))
    )


@pytest.fixture
async def stream(client: TillClient) -> AsyncIterator[TransactStream]:
    """
    Give a stream with room for eight unanswered requests.
    """
    async with TransactStream(client.channels[0], outstanding=8) as stream:
        yield stream


async def test_each_request_gets_its_own_answer(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    Many requests at once are answered each by its own sequence, over one stream.
    """
    sales = [one_dollar() for _ in range(40)]

    answers = await asyncio.gather(*(stream.send(sale) for sale in sales))

    assert [sale.request_id for sale in sales] == [a.request_id for a in answers]
    assert 10_000 - 40 * 100 == gateway.balance
    assert 1 == gateway.streams


async def test_a_cash_out_goes_over_a_stream(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    Like a call of its own: all that is on the card, as cash.
    """
    answer = await stream.send(CashOut(request_id=uuid4(), card_number=CARD))

    assert Money(10_000, Currency.of("USD")) == answer.cash_back_amount
    assert 0 == gateway.balance


async def test_refunds_and_voids_go_over_a_stream(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    Each as an item of its own kind.
    """
    sale, other = one_dollar(), one_dollar()
    await asyncio.gather(stream.send(sale), stream.send(other))

    answers = await asyncio.gather(
        stream.send(
            Refund(
                request_id=uuid4(),
                original_request_id=sale.request_id,
                amount=sale.amount,
            )
        ),
        stream.send(Void(request_id=uuid4(), original_request_id=other.request_id)),
    )

    assert all(answer.stands for answer in answers)
    assert 10_000 == gateway.balance


async def test_a_bad_item_is_an_error_of_its_own(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    A fault is what the unary call would have raised, and the stream lives on.
    """
    gateway.steps.append(fails(UNKNOWN))

    with pytest.raises(OutcomeUnknownError):
        await stream.send(one_dollar())
    with pytest.raises(NotRecordedError):
        await stream.send(GetTransaction(request_id=uuid4()))
    answer = await stream.send(one_dollar())

    assert answer.stands
    assert 1 == gateway.streams


async def test_a_stream_that_ends_is_resumed(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    What was unanswered when the server drained is answered over the next stream.
    """
    gateway.end_stream_after = [3, 0, 5]
    sales = [one_dollar() for _ in range(40)]

    answers = await asyncio.gather(*(stream.send(sale) for sale in sales))

    assert all(answer.stands for answer in answers)
    assert 10_000 - 40 * 100 == gateway.balance
    assert gateway.streams >= 3
    assert stream.reopened >= 2


async def test_an_idle_stream_that_ended_opens_again(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    A stream that ended with nothing unanswered opens with the next request.
    """
    gateway.end_stream_after = [1]
    await stream.send(one_dollar())

    answer = await stream.send(one_dollar())

    assert answer.stands
    assert 2 == gateway.streams


async def test_a_lost_identity_is_not_tried_again(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    PERMISSION_DENIED ends the stream for good: what is open is refused.
    """
    async with TransactStream(client.channels[0], reopen_limit=2) as stream:
        gateway.refuse_streams = status_of(
            grpc.StatusCode.PERMISSION_DENIED, reason="DEVICE_DENIED"
        )

        with pytest.raises(RefusedError):
            await stream.send(one_dollar())

    assert 1 == gateway.streams


async def test_what_the_server_said_at_the_end_is_believed(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    While requests are being written: each answer it gave, and its status, arrive.

    grpc.aio says INTERNAL of a call whose write failed, and once in three times that
    hides the server's word. A stream that was opened again would be answered here.
    """
    rounds, answered = 40, 3
    gateway.end_stream_after = [answered] * rounds
    gateway.end_streams_with = status_of(
        grpc.StatusCode.PERMISSION_DENIED, reason="DEVICE_DENIED"
    )
    told = Counter[str]()
    for _ in range(rounds):
        async with TransactStream(client.channels[0]) as stream:
            said = await asyncio.gather(
                *(stream.send(one_dollar()) for _ in range(20)),
                return_exceptions=True,
            )
        told.update(type(each).__name__ for each in said)

    assert told == {
        "Answer": rounds * answered,
        "RefusedError": rounds * (20 - answered),
    }
    assert rounds == gateway.streams


async def test_reopening_is_bounded(client: TillClient, gateway: FakeGateway) -> None:
    """
    A stream that never answers fails what is open as unknown, after the bound.
    """
    gateway.refuse_streams = status_of(grpc.StatusCode.INTERNAL)
    async with TransactStream(client.channels[0], reopen_limit=3) as stream:
        with pytest.raises(OutcomeUnknownError):
            await stream.send(one_dollar())

    assert 1 + 3 == gateway.streams


async def test_an_answer_that_is_late_is_unknown(
    stream: TransactStream, gateway: FakeGateway
) -> None:
    """
    `send` ends by its own time limit, and the slot is free again.
    """
    gateway.steps.append(hangs(0.3))

    with pytest.raises(OutcomeUnknownError, match="DEADLINE_EXCEEDED"):
        await stream.send(one_dollar(), timeout_s=0.05)
    answer = await stream.send(one_dollar())

    assert answer.stands


async def test_no_more_than_the_bound_is_open(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    With room for two, the third request is not sent before an answer came.
    """
    gateway.steps.extend([hangs(0.2)])
    async with TransactStream(client.channels[0], outstanding=2) as stream:
        sending = [asyncio.create_task(stream.send(one_dollar())) for _ in range(3)]
        await asyncio.sleep(0.1)

        assert 2 == len(stream._unanswered)

        answers = await asyncio.gather(*sending)

    assert all(answer.stands for answer in answers)


async def test_closing_leaves_nobody_waiting(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    What is unanswered when the till closes the stream has an unknown outcome.
    """
    gateway.steps.append(hangs(5))
    stream = TransactStream(client.channels[0])
    sending = asyncio.create_task(stream.send(one_dollar()))
    await asyncio.sleep(0.1)

    await stream.close()

    with pytest.raises(OutcomeUnknownError, match="closed"):
        await sending
    with pytest.raises(RuntimeError, match="closed"):
        await stream.send(one_dollar())
