"""
Explain what books in memory recorded.
"""

from dataclasses import replace

from gateway.domain.commands import Command
from gateway.domain.decide import decide
from gateway.domain.decision import View
from gateway.domain.errors import GatewayError
from gateway.domain.explain import explain
from gateway.domain.explanation import Explanation
from gateway.domain.ids import TransactionId
from gateway.domain.originals import Original
from gateway.domain.policy import Policy
from gateway.domain.recall import Recorded, Wanted, recall, wanted_by
from gateway.domain.results import ActivityType
from tests.support.explained import fault_of
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


def require_explainable(
    command: Command, view: View, original: Original | None
) -> Explanation | None:
    """
    Decide, explain what is recorded, and fail unless the two agree in every field.

    None: it could not be decided.
    """
    try:
        decision = decide(command, view, original)
    except GatewayError:
        return None
    record = decision.record
    places = {command.terminal_id: view.place}
    recorded = Recorded(
        record=record,
        policy=replace(view.policy, places=places),
        cards={card.card_id: card for card in (view.card, view.other) if card},
        original=None if original is None else original.record,
        second=decision.also[0].record if decision.also else None,
    )
    explanation = explain(recorded)
    again = recall(recorded).decide()
    assert again.record == record
    assert [one.record for one in again.also] == [one.record for one in decision.also]
    fault = fault_of(explanation)
    assert fault is None, f"{fault}: {explanation}"
    return explanation
