"""
Explain what books in memory recorded.
"""

from gateway.domain.ids import TransactionId
from gateway.domain.policy import Policy
from gateway.domain.recall import Recorded, Wanted, wanted_by
from gateway.domain.results import ActivityType
from tests.support.fake_books import FakeBooks


def recorded_in(
    books: FakeBooks, transaction_id: TransactionId, policy: Policy
) -> Recorded:
    """
    Gather what explains a transaction, as the real books do.
    """
    record = books.records[transaction_id]
    if record.activity is ActivityType.TRANSFER_BALANCE_TO:
        assert record.original_transaction_id is not None
        record = books.records[record.original_transaction_id]
    wanted = wanted_by(record)
    assert isinstance(wanted, Wanted)
    return Recorded(
        record=record,
        policy=policy,
        cards={card_id: books.cards[card_id] for card_id in wanted.card_ids},
        original=(
            None if wanted.original_id is None else books.records[wanted.original_id]
        ),
        second=next(
            (
                other
                for other in books.records.values()
                if other.activity is ActivityType.TRANSFER_BALANCE_TO
                and other.original_transaction_id == record.transaction_id
            ),
            None,
        ),
    )
