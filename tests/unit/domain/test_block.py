"""
Block and Unblock decide as domain 1.3 and docs/adr/0017 say.
"""

from dataclasses import replace

import pytest

from gateway.domain.cards import BlockReason, CardState
from gateway.domain.policy import PartyState
from gateway.domain.results import ActivityType, Channel, Result
from tests.support import world
from tests.support.lives import block, decided, lost, product, rules, unblock

LOST, STOLEN = BlockReason.LOST, BlockReason.STOLEN
FRAUD, CUSTOMER = BlockReason.FRAUD, BlockReason.CUSTOMER


@pytest.mark.parametrize("state", [CardState.ACTIVE, CardState.DEPLETED])
@pytest.mark.parametrize("reason", list(BlockReason))
def test_a_card_is_blocked(state: CardState, reason: BlockReason) -> None:
    """
    00: the card is BLOCKED for the reason, which the row keeps; no money moves.
    """
    decision = decided(block(reason), world.card(state=state))
    record, after = decision.record, decision.card

    assert after is not None
    assert (after.state, after.block_reason) == (CardState.BLOCKED, reason)
    assert (after.version, after.balance_minor) == (2, 100_00)
    assert (record.activity, record.result) == (ActivityType.BLOCK, Result.APPROVED)
    assert (record.reason, record.channel, record.actor) == (reason, Channel.API, None)
    assert (record.card_state, record.card_seq) == (CardState.BLOCKED, 2)
    assert record.approval_code
    assert not decision.postings


def test_a_till_is_not_told_the_balance_of_what_it_blocks() -> None:
    """
    Who blocks a card needs to know nothing of it; staff may.
    """
    by_till = decided(block(), world.card()).record
    by_staff = decided(block(channel=Channel.IVR), world.card()).record

    assert not by_till.balances_shown
    assert by_staff.balances_shown
    assert (by_staff.channel, by_staff.actor) == (Channel.IVR, "clerk-7")


@pytest.mark.parametrize(
    ("own", "asked", "left"),
    [
        (LOST, LOST, LOST),
        (CUSTOMER, FRAUD, FRAUD),
        (CUSTOMER, LOST, LOST),
        (CUSTOMER, STOLEN, STOLEN),
        (LOST, STOLEN, STOLEN),
        (STOLEN, LOST, STOLEN),
        (LOST, CUSTOMER, LOST),
        (FRAUD, CUSTOMER, FRAUD),
        (FRAUD, LOST, FRAUD),
        (FRAUD, STOLEN, FRAUD),
    ],
)
def test_a_blocked_card_takes_only_a_graver_reason(
    own: BlockReason, asked: BlockReason, left: BlockReason
) -> None:
    """
    00 all the same. A till does not take a card out of a suspicion of fraud.
    """
    decision = decided(block(asked), lost(block_reason=own))
    record = decision.record

    assert record.result is Result.APPROVED
    assert record.card_state is CardState.BLOCKED
    if own is left:
        assert decision.card is None
        assert record.card_seq is None
    else:
        assert decision.card is not None
        assert decision.card.block_reason is left


@pytest.mark.parametrize("channel", [Channel.IVR, Channel.ADMIN, Channel.FRAUD])
def test_staff_take_a_card_out_of_a_suspicion_of_fraud(channel: Channel) -> None:
    """
    FRAUD becomes LOST when staff say so, and the card can be replaced then.
    """
    decision = decided(block(LOST, channel=channel), lost(block_reason=FRAUD))

    assert decision.card is not None
    assert decision.card.block_reason is LOST


@pytest.mark.parametrize("channel", [Channel.IVR, Channel.ADMIN, Channel.FRAUD])
@pytest.mark.parametrize("own", [LOST, STOLEN, CUSTOMER])
def test_a_suspicion_of_staff_takes_any_reasons_place(
    own: BlockReason, channel: Channel
) -> None:
    """
    A LOST card could be replaced, and what is suspected moved on: FRAUD keeps it.
    """
    decision = decided(block(FRAUD, channel=channel), lost(block_reason=own))

    assert decision.card is not None
    assert decision.card.block_reason is FRAUD
    assert decision.record.reason is FRAUD


