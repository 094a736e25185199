"""
What a decision saw that its record does not tell, kept for its explanation.

JSON, in the smallest form: it is written with every transaction. `view_of` and
`command_of` bring it back (gateway.domain.explain). A newer form gets a new number in
its first place; old ones stay readable for ever.
"""

import json
from datetime import date, datetime
from typing import Any, Final

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Command
from gateway.domain.originals import Original, Refunds

FORM: Final = 1
_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

# What a command asks besides what its record tells, by the names of its fields.
_ASKED: Final = ("allow_partial", "keep_open", "time_to_live_s")
_AMOUNTS: Final = ("amount", "initial_amount")


def seen_of(command: Command, card: Card | None, original: Original | None) -> bytes:
    """
    Write down what a decision is about to see.
    """
    asked = {
        name: value
        for name in _ASKED
        if (value := getattr(command, name, None)) not in {None, False}
    }
    if any(getattr(command, name, None) is not None for name in _AMOUNTS):
        asked["amount"] = True
    parts: list[Any] = [FORM, type(command).__name__, asked, _card_parts(card)]
    if original is not None:
        parts.append(_original_parts(original))
    return _encode(parts).encode()


def _card_parts(card: Card | None) -> list[Any] | None:
    if card is None:
        return None
    return [
        card.state,
        card.block_reason,
        card.balance_minor,
        card.held_minor,
        card.unconfirmed_minor,
        card.load_count,
        card.loaded_minor,
        None if card.expires_on is None else card.expires_on.isoformat(),
        card.version,
        card.issue_batch_id,
        card.restriction_set_id,
        None if card.next_hold_expiry is None else card.next_hold_expiry.isoformat(),
        card.replaced_by,
    ]


def card_seen(now: Card, parts: list[Any]) -> Card:
    """
    Give a card as a decision saw it; `now` is its row, for what never changes.
    """
    state, block, balance, held, unconfirmed, loads, loaded, last, *rest = parts
    version, batch, restriction, expiry, replaced_by = rest
    return Card(
        card_id=now.card_id,
        program_id=now.program_id,
        product_id=now.product_id,
        number_index=now.number_index,
        last_four=now.last_four,
        state=CardState(state),
        block_reason=None if block is None else BlockReason(block),
        currency=now.currency,
        balance_minor=balance,
        held_minor=held,
        unconfirmed_minor=unconfirmed,
        load_count=loads,
        expires_on=None if last is None else date.fromisoformat(last),
        version=version,
        last_transaction_at=None,
        loaded_minor=loaded,
        issue_batch_id=batch,
        restriction_set_id=restriction,
        next_hold_expiry=None if expiry is None else datetime.fromisoformat(expiry),
        replaced_by=replaced_by,
    )


def _original_parts(original: Original) -> list[Any]:
    return [
        original.reversed,
        original.later_activity,
        original.voided,
        list(original.refunds),
        original.confirmed,
    ]


def original_seen(original: Original, parts: list[Any]) -> Original:
    """
    Give an original as a decision saw it, whatever has become of it since.
    """
    was_reversed, later, voided, refunds, confirmed = parts
    return original._replace(
        reversed=was_reversed,
        later_activity=later,
        voided=voided,
        refunds=Refunds._make(refunds),
        confirmed=confirmed,
    )
