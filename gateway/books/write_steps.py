"""
What a batch decided, as the statements that write it: one trip, set by set.
"""

from gateway.books.columns import (
    card_parameters,
    exception_parameters,
    hold_parameters,
    posting_parameters,
    step_parameters,
    terminal_parameters,
    transaction_parameters,
    try_parameters,
)
from gateway.books.staff_columns import staff_steps
from gateway.books.wire import Step, step
from gateway.engine.ports import WriteSet


def write_steps(writes: WriteSet) -> list[Step]:
    """
    Give the statements, none for what there is nothing of.
    """
    steps = []
    if writes.records:
        parameters = transaction_parameters(writes.records)
        steps.append(step("insert_transactions", parameters))
    if writes.postings:
        parameters = posting_parameters(writes.postings)
        steps.append(step("insert_postings", parameters))
    if writes.cards:
        parameters = card_parameters(writes.cards, writes.card_versions, writes.uses)
        steps.append(step("update_cards", parameters))
    if writes.tries:
        steps.append(step("write_pin_tries", try_parameters(writes.tries)))
    if writes.holds:
        steps.append(step("write_holds", hold_parameters(writes.holds)))
    if writes.steps:
        steps.append(step("insert_hold_steps", step_parameters(writes.steps)))
    if writes.exceptions:
        parameters = exception_parameters(writes.exceptions)
        steps.append(step("insert_exceptions", parameters))
    if writes.terminal_uses:
        parameters = terminal_parameters(writes.terminal_uses)
        steps.append(step("update_terminals", parameters))
    return [*steps, *staff_steps(writes)]
