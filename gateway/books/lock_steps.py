"""
The steps with which a batch begins: cards and terminals to lock, and keys to claim.
"""

from gateway.books.arrays import byteas, int8s
from gateway.books.columns import claim_parameters
from gateway.books.wire import Step, step
from gateway.engine.locking import LockRequest


def patience_step(patience_ms: int | None) -> list[Step]:
    """
    Bound each wait of a transaction, if it has a bound of its own.
    """
    if patience_ms is None:
        return []
    return [step("set_patience", [b"%dms" % patience_ms])]


def lock_steps(request: LockRequest) -> list[Step]:
    """
    Lock the cards, and only then the terminals: two batches wait in one order.
    """
    steps = _card_steps(request)
    if request.terminals:
        steps.append(step("lock_terminals", [int8s(request.terminals)]))
    return steps


def _card_steps(request: LockRequest) -> list[Step]:
    indexes, card_ids = request.card_indexes, request.card_ids
    if indexes and card_ids:
        return [step("lock_cards", [byteas(indexes), int8s(card_ids)])]
    if indexes:
        return [step("lock_cards_by_index", [byteas(indexes)])]
    if card_ids:
        name = "lock_cards_by_id" if request.waits else "lock_free_cards_by_id"
        return [step(name, [int8s(card_ids)])]
    return []


def claim_step(request: LockRequest) -> list[Step]:
    """
    Claim the keys, if there are any: a batch that only sweeps has none.
    """
    if not request.claims:
        return []
    return [step("claim_keys", claim_parameters(request.claims))]


def pin_step(request: LockRequest) -> list[Step]:
    """
    Read PINs, if any are asked for.
    """
    if not request.reads_pins:
        return []
    named = [byteas(request.pin_indexes), int8s(request.pin_card_ids)]
    return [step("card_pins", named)]
