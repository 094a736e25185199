"""
No answer tells a balance that GetBalance would not tell, unless it is a receipt.
"""

from dataclasses import replace

import pytest

from gateway.domain.balance import read_balance
from gateway.domain.cards import Card, CardState
from gateway.domain.commands import Command, MoneyCommand, Naming, Reverse, Void
from gateway.domain.decide import decide
from gateway.domain.holds import Hold
from gateway.domain.originals import Original
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import APPROVALS, ActivityType, Channel, Result
from tests.support import late_requests, lives, world
from tests.support.held_world import authorize, cancel, capture, increment
from tests.support.pins import ask_balance, kept_pin, with_pin
from tests.support.world import amount

FULL, MUCH, LITTLE = world.card(), amount(200_00), amount(1_00)
HELD = world.card(held_minor=10_00)
# What no card can do here, and all of its checks up to 11 passed.
REFUSED: list[tuple[MoneyCommand, Card]] = [
    (world.redeem(MUCH), FULL),
    (world.redeem(amount(100, "LBP")), FULL),
    (world.load(amount(999_00)), FULL),
    (world.cash_out(), FULL),
    (world.cash_out(), HELD),
    (authorize(MUCH), FULL),
    (lives.transfer(), HELD),
    (lives.deactivate(), FULL),
    (lives.deactivate(), HELD),
    (late_requests.advice(LITTLE), FULL),
]
NAMING: list[Naming] = [
    world.reverse(1, with_card=False),
    world.void(),
    world.refund(LITTLE),
    world.refund(amount(1, "JPY")),
    late_requests.confirm(),
    increment(LITTLE),
    capture(),
    capture(LITTLE),
    capture(amount(1, "JPY")),
    cancel(),
]


def guarded(*asked_for: ActivityType) -> Policy:
    """
    Give rules under which all is permitted, and these need a PIN.
    """
    known = lives.rules()
    product = replace(
        known.products[world.RELOADABLE],
        pin_required_for=frozenset(asked_for),
        max_load_minor=100_00,
    )
    return replace(known, products=known.products | {product.product_id: product})


def answer(
    command: Command,
    card: Card,
    rules: Policy,
    original: Original | None = None,
    *,
    pin: bool = False,
) -> TransactionRecord:
    """
    Decide on a card, beside another one to which a balance may move.
    """
    view = world.view(card, rules=rules, number=9, pin=kept_pin() if pin else None)
    stamp = view.stamp._replace(second_id=lives.SECOND_ID)
    view = view._replace(other=lives.other(), stamp=stamp)
    return decide(command, view, original).record


@pytest.mark.parametrize(("command", "card"), REFUSED)
def test_a_refusal_tells_no_balance_that_needs_a_pin(
    command: MoneyCommand, card: Card
) -> None:
    """
    A sale that is too large would else be a GetBalance for which nobody needs a PIN.
    """
    rules = guarded(ActivityType.BALANCE)
    view = world.view(card, rules=rules)
    refused = answer(command, card, rules)

    assert read_balance(ask_balance(None), view).result is Result.PIN_REQUIRED
    assert not refused.approved_minor
    assert not refused.balances_shown
    assert refused == answer(command, card, guarded())._replace(balances_shown=False)


@pytest.mark.parametrize(("command", "card"), REFUSED)
def test_a_refusal_tells_a_balance_that_anybody_may_ask(
    command: MoneyCommand, card: Card
) -> None:
    """
    Without a PIN for the balance the answer carries it, as ever.
    """
    assert answer(command, card, guarded()).balances_shown


def test_with_the_right_pin_it_is_told() -> None:
    """
    Also where the operation needs none: who entered it may read the balance.
    """
    sale = world.redeem(MUCH)

    for needed in ([], [ActivityType.REDEEM]):
        rules = guarded(ActivityType.BALANCE, *needed)
        assert answer(with_pin(sale), FULL, rules, pin=True).balances_shown
        assert not answer(with_pin(sale, None), FULL, rules, pin=True).balances_shown


def test_staff_are_told() -> None:
    """
    They have no PIN to enter, and look at any balance.
    """
    asked = lives.deactivate(channel=Channel.IVR)

    assert answer(asked, FULL, guarded(ActivityType.BALANCE)).balances_shown


@pytest.mark.parametrize(
    "command", [world.redeem(LITTLE), world.load(LITTLE), authorize(LITTLE)]
)
def test_an_approval_carries_its_receipt(command: MoneyCommand) -> None:
    """
    What changed the card tells what is on it now (domain 1.4).
    """
    approved = answer(command, FULL, guarded(ActivityType.BALANCE))

    assert approved.result is Result.APPROVED
    assert approved.balances_shown


@pytest.mark.parametrize("command", NAMING)
@pytest.mark.parametrize("sale", [world.redeem(LITTLE), authorize(LITTLE)])
def test_naming_a_sale_tells_no_more(command: Naming, sale: MoneyCommand) -> None:
    """
    Nobody keeps an old sale to read a balance by it: only what changes the card tells.
    """
    rules = guarded(ActivityType.BALANCE)
    made = decide(sale, world.view(FULL, rules=rules), None)
    assert made.card is not None
    hold: Hold | None = made.holds[0] if made.holds else None
    original = Original(made.record, reversed=False, later_activity=False, hold=hold)
    followed = answer(command, made.card, rules, original)

    assert followed.balances_shown == (followed.card_seq is not None)


@pytest.mark.parametrize("command", NAMING)
@pytest.mark.parametrize("card", [FULL, lives.lost()])
def test_naming_what_undid_nothing_tells_nothing(command: Naming, card: Card) -> None:
    """
    A sale declined for its PIN or a block, its reversal, and whatever names that.
    """
    rules = guarded(ActivityType.REDEEM, ActivityType.BALANCE)
    if card.state is CardState.BLOCKED:
        rules = guarded()
    declined = answer(world.redeem(LITTLE), card, rules)
    original = Original(declined, reversed=False, later_activity=False)
    undone = answer(NAMING[0], card, rules, original)
    again = Original(undone, reversed=False, later_activity=False)

    assert declined.result in {Result.PIN_REQUIRED, Result.LOST_CARD}
    assert undone.result is Result.APPROVED
    for named in (original, again):
        assert not answer(command, card, rules, named).balances_shown


@pytest.mark.parametrize("command", NAMING)
def test_naming_a_block_tells_nothing(command: Naming) -> None:
    """
    A till that blocked a card is not told its balance, and nor by what names the block.
    """
    rules = guarded()
    blocked = decide(lives.block(), world.view(FULL, rules=rules), None)
    assert blocked.card is not None
    original = Original(blocked.record, reversed=False, later_activity=False)
    named = answer(command, blocked.card, rules, original)

    assert blocked.record.result in APPROVALS
    assert named.result not in APPROVALS
    assert not named.balances_shown


@pytest.mark.parametrize(
    "activity",
    [
        ActivityType.ADJUST_INCREMENT,
        ActivityType.ADJUST_DECREMENT,
        ActivityType.PIN_RESET,
    ],
)
@pytest.mark.parametrize("command", NAMING)
def test_naming_what_staff_put_right(command: Naming, activity: ActivityType) -> None:
    """
    It stands, and the balance of the blocked card that it was on is for staff.
    """
    sale, _ = world.done(world.redeem(LITTLE), FULL)
    original = Original(
        sale._replace(activity=activity), reversed=False, later_activity=False
    )
    named = answer(command, lives.lost(), lives.rules(), original)

    if isinstance(command, Reverse | Void):
        assert named.result is Result.CANNOT_BE_REVERSED
    assert named.result not in APPROVALS
    assert not named.balances_shown
