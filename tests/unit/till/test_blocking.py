"""
A program without asyncio sells by the same rules.
"""

import asyncio
from pathlib import Path

import pytest

from currency import Currency, Money
from tests.unit.till.fake_gateway import UNKNOWN, FakeGateway, loses
from tests.unit.till.tls_site import Site
from till import (
    CardNumber,
    Connection,
    CredentialError,
    Ending,
    FileJournal,
    NotRecordedError,
    new_request_id,
)
from till.blocking import BlockingTill

CARD = CardNumber("4111111111111111")
ONE = Money(100, Currency.of("USD"))


async def test_it_sells_and_undoes(
    site: Site, gateway: FakeGateway, tmp_path: Path
) -> None:
    """
    From a thread without a loop: a sale, a lost answer, an undone one, a balance.
    """

    def trade() -> None:
        with BlockingTill(site.connection, tmp_path / "journal") as till:
            assert [] == till.settle_open()
            sale = till.sell(CARD, ONE)
            gateway.steps.append(loses(UNKNOWN))
            again = till.sell(CARD, ONE)
            undone = till.undo(sale.request_id)
            left = till.balance(CARD)

            assert sale.paid
            assert again.paid
            assert again.answer.replayed
            assert Ending.UNDONE is undone.ending
            assert Money(9_900, ONE.currency) == left.available_balance
            assert till.get_transaction(again.request_id).stands
            with pytest.raises(NotRecordedError):
                till.get_transaction(new_request_id())

    await asyncio.to_thread(trade)

    journal = FileJournal(tmp_path / "journal")
    assert [] == journal.open_entries()
    journal.close()


def test_what_cannot_open_leaves_nothing_behind(tmp_path: Path) -> None:
    """
    With a missing certificate the journal is free again.
    """
    nothing = tmp_path / "none"
    connection = Connection(
        address="127.0.0.1:1",
        certificate_file=nothing,
        key_file=nothing,
        authority_file=nothing,
    )

    with pytest.raises(CredentialError):
        BlockingTill(connection, tmp_path / "journal")

    FileJournal(tmp_path / "journal").close()
