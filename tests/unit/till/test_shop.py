"""
A shop brings every request to an end: answered, or undone.
"""

from uuid import UUID, uuid4

import grpc
import pytest

from currency import Currency, Money
from scrip.v1 import result_pb2, transaction_pb2
from scrip.v1.card_service_pb2 import ReverseRequest
from tests.unit.till.fake_gateway import (
    NOT_APPLIED,
    UNKNOWN,
    FakeGateway,
    Step,
    fails,
    loses,
    status_of,
)
from till import (
    CardNumber,
    Ending,
    Load,
    MemoryJournal,
    Redeem,
    Refund,
    RefusedError,
    Result,
    ReversalReason,
    Shop,
    StillOpenError,
    TillClient,
    Void,
)
from till.shop import ResolvePolicy
from till.wire import Message

CARD = CardNumber("4111111111111111")
USD = Currency.of("USD")
TEN = Money(1_000, USD)
# One attempt of the client is five of the channel, where it is UNAVAILABLE.
UNSEEN = 5


@pytest.fixture
def pauses() -> list[float]:
    """
    Collect the pauses instead of making them.
    """
    return []


@pytest.fixture
def journal() -> MemoryJournal:
    """
    Give a journal to look into.
    """
    return MemoryJournal()


@pytest.fixture
def shop(client: TillClient, journal: MemoryJournal, pauses: list[float]) -> Shop:
    """
    Give a shop with two resends, four attempts to reverse, and no real pauses.
    """

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    policy = ResolvePolicy(resends=2, reversal_attempts=4)
    return Shop(client, journal, policy=policy, pause=pause)


def operations(gateway: FakeGateway) -> list[str]:
    """
    Name what reached the gateway, in order.
    """
    return [type(request).__name__.removesuffix("Request") for request in gateway.seen]