def test_a_suspicion_of_a_till_leaves_a_lost_card_lost() -> None:
    """
    A till does not keep the call centre from replacing a card.
    """
    assert decided(block(FRAUD), lost(block_reason=LOST)).card is None


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (CardState.CREATED, Result.CARD_NOT_ACTIVE),
        (CardState.PENDING, Result.CARD_NOT_ACTIVE),
        (CardState.DEACTIVATED, Result.CARD_CLOSED),
    ],
)
def test_what_cannot_be_blocked_or_unblocked(state: CardState, result: Result) -> None:
    """
    78 for a card that was not activated, or is closed.
    """
    card = world.card(0, state=state)

    assert decided(block(), card).record.result is result
    assert decided(unblock(), card).record.result is result


def test_a_block_asks_for_neither_day_nor_place() -> None:
    """
    A card is blocked after its last day too.
    """
    expired = world.card(expires_on=world.LONG_AGO.date())

    assert decided(block(), expired).record.result is Result.APPROVED


def test_a_product_binds_tills_and_not_staff() -> None:
    """
    57 NOT_PERMITTED where tills may not block; the call centre always may.
    """
    policy = rules(product(world.RELOADABLE, permitted=frozenset()))
    by_till = decided(block(), world.card(), policy=policy)
    by_staff = decided(block(channel=Channel.IVR), world.card(), policy=policy)

    assert by_till.record.result is Result.NOT_PERMITTED
    assert by_staff.record.result is Result.APPROVED


def test_the_earlier_checks_come_first() -> None:
    """
    58 before 14, and 14 for a card not accepted here, of which nothing is told.
    """
    closed = rules(at=world.place(terminal=PartyState.CLOSED))
    foreign = rules(accepted=False)
    for command in (block(), unblock()):
        shut = decided(command, None, policy=closed).record
        unknown = decided(command, None).record
        hidden = decided(command, world.card(), policy=foreign).record

        assert shut.result is Result.INVALID_TERMINAL
        assert unknown.result is Result.INVALID_CARD
        assert (hidden.result, hidden.card_id) == (Result.INVALID_CARD, None)


@pytest.mark.parametrize("reason", list(BlockReason))
def test_staff_unblock_a_card(reason: BlockReason) -> None:
    """
    00: ACTIVE again, without a reason; the row says which block ended.
    """
    decision = decided(unblock(), lost(block_reason=reason))
    record, after = decision.record, decision.card

    assert after is not None
    assert (after.state, after.block_reason) == (CardState.ACTIVE, None)
    assert record.activity is ActivityType.UNBLOCK
    assert (record.reason, record.actor) == (reason, "clerk-7")
    assert record.balances_shown


@pytest.mark.parametrize(
    ("balance", "loads", "state"),
    [
        (0, 1, CardState.DEPLETED),
        (0, 0, CardState.ACTIVE),
        (1, 1, CardState.ACTIVE),
    ],
)
def test_a_spent_card_of_one_load_is_depleted_again(
    balance: int, loads: int, state: CardState
) -> None:
    """
    BLOCKED goes to DEPLETED where the one load is spent.
    """
    card = lost(balance, product_id=world.ONE_TIME, load_count=loads)
    after = decided(unblock(), card).card

    assert after is not None
    assert after.state is state


@pytest.mark.parametrize("state", [CardState.ACTIVE, CardState.DEPLETED])
def test_what_is_not_blocked_stays_as_it_is(state: CardState) -> None:
    """
    Unblock of a usable card: 00, and nothing changes.
    """
    decision = decided(unblock(), world.card(state=state))

    assert decision.record.result is Result.APPROVED
    assert (decision.card, decision.record.card_seq) == (None, None)


@pytest.mark.parametrize("channel", [Channel.API, Channel.PORTAL, Channel.SYSTEM])
def test_only_staff_unblock(channel: Channel) -> None:
    """
    57 for whoever else asks, and the balance is not told.
    """
    record = decided(replace(unblock(), channel=channel), lost()).record

    assert (record.result, record.balances_shown) == (Result.NOT_PERMITTED, False)
