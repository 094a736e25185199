"""
The till's offline queue against a real gateway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from currency import Currency, Money
from till import (
    CardNumber,
    Connection,
    OfflineQueue,
    Result,
    TillClient,
    TransactStream,
    new_request_id,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Gateway

USD = Currency.of("USD")


async def test_a_days_sales_are_told_at_once(
    gateway_process: Gateway, tmp_path: Path
) -> None:
    """
    Sold while offline, one taken back, the power lost, then all told over one stream.
    """
    pair = gateway_process.register("kiosk")
    (tmp_path / "device.crt").write_bytes(pair.cert_pem)
    (tmp_path / "device.key").write_bytes(pair.key_pem)
    connection = Connection(
        address=f"127.0.0.1:{gateway_process.port}",
        certificate_file=tmp_path / "device.crt",
        key_file=tmp_path / "device.key",
        authority_file=gateway_process.authority.certificate_path,
    )
    (card,) = gateway_process.new_cards(1)
    number = CardNumber(card.number)
    queue = OfflineQueue(tmp_path / "offline.jsonl")
    sales = [await queue.sell(number, Money(9_00, USD)) for _ in range(12)]
    await queue.take_back(sales[0].request_id)
    queue.close()

    async with TillClient.open(connection) as client:
        await client.activate(
            number, initial_amount=Money(50_00, USD), request_id=new_request_id()
        )
        again = OfflineQueue(tmp_path / "offline.jsonl")
        async with TransactStream(client.channels[0]) as stream:
            told = await again.send_all(stream)
        left = again.waiting()
        again.close()
        balance = await client.balance(number)

    answers = {each.request.request_id: each.answer for each in told}
    paid = 0
    for sale in sales[1:]:
        answer = answers[sale.request_id]
        assert answer is not None
        assert answer.result is Result.APPROVED
        assert answer.approved_amount is not None
        paid += answer.approved_amount.minor_units
        assert (answer.exception is None) == (answer.approved_amount == sale.amount)
    assert left == []
    assert len(told) == 13
    assert paid <= 50_00
    assert balance.available_balance == Money(50_00 - paid, USD)
    gateway_process.books_check()
