"""
Check 11: where and when a card may be used.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.domain.balance import read_balance
from gateway.domain.cards import Card, CardState
from gateway.domain.checks import refuse_restricted
from gateway.domain.commands import NO_CONTEXT, CardRef, GetBalance
from gateway.domain.decide import decide
from gateway.domain.ids import (
    IssueBatchId,
    MerchantId,
    RestrictionSetId,
    RestrictionVersionId,
    StoreGroupId,
    StoreId,
)
from gateway.domain.policy import Place, Policy
from gateway.domain.restrictions import (
    Listed,
    ListedCategory,
    ListedCountry,
    ListedGroup,
    ListedMerchant,
    ListedStore,
    ListRule,
    Refusal,
    RefusalReason,
    Restriction,
    Window,
)
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import (
    activate,
    amount,
    card,
    cash_out,
    load,
    redeem,
    refund,
    reverse,
    view,
    void,
)

ALLOW, DENY = ListRule.ALLOW, ListRule.DENY
HERE, ELSEWHERE = world.STORE, StoreId(9)
GROUP, OTHER_GROUP = StoreGroupId(3), StoreGroupId(4)
SET, VERSION = RestrictionSetId(5), RestrictionVersionId(50)
WEEKDAYS = 0b0011111
LUNCH = Window(WEEKDAYS, 11 * 60 + 30, 14 * 60)


def place(**changes: Any) -> Place:
    """
    Give the world's place, its store of a group and a category.
    """
    here = world.place()
    known: dict[str, Any] = {
        "groups": frozenset({GROUP}),
        "merchant_category": "5812",
    }
    return replace(here, store=replace(here.store, **(known | changes)))


def policy(
    *listed: Listed, windows: tuple[Window, ...] = (), at: Place | None = None
) -> Policy:
    """
    Give the world's policy with one set, which nothing has yet.
    """
    one = Restriction.of(VERSION, listed, windows)
    return replace(world.policy(at=at or place()), restrictions={SET: one})


def refusal(
    rules: Policy, seen: Card | None = None, now: datetime = world.NOW
) -> Refusal | None:
    """
    Apply check 11 to a card that has the set itself.
    """
    mine = seen or replace(card(), restriction_set_id=SET)
    return refuse_restricted(mine, rules.places[world.TERMINAL], rules, now)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ([ListedStore(ALLOW, HERE)], None),
        ([ListedStore(ALLOW, ELSEWHERE)], RefusalReason.PLACE),
        ([ListedStore(ALLOW, ELSEWHERE), ListedGroup(ALLOW, GROUP)], None),
        ([ListedGroup(ALLOW, OTHER_GROUP)], RefusalReason.PLACE),
        ([ListedMerchant(ALLOW, world.MERCHANT)], None),
        ([ListedMerchant(ALLOW, MerchantId(9))], RefusalReason.PLACE),
        ([ListedStore(DENY, HERE)], RefusalReason.PLACE),
        ([ListedStore(DENY, ELSEWHERE)], None),
        ([ListedGroup(DENY, GROUP)], RefusalReason.PLACE),
        ([ListedMerchant(DENY, world.MERCHANT)], RefusalReason.PLACE),
        (
            [ListedMerchant(ALLOW, world.MERCHANT), ListedStore(DENY, HERE)],
            RefusalReason.PLACE,
        ),
        ([ListedCountry(ALLOW, "LB")], None),
        ([ListedCountry(ALLOW, "KW")], RefusalReason.COUNTRY),
        ([ListedCountry(DENY, "LB")], RefusalReason.COUNTRY),
        ([ListedCountry(DENY, "KW")], None),
        ([ListedCategory(ALLOW, "5812")], None),
        ([ListedCategory(ALLOW, "5411")], RefusalReason.CATEGORY),
        ([ListedCategory(DENY, "5812")], RefusalReason.CATEGORY),
        ([ListedCategory(DENY, "5411")], None),
        # Each thing is a list of its own, and each must let the card pass.
        ([ListedStore(ALLOW, HERE), ListedCountry(ALLOW, "KW")], RefusalReason.COUNTRY),
        ([ListedCountry(ALLOW, "LB"), ListedCategory(ALLOW, "5812")], None),
        # With several faults the first of place, country, category is told.
        ([ListedCountry(DENY, "LB"), ListedStore(DENY, HERE)], RefusalReason.PLACE),
        (
            [ListedCategory(DENY, "5812"), ListedCountry(DENY, "LB")],
            RefusalReason.COUNTRY,
        ),
    ],
)
def test_lists_allow_and_deny(
    listed: list[Listed], reason: RefusalReason | None
) -> None:
    """
    What is denied is denied; what has an allow list must be on it; else it passes.
    """
    found = refusal(policy(*listed))

    assert found == (None if reason is None else Refusal(reason, VERSION))


@pytest.mark.parametrize(("rule", "passes"), [(ALLOW, False), (DENY, True)])
def test_a_store_that_says_not_what_it_sells(rule: ListRule, passes: bool) -> None:
    """
    It is on no list: an allow list of categories bars it, a deny list does not.
    """
    at = place(merchant_category=None)
    found = refusal(policy(ListedCategory(rule, "5812"), at=at))

    assert (found is None) is passes


@pytest.mark.parametrize("level", ["product", "batch", "card"])
def test_each_level_restricts(level: str) -> None:
    """
    A set on the product, on the issue batch or on the card alone is enough.
    """
    rules = policy(ListedStore(DENY, HERE))
    batch = IssueBatchId(8)
    mine = replace(card(), issue_batch_id=batch)
    before = refusal(rules, mine)
    if level == "product":
        product = replace(rules.products[world.RELOADABLE], restriction_set_id=SET)
        rules = replace(rules, products={world.RELOADABLE: product})
    elif level == "batch":
        rules = replace(rules, issue_batches={batch: SET})
    else:
        mine = replace(mine, restriction_set_id=SET)

    assert before is None
    assert refusal(rules, mine) == Refusal(RefusalReason.PLACE, VERSION)


def test_every_level_must_allow_and_the_first_refusal_is_told() -> None:
    """
    Product before issue batch before card, each with the version that refused.
    """
    lists: list[Listed] = [
        ListedStore(ALLOW, HERE),
        ListedCountry(DENY, "LB"),
        ListedStore(DENY, HERE),
    ]
    sets = {
        RestrictionSetId(number): Restriction.of(
            RestrictionVersionId(number * 10), [listed], []
        )
        for number, listed in enumerate(lists, start=1)
    }
    rules = replace(policy(), restrictions=sets)
    product = replace(
        rules.products[world.RELOADABLE], restriction_set_id=RestrictionSetId(1)
    )
    batch = IssueBatchId(8)
    rules = replace(
        rules,
        products={world.RELOADABLE: product},
        issue_batches={batch: RestrictionSetId(2)},
    )
    mine = replace(card(), issue_batch_id=batch, restriction_set_id=RestrictionSetId(3))
    other_batch = replace(mine, issue_batch_id=IssueBatchId(9))

    assert refusal(rules, mine) == (RefusalReason.COUNTRY, 20, None)
    assert refusal(rules, other_batch) == (RefusalReason.PLACE, 30, None)
    assert refusal(rules, replace(other_batch, restriction_set_id=None)) is None


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (redeem(amount(10_00)), CardState.ACTIVE),
        (load(amount(10_00)), CardState.ACTIVE),
        (activate(amount(10_00)), CardState.PENDING),
        (cash_out(), CardState.ACTIVE),
    ],
)
def test_a_refusal_is_recorded_in_full_and_hides_the_balance(
    command: Any, state: CardState
) -> None:
    """
    62, with what refused, the version and the hours: all that the sentence is made of.
    """
    rules = policy(windows=(LUNCH,))  # now is a Saturday
    minor = 0 if state is CardState.PENDING else 100_00
    mine = replace(card(minor, state=state), restriction_set_id=SET)
    decision = decide(command, view(mine, rules=rules), None)
    record = decision.record

    assert record.result is Result.RESTRICTED_CARD
    assert record.refusal is RefusalReason.HOURS
    assert record.restriction_version_id == VERSION
    assert record.refusal_hours == "1-5 11:30-14:00"
    assert not record.balances_shown
    assert record.card_id == mine.card_id
    assert (decision.card, decision.postings, record.card_seq) == (None, (), None)


def test_a_card_that_passes_keeps_its_restriction() -> None:
    """
    An approval names no restriction, and the card after it still has its own.
    """
    rules = policy(ListedStore(ALLOW, HERE))
    batch = IssueBatchId(8)
    mine = replace(card(), restriction_set_id=SET, issue_batch_id=batch)
    record, after = world.done(redeem(amount(10_00)), mine, rules=rules)

    assert record.result is Result.APPROVED
    assert record.refusal is None
    assert (record.restriction_version_id, record.refusal_hours) == (None, None)
    assert (after.restriction_set_id, after.issue_batch_id) == (SET, batch)


def test_the_state_and_the_last_day_come_before() -> None:
    """
    A restriction is check 11: what refuses before it says nothing of it.
    """
    rules = policy(ListedStore(DENY, HERE))
    blocked = replace(card(state=CardState.BLOCKED), restriction_set_id=SET)
    over = replace(
        card(expires_on=datetime(2026, 11, 1, tzinfo=UTC).date()),
        restriction_set_id=SET,
    )
    records = [
        decide(redeem(amount(1_00)), view(seen, rules=rules), None).record
        for seen in (blocked, over)
    ]

    assert [record.result for record in records] == [
        Result.RESTRICTED_CARD,
        Result.EXPIRED_CARD,
    ]
    assert [record.refusal for record in records] == [None, None]


def test_a_restriction_comes_before_the_currency_and_the_funds() -> None:
    """
    Where the card may not be used, nothing is said of rates, limits or money.
    """
    rules = policy(ListedStore(DENY, HERE))
    mine = replace(card(), restriction_set_id=SET)
    asked = [amount(1_00, "GBP"), amount(999_00)]

    assert {
        decide(redeem(one), view(mine, rules=rules), None).record.refusal
        for one in asked
    } == {RefusalReason.PLACE}


@pytest.mark.parametrize("rule", [ALLOW, DENY])
def test_a_balance_is_told_where_the_card_may_be_used(rule: ListRule) -> None:
    """
    GetBalance passes check 11 like all others, or gives 62 and no balance.
    """
    rules = policy(ListedStore(rule, HERE))
    mine = replace(card(), restriction_set_id=SET)
    question = GetBalance(
        request_id=None,
        terminal_id=world.TERMINAL,
        card=CardRef(world.NUMBER_INDEX, "1234"),
        till=NO_CONTEXT,
    )
    record = read_balance(question, view(mine, rules=rules))

    if rule is ALLOW:
        assert (record.result, record.balance_after_minor) == (Result.APPROVED, 100_00)
        assert record.refusal is None
    else:
        assert record.activity is ActivityType.BALANCE
        assert record.result is Result.RESTRICTED_CARD
        assert record.refusal is RefusalReason.PLACE
        assert not record.balances_shown
        assert record.balance_after_minor is None


def test_a_reversal_asks_no_restriction() -> None:
    """
    Reverse skips check 11: what was sold before is undone, wherever the card is barred.
    """
    mine = card()
    sale, after = world.done(redeem(amount(30_00)), mine)
    rules = policy(ListedStore(DENY, HERE), windows=(LUNCH,))
    undone = world.undo(
        sale,
        replace(after, restriction_set_id=SET),
        rules=rules,
        command=reverse(1, with_card=False),
    )

    assert undone.record.result is Result.APPROVED
    assert undone.record.refusal is None
    assert undone.card is not None
    assert undone.card.balance_minor == 100_00


@pytest.mark.parametrize("command", [void(), refund(amount(30_00))])
def test_a_void_and_a_refund_ask_no_restriction(command: Any) -> None:
    """
    What gives money back skips check 11, and the card keeps its set.
    """
    sale, after = world.done(redeem(amount(30_00)), card())
    given_back = world.follow(
        command,
        sale,
        replace(after, restriction_set_id=SET),
        rules=policy(ListedStore(DENY, HERE), windows=(LUNCH,)),
    )

    assert given_back.record.result is Result.APPROVED
    assert given_back.record.refusal is None
    assert given_back.card is not None
    assert given_back.card.balance_minor == 100_00
    assert given_back.card.restriction_set_id == SET
