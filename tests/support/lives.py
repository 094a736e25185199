"""
What the life of a card needs besides a small world: who blocks, closes, replaces it.

Decisions about two cards are made here with a second one beside the world's own.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import (
    Block,
    CardRef,
    Command,
    Deactivate,
    Replace,
    TransferBalance,
    Unblock,
)
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import (
    CardId,
    ProductId,
    RestrictionSetId,
    RestrictionVersionId,
    TransactionId,
)
from gateway.domain.policy import Policy, Product
from gateway.domain.restrictions import ListedStore, ListRule, Restriction
from gateway.domain.results import ActivityType, Channel
from tests.support import world

OTHER_INDEX = b"\x08" * 32
SECOND_ID = TransactionId((999).to_bytes(16))
LIMITED = ProductId(5)
CLERK = "clerk-7"
BARRED, OPEN = RestrictionSetId(5), RestrictionSetId(6)
BARRED_VERSION = RestrictionVersionId(50)
_CARRIED = ("request_id", "terminal_id", "card", "till", "fingerprint", "content")


def _common(number: int) -> dict[str, Any]:
    plain = world.cash_out(number=number)
    return {name: getattr(plain, name) for name in _CARRIED}


def block(
    reason: BlockReason = BlockReason.LOST,
    *,
    number: int = 1,
    channel: Channel = Channel.API,
) -> Block:
    """
    Ask to block the card.
    """
    actor = None if channel is Channel.API else CLERK
    return Block(**_common(number), reason=reason, channel=channel, actor=actor)


def unblock(*, number: int = 2, channel: Channel = Channel.IVR) -> Unblock:
    """
    Ask to unblock the card.
    """
    return Unblock(**_common(number), channel=channel, actor=CLERK)


def deactivate(*, number: int = 3, channel: Channel = Channel.API) -> Deactivate:
    """
    Ask to close the card.
    """
    actor = None if channel is Channel.API else CLERK
    return Deactivate(**_common(number), channel=channel, actor=actor)


def take_place(
    *, number: int = 4, channel: Channel = Channel.IVR, index: bytes = OTHER_INDEX
) -> Replace:
    """
    Ask to put the other card in the place of the first.
    """
    other = CardRef(index, "5678")
    return Replace(**_common(number), other=other, channel=channel, actor=CLERK)


def transfer(*, number: int = 5, index: bytes = OTHER_INDEX) -> TransferBalance:
    """
    Ask to move what can be spent to the other card.
    """
    return TransferBalance(**_common(number), other=CardRef(index, "5678"))


def product(product_id: ProductId, **changes: Any) -> Product:
    """
    Make a product that permits everything a till can ask.
    """
    changes.setdefault("permitted", frozenset(ActivityType))
    return world.product(product_id, **changes)


def rules(*more: Product, **changes: Any) -> Policy:
    """
    Give the policy of the world, in which every product permits everything.
    """
    products = [
        product(world.RELOADABLE),
        product(world.ONE_TIME, reloadable=False),
        product(world.EURO, currency="EUR"),
        product(LIMITED, max_balance_minor=120_00),
        *more,
    ]
    return world.policy(products=products, **changes)


def lost(balance_minor: int = 100_00, **changes: Any) -> Card:
    """
    Make a card that is blocked as lost.
    """
    changes.setdefault("block_reason", BlockReason.LOST)
    return world.card(balance_minor, state=CardState.BLOCKED, **changes)


def other(
    balance_minor: int = 0, *, state: CardState = CardState.ACTIVE, **changes: Any
) -> Card:
    """
    Make the second card: ACTIVE and empty, unless told otherwise.
    """
    made = world.card(balance_minor, state=state, load_count=0)
    own: dict[str, Any] = {
        "card_id": CardId(2),
        "number_index": OTHER_INDEX,
        "last_four": "5678",
    }
    return replace(made, **(own | changes))


def new(**changes: Any) -> Card:
    """
    Make the second card as it leaves the printer: PENDING.
    """
    return other(state=CardState.PENDING, **changes)


def decided(
    command: Command,
    seen: Card | None,
    second: Card | None = None,
    *,
    policy: Policy | None = None,
    now: datetime = world.NOW,
    holds: tuple[Hold, ...] = (),
) -> Decision:
    """
    Decide a command with what it sees of two cards.
    """
    known = policy or rules()
    view = world.view(seen, rules=known, now=now, number=command.request_id[-1])
    stamp = view.stamp._replace(second_id=SECOND_ID)
    view = view._replace(stamp=stamp, other=second, holds=holds)
    return decide(command, view, None)


def restricted(policy: Policy) -> Policy:
    """
    Give the policy two sets: one that bars the world's store, one that bars nothing.
    """
    here = ListedStore(ListRule.DENY, world.STORE)
    sets = {
        BARRED: Restriction.of(BARRED_VERSION, [here], ()),
        OPEN: Restriction.of(RestrictionVersionId(60), (), ()),
    }
    return replace(policy, restrictions=sets)


def open_hold(number: int, card_minor: int, card_id: int = 1) -> Hold:
    """
    Make an open hold of a card.
    """
    return Hold(
        hold_id=TransactionId(number.to_bytes(16)),
        card_id=CardId(card_id),
        terminal_id=world.TERMINAL,
        state=HoldState.OPEN,
        currency_code="USD",
        authorized_minor=card_minor,
        card_minor=card_minor,
        captured_minor=0,
        captured_card_minor=0,
        rate_transaction=None,
        rate_card=None,
        applied_rate=None,
        rate_table_version=None,
        rate_effective_from=None,
        expires_at=world.NOW + timedelta(days=7),
    )
