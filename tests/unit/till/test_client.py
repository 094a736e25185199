"""
The client gives final answers, and names what everything else means.
"""

import asyncio
from uuid import uuid4

import grpc
import pytest

from currency import Currency, Money
from scrip.v1 import transaction_pb2
from scrip.v1.card_service_pb2 import (
    CashOutRequest,
    LoadRequest,
    RefundRequest,
    VoidRequest,
)
from tests.unit.till.fake_gateway import (
    NOT_APPLIED,
    UNKNOWN,
    FakeGateway,
    fails,
    hangs,
    loses,
    status_of,
)
from till import (
    AnswerUnreadableError,
    CardNumber,
    CurrentState,
    NotAppliedError,
    NotRecordedError,
    OutcomeUnknownError,
    RefusedError,
    Result,
    ReversalReason,
    TillClient,
    TillContext,
)
from till.wire import Message

CARD = CardNumber("4111 1111 1111 1111")
USD = Currency.of("USD")
TEN = Money(1_000, USD)


async def test_an_approval_is_an_answer(client: TillClient) -> None:
    """
    Redeem gives the amounts as Money, the card and the host's time.
    """
    request_id = uuid4()

    answer = await client.redeem(CARD, TEN, request_id=request_id)

    assert answer.approved
    assert answer.stands
    assert request_id == answer.request_id
    assert TEN == answer.approved_amount
    assert Money(9_000, USD) == answer.available_balance
    assert "2025-01-02T10:20:30+00:00" == str(answer.host_time).replace(" ", "T")
    assert answer.card is not None
    assert "1111" == answer.card.last_four


async def test_a_decline_is_an_answer_too(client: TillClient) -> None:
    """
    A decline raises nothing, and does not stand.
    """
    answer = await client.redeem(CARD, Money(99_999, USD), request_id=uuid4())

    assert Result.INSUFFICIENT_FUNDS is answer.result
    assert "51" == answer.response_code
    assert not answer.stands


async def test_a_cash_out_says_what_to_hand_out(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    CashOut names no amount; the answer gives the cash.
    """
    answer = await client.cash_out(
        CARD, request_id=uuid4(), context=TillContext(cashier_id="ana")
    )

    assert answer.stands
    assert Money(10_000, USD) == answer.cash_back_amount
    sent = gateway.last(CashOutRequest)
    assert ("4111111111111111", "ana") == (sent.card_number, sent.till.cashier_id)


async def test_a_refund_and_a_void_name_their_original(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    Both go out with the ids and the terminal they were given, and a card only if told.
    """
    sale, other = uuid4(), uuid4()
    await client.redeem(CARD, TEN, request_id=sale)
    await client.redeem(CARD, TEN, request_id=other)

    refunded = await client.refund(
        sale, Money(4_00, USD), request_id=uuid4(), original_terminal_id="till-2"
    )
    voided = await client.void(other, request_id=uuid4(), card_number=CARD)
    state = (await client.get_transaction(other)).current_state

    refund, void = gateway.last(RefundRequest), gateway.last(VoidRequest)
    assert refunded.stands
    assert voided.stands
    assert CurrentState.VOIDED is state
    assert (str(sale), "till-2", "", 4_00) == (
        refund.original_request_id,
        refund.original_terminal_id,
        refund.card_number,
        refund.amount.minor_units,
    )
    assert (str(other), "", CARD.digits) == (
        void.original_request_id,
        void.original_terminal_id,
        void.card_number,
    )
    assert 94_00 == gateway.balance


@pytest.mark.parametrize(
    ("code", "is_answer"), [("00", False), ("10", False), ("77", True)]
)
async def test_an_approval_of_an_unknown_kind_is_none(
    client: TillClient, gateway: FakeGateway, code: str, *, is_answer: bool
) -> None:
    """
    A newer result with an approving code cannot be read; with another it is a decline.
    """

    async def newer(gateway: FakeGateway, request: Message) -> transaction_pb2.Outcome:
        outcome = gateway.decide(request)
        outcome.result = 999  # type: ignore[assignment]
        outcome.response_code = code
        return outcome

    gateway.steps.append(newer)

    if is_answer:
        answer = await client.balance(CARD)
        assert not answer.approved
    else:
        with pytest.raises(AnswerUnreadableError, match="999"):
            await client.balance(CARD)


async def test_what_is_sent_is_what_was_asked(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    Amounts go with the digits of their currency, and the till's own fields with them.
    """
    dinars = Money(10_005, Currency.of("KWD"))

    await client.load(
        CARD,
        dinars,
        request_id=uuid4(),
        context=TillContext(merchant_reference="order 7", cashier_id="ana"),
    )

    sent = gateway.last(LoadRequest)
    assert (10_005, "KWD", 3) == (
        sent.amount.minor_units,
        sent.amount.currency_code,
        sent.amount.exponent,
    )
    assert "4111111111111111" == sent.card_number
    assert "order 7" == sent.till.merchant_reference


async def test_one_request_id_is_one_debit(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    The same id sent again is answered from the record.
    """
    request_id = uuid4()

    first = await client.redeem(CARD, TEN, request_id=request_id)
    second = await client.redeem(CARD, TEN, request_id=request_id)

    assert not first.replayed
    assert second.replayed
    assert first.transaction_id == second.transaction_id
    assert 9_000 == gateway.balance


async def test_a_reversed_approval_does_not_stand(client: TillClient) -> None:
    """
    The replay of a sale that was reversed since says approved, and is not paid.
    """
    request_id = uuid4()
    await client.redeem(CARD, TEN, request_id=request_id)
    await client.reverse(
        request_id, request_id=uuid4(), reason=ReversalReason.CUSTOMER_CANCELLATION
    )

    answer = await client.redeem(CARD, TEN, request_id=request_id)

    assert answer.approved
    assert not answer.stands


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED]
)
async def test_a_server_that_stops_is_retried_unseen(
    client: TillClient, gateway: FakeGateway, code: grpc.StatusCode
) -> None:
    """
    UNAVAILABLE and CANCELLED are sent again by the channel, up to five attempts.
    """
    gateway.steps.extend([fails(status_of(code))] * 4)

    answer = await client.redeem(CARD, TEN, request_id=uuid4())

    assert answer.stands
    assert 5 == len(gateway.seen)