async def test_a_sale_is_answered(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    Without trouble a sale is one call, paid, and out of the journal.
    """
    settled = await shop.sell(CARD, TEN)

    assert settled.paid
    assert Ending.ANSWERED is settled.ending
    assert ["Redeem"] == operations(gateway)
    assert [] == journal.open_entries()


async def test_a_decline_is_an_end(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    A decline is final: nothing is sent again, nothing is reversed.
    """
    settled = await shop.sell(CARD, Money(99_999, USD))

    assert not settled.paid
    assert Result.INSUFFICIENT_FUNDS is settled.answer.result
    assert ["Redeem"] == operations(gateway)
    assert [] == journal.open_entries()


async def test_the_request_is_kept_before_it_is_sent(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    While the gateway works on it the journal holds it, without the card's number.
    """
    kept: list[str] = []

    async def look(gateway: FakeGateway, request: Message) -> transaction_pb2.Outcome:
        kept.extend(str(entry) for entry in journal.open_entries())
        return gateway.decide(request)

    gateway.steps.append(look)
    await shop.sell(CARD, TEN)

    assert 1 == len(kept)
    assert "10.00" in kept[0]
    assert CARD.digits not in kept[0]


async def test_a_lost_answer_is_asked_again(
    shop: Shop, gateway: FakeGateway, pauses: list[float]
) -> None:
    """
    An unknown outcome is sent again under the same id: one debit, a replay, paid.
    """
    gateway.steps.append(loses(UNKNOWN))

    settled = await shop.sell(CARD, TEN)

    assert settled.paid
    assert settled.answer.replayed
    assert ["Redeem", "Redeem"] == operations(gateway)
    assert 1 == len({request.request_id for request in gateway.seen})
    assert 9_000 == gateway.balance
    assert 1 == len(pauses)


async def test_the_hosts_delay_is_kept(
    shop: Shop, gateway: FakeGateway, pauses: list[float]
) -> None:
    """
    NOT_APPLIED with a delay: the till waits at least that long.
    """
    busy = status_of(
        grpc.StatusCode.RESOURCE_EXHAUSTED, reason="NOT_APPLIED", retry_after_ms=700
    )
    gateway.steps.append(fails(busy))

    settled = await shop.sell(CARD, TEN)

    assert settled.paid
    assert [0.7] == pauses


async def test_no_answer_at_all_is_reversed(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    After the resends the sale is reversed: it was done, and the money comes back.
    """
    gateway.steps.extend([loses(UNKNOWN)] * 3)

    settled = await shop.sell(CARD, TEN)

    assert Ending.UNDONE is settled.ending
    assert not settled.paid
    assert ["Redeem"] * 3 + ["Reverse"] == operations(gateway)
    reversal = gateway.last(ReverseRequest)
    assert gateway.seen[0].request_id == reversal.original_request_id
    assert ReversalReason.TIMEOUT.value == reversal.reason
    assert 10_000 == gateway.balance
    assert [] == journal.open_entries()


async def test_what_was_never_done_will_never_be(
    shop: Shop, gateway: FakeGateway
) -> None:
    """
    A reversal of what did not arrive is final too, and shuts out the late original.
    """
    gateway.steps.extend([fails(NOT_APPLIED)] * (3 * UNSEEN))

    settled = await shop.sell(CARD, TEN)
    late = gateway.decide(gateway.seen[0])

    assert Ending.UNDONE is settled.ending
    assert Result.ORIGINAL_NOT_FOUND is settled.answer.result
    assert result_pb2.RESULT_ALREADY_REVERSED == late.result
    assert 10_000 == gateway.balance


async def test_an_unanswered_reversal_stays_in_the_journal(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    The sale and its reversal stay open, and the next start brings both to an end.
    """
    gateway.steps.extend([loses(UNKNOWN)] * (3 + 4))

    with pytest.raises(StillOpenError):
        await shop.sell(CARD, TEN)
    open_before = journal.open_entries()
    settled = await shop.settle_open()

    assert ["redeem", "reverse"] == [entry.operation for entry in open_before]
    assert [Ending.UNDONE] == [end.ending for end in settled]
    assert settled[0].answer.replayed
    assert 2 == len({request.request_id for request in gateway.seen})
    assert [] == journal.open_entries()
    assert 10_000 == gateway.balance


async def test_what_a_power_loss_left_is_reversed(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    At the start whatever is open is reversed: nobody got a receipt for it.
    """
    sale = Redeem(request_id=uuid4(), card_number=CARD, amount=TEN)
    await journal.begin(sale)

    settled = await shop.settle_open()

    assert [sale.request_id] == [end.request_id for end in settled]
    assert str(sale.request_id) in gateway.tombstones
    assert [] == journal.open_entries()


async def test_a_load_that_cannot_be_undone_stands(
    shop: Shop, gateway: FakeGateway
) -> None:
    """
    When its money was spent meanwhile a reversal is declined, and the load is told.
    """

    def declines(result: result_pb2.Result.ValueType) -> Step:
        async def step(
            gateway: FakeGateway, request: Message
        ) -> transaction_pb2.Outcome:
            return gateway.outcome(request, result)

        return step

    spent = result_pb2.RESULT_FURTHER_ACTIVITY_PREVENTS_REVERSAL
    gateway.steps.extend([loses(UNKNOWN)] * 3 + [declines(spent)])

    settled = await shop.perform(Load(request_id=uuid4(), card_number=CARD, amount=TEN))

    assert settled.paid
    assert ["Load"] * 3 + ["Reverse", "GetTransaction"] == operations(gateway)
    assert 11_000 == gateway.balance


async def test_a_void_without_an_answer_is_found_done(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    A void cannot be reversed, so giving it up finds out that it stands.
    """
    sale = await shop.sell(CARD, TEN)
    gateway.steps.extend([loses(UNKNOWN)] * 3)

    void = Void(request_id=uuid4(), original_request_id=sale.request_id)
    settled = await shop.perform(void)

    assert settled.paid
    assert Ending.ANSWERED is settled.ending
    assert ["Void"] * 3 + ["Reverse", "GetTransaction"] == operations(gateway)[1:]
    assert [] == journal.open_entries()
    assert 10_000 == gateway.balance


async def test_a_refund_without_an_answer_is_reversed(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    Like a sale: it never arrived, and never will.
    """
    gateway.steps.extend([fails(NOT_APPLIED)] * (3 * UNSEEN))

    settled = await shop.perform(
        Refund(request_id=uuid4(), original_request_id=uuid4(), amount=TEN)
    )

    assert Ending.UNDONE is settled.ending
    assert str(settled.request_id) in gateway.tombstones
    assert [] == journal.open_entries()


async def test_an_unreadable_request_is_final(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    INVALID_ARGUMENT raises and leaves the journal: it can never be recorded.
    """
    status = status_of(grpc.StatusCode.INVALID_ARGUMENT, reason="INVALID_REQUEST")
    gateway.steps.append(fails(status))

    with pytest.raises(RefusedError):
        await shop.sell(CARD, TEN)

    assert [] == journal.open_entries()


async def test_a_denied_device_keeps_its_journal(
    shop: Shop, gateway: FakeGateway, journal: MemoryJournal
) -> None:
    """
    PERMISSION_DENIED raises and stays open: an earlier attempt may have been done.
    """
    status = status_of(grpc.StatusCode.PERMISSION_DENIED, reason="DEVICE_DENIED")
    gateway.steps.append(fails(status))

    with pytest.raises(RefusedError):
        await shop.sell(CARD, TEN)

    assert 1 == len(journal.open_entries())


async def test_an_answer_in_unknown_money_is_reversed(
    shop: Shop, gateway: FakeGateway
) -> None:
    """
    An approval the till cannot count is not sent again but reversed, reason 4020.
    """

    async def foreign(
        gateway: FakeGateway, request: Message
    ) -> transaction_pb2.Outcome:
        outcome = gateway.decide(request)
        outcome.approved_amount.exponent = 5
        return outcome

    gateway.steps.append(foreign)

    settled = await shop.sell(CARD, TEN)

    assert Ending.UNDONE is settled.ending
    assert ["Redeem", "Reverse"] == operations(gateway)
    assert ReversalReason.INVALID_RESPONSE.value == gateway.last(ReverseRequest).reason


async def test_a_customer_who_changes_their_mind(
    shop: Shop, gateway: FakeGateway
) -> None:
    """
    An approved sale can be undone, and its replay is then not paid.
    """
    settled = await shop.sell(CARD, TEN)

    undone = await shop.undo(settled.request_id)

    assert Ending.UNDONE is undone.ending
    assert (
        ReversalReason.CUSTOMER_CANCELLATION.value
        == gateway.last(ReverseRequest).reason
    )
    assert UUID(gateway.last(ReverseRequest).original_request_id) == settled.request_id
    assert 10_000 == gateway.balance