async def test_not_applied_says_when_to_ask_again(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    The gateway's own NOT_APPLIED keeps its retry delay and warns of earlier attempts.
    """
    gateway.steps.extend([fails(NOT_APPLIED)] * 5)

    with pytest.raises(NotAppliedError, match="an earlier one") as raised:
        await client.redeem(CARD, TEN, request_id=uuid4())

    assert 0.02 == raised.value.retry_after_s
    assert "NOT_APPLIED" == raised.value.reason


async def test_an_unknown_outcome_is_not_retried_by_the_channel(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    UNKNOWN comes to the till at once: what to do is the shop's to decide.
    """
    gateway.steps.append(loses(UNKNOWN))

    with pytest.raises(OutcomeUnknownError, match="same request id again"):
        await client.redeem(CARD, TEN, request_id=uuid4())

    assert 1 == len(gateway.seen)
    assert 9_000 == gateway.balance


async def test_a_deadline_is_an_unknown_outcome(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    What was done and not answered in time is unknown to the till, and says so.
    """
    gateway.steps.append(hangs(5))

    with pytest.raises(OutcomeUnknownError, match="No answer in time") as raised:
        await client.redeem(CARD, TEN, request_id=uuid4(), timeout_s=0.1)

    assert "DEADLINE_EXCEEDED" == raised.value.status
    assert 9_000 == gateway.balance


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too long"),
        (grpc.StatusCode.UNIMPLEMENTED, "no Scrip gateway"),
        (grpc.StatusCode.INTERNAL, "may have been done"),
        (grpc.StatusCode.ABORTED, "may have been done"),
    ],
)
async def test_a_status_without_details_proves_nothing(
    client: TillClient, gateway: FakeGateway, code: grpc.StatusCode, advice: str
) -> None:
    """
    A status of a gRPC library is an unknown outcome, with advice for what it hints at.
    """
    gateway.steps.append(fails(status_of(code)))

    with pytest.raises(OutcomeUnknownError, match=advice):
        await client.redeem(CARD, TEN, request_id=uuid4())


async def test_a_strangers_not_applied_proves_nothing(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    Only the gateway's own ErrorInfo counts: a proxy does not know what was done.
    """
    status = status_of(
        grpc.StatusCode.ABORTED, reason="NOT_APPLIED", domain="proxy.example"
    )
    gateway.steps.append(loses(status))

    with pytest.raises(OutcomeUnknownError):
        await client.redeem(CARD, TEN, request_id=uuid4())


async def test_an_unreadable_request_names_its_field(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    INVALID_ARGUMENT is refused, with the fields the gateway named.
    """
    status = status_of(
        grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_REQUEST",
        problem=("card_number", "digits only"),
    )
    gateway.steps.append(fails(status))

    with pytest.raises(RefusedError, match="card_number: digits only") as raised:
        await client.redeem(CARD, TEN, request_id=uuid4())

    assert "card_number" == raised.value.problems[0].field


async def test_a_denied_device_is_refused(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    PERMISSION_DENIED tells to keep the journal and to call the operator.
    """
    status = status_of(grpc.StatusCode.PERMISSION_DENIED, reason="DEVICE_DENIED")
    gateway.steps.append(fails(status))

    with pytest.raises(RefusedError, match="operator"):
        await client.redeem(CARD, TEN, request_id=uuid4())


async def test_a_wrong_terminal_is_a_matter_of_set_up(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    The same status with the reason TERMINAL_DENIED has advice of its own.
    """
    status = status_of(grpc.StatusCode.PERMISSION_DENIED, reason="TERMINAL_DENIED")
    gateway.steps.append(fails(status))

    with pytest.raises(RefusedError, match="one of its store"):
        await client.redeem(CARD, TEN, request_id=uuid4())


async def test_not_recorded_so_far_is_not_final(client: TillClient) -> None:
    """
    Only a reversal makes an absence final; then it is said so.
    """
    request_id = uuid4()

    with pytest.raises(NotRecordedError, match="not final") as before:
        await client.get_transaction(request_id)
    await client.reverse(request_id, request_id=uuid4(), reason=ReversalReason.TIMEOUT)
    with pytest.raises(NotRecordedError, match="never be done") as after:
        await client.get_transaction(request_id)

    assert not before.value.final
    assert after.value.final


async def test_cancelling_the_waiting_task_cancels_the_call(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    Who stops waiting has an unknown outcome: it was done, and the id says so later.
    """
    gateway.steps.append(hangs(5))
    request_id = uuid4()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.redeem(CARD, TEN, request_id=request_id), 0.1)
    answer = await client.redeem(CARD, TEN, request_id=request_id)

    assert answer.replayed
    assert 9_000 == gateway.balance
