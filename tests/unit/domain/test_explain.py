"""
Explanations: the checks in their order, the values they saw, the one that decided.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

import gateway.domain.explain as explaining
from gateway.domain.cards import BlockReason, CardState
from gateway.domain.cash_out_rules import CashOutRule, RuledCards, RuleKind
from gateway.domain.commands import MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.decision import View
from gateway.domain.explain import explain
from gateway.domain.explanation import CheckNumber, CheckOutcome, Explanation
from gateway.domain.originals import Original
from gateway.domain.recall import Missing, Recorded, wanted_by
from gateway.domain.release import expire
from gateway.domain.results import Result
from tests.support import world
from tests.support.explaining import require_explainable
from tests.support.held_world import held, holding_rules
from tests.support.pins import WRONG, kept_pin, pin_policy, with_pin
from tests.support.world import (
    activate,
    amount,
    card,
    cash_out,
    done,
    load,
    policy,
    redeem,
    refund,
    reverse,
    view,
)

PASSED, REFUSED, NOT_APPLIED = CheckOutcome


def explained(
    command: MoneyCommand, seen: View, original: Original | None = None
) -> Explanation:
    """
    Explain what is decided.
    """
    found = require_explainable(command, seen, original)
    assert found is not None
    return found


def values(explanation: Explanation, number: CheckNumber) -> dict[str, str]:
    """
    Give what a check looked at.
    """
    (check,) = (check for check in explanation.checks if check.number is number)
    return {value.name: value.text for value in check.values}


def outcomes(explanation: Explanation) -> dict[int, CheckOutcome]:
    """
    Give how each check ended.
    """
    return {int(check.number): check.outcome for check in explanation.checks}


def test_a_sale_in_another_currency() -> None:
    """
    All checks are told in their order, with the rates and their version.
    """
    found = explained(redeem(amount(10_000, "KWD")), view(card()))

    assert found.decided_by is None
    assert outcomes(found) == {
        **dict.fromkeys(range(1, 17), PASSED),
        15: NOT_APPLIED,
    }
    rates = values(found, CheckNumber.CURRENCY)
    assert rates["KWD in USD"].startswith(
        "3.252000000000, version 1, in force from 2026"
    )
    assert rates["rate table version"] == "1"
    assert values(found, CheckNumber.PRICE)["on the card"] == "32.52 USD"
    assert values(found, CheckNumber.FUNDS) == {
        "needed": "32.52 USD",
        "available": "100.00 USD",
        "ledger": "100.00 USD",
        "held": "0.00 USD",
        "unconfirmed": "0.00 USD",
        "partial allowed": "no",
    }


def test_a_stale_rate() -> None:
    """
    The rate is told with its age allowed, and check 12 decided.
    """
    rules = policy(max_rate_age={"KWD": timedelta(days=1)})

    found = explained(redeem(amount(10_000, "KWD")), view(card(), rules=rules))

    assert found.decided_by is CheckNumber.CURRENCY
    assert found.checks[-1].result is Result.FX_RATE_UNAVAILABLE
    assert (
        "at most 1 day, 0:00:00 old"
        in values(found, CheckNumber.CURRENCY)["KWD in USD"]
    )


def test_a_currency_without_a_rate_and_one_that_the_store_does_not_take() -> None:
    """
    Either is told.
    """
    no_rate = explained(redeem(amount(1_00, "GBP")), view(card()))
    foreign = explained(redeem(amount(1_00, "CHF")), view(card()))

    assert values(no_rate, CheckNumber.CURRENCY)["GBP in USD"] == "no rate"
    assert values(foreign, CheckNumber.CURRENCY)["store takes it"] == "no"


def test_the_last_day() -> None:
    """
    Both days are told, by the programme's clock.
    """
    over = card(expires_on=date(2026, 11, 20))

    found = explained(redeem(amount(1_00)), view(over))

    assert found.decided_by is CheckNumber.LAST_DAY
    assert values(found, CheckNumber.LAST_DAY) == {
        "last day": "2026-11-20",
        "day": "2026-11-21",
        "time zone": "Asia/Dubai",
    }


def test_a_blocked_card() -> None:
    """
    State and reason are told; what comes after is not listed.
    """
    lost = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)

    found = explained(redeem(amount(1_00)), view(lost))

    assert max(outcomes(found)) == 8
    assert values(found, CheckNumber.STATE) == {
        "card": "**** 1234",
        "state": "BLOCKED",
        "blocked as": "LOST",
    }


def test_an_unknown_currency_and_an_unknown_card() -> None:
    """
    Nothing is made up where nothing is known.
    """
    found = explained(redeem(world.amount(1_00, "XXZ", exponent=2)), view(None))

    assert found.decided_by is CheckNumber.CARD
    assert values(found, CheckNumber.CARD) == {"known here": "no"}
    assert "exponent of the currency" not in values(found, CheckNumber.AMOUNT)


def test_a_card_of_another_programme_is_kept_as_unknown() -> None:
    """
    Its decision did not know it either: nothing of it is in what is kept.
    """
    rules = policy(accepted=False)

    found = explained(redeem(amount(1_00)), view(card(), rules=rules))

    assert found.decided_by is CheckNumber.CARD
    assert b"card" not in (found.record.seen or b"")


def test_a_wrong_pin() -> None:
    """
    The tries before are told; the PIN is not.
    """
    command = with_pin(redeem(amount(1_00)), WRONG)
    seen = view(card(), rules=pin_policy(), pin=kept_pin(tries=1))

    found = explained(command, seen)

    assert found.decided_by is CheckNumber.PIN
    told = values(found, CheckNumber.PIN)
    assert (told["asked for"], told["sent"], told["wrong before"]) == (
        "yes",
        "yes",
        "1",
    )


def test_a_first_load_of_a_fixed_product_without_an_amount() -> None:
    """
    An activation that asks for no amount, though its record has one.
    """
    fresh = card(0, state=CardState.PENDING, product_id=world.FIXED, load_count=0)

    found = explained(activate(), view(fresh))
    bare = explained(activate(), view(replace(fresh, product_id=world.RELOADABLE)))

    assert values(found, CheckNumber.LIMITS)["fixed first load"] == "50.00 USD"
    assert outcomes(found)[12] is PASSED
    assert [outcomes(bare)[number] for number in (5, 12, 13, 14)] == [NOT_APPLIED] * 4


def test_a_load() -> None:
    """
    The product's rules on loads are told.
    """
    found = explained(load(amount(1_00)), view(card()))

    assert values(found, CheckNumber.OPERATION)["reloadable"] == "yes"
    assert outcomes(found)[16] is NOT_APPLIED


@pytest.mark.parametrize("kind", [RuleKind.UP_TO, RuleKind.USED, None])
def test_a_cash_out_by_law(kind: RuleKind | None) -> None:
    """
    The rule that was asked is told.
    """
    rule = CashOutRule(
        jurisdiction="LB",
        effective_from=date(2020, 1, 1),
        cards=RuledCards.ANY,
        kind=kind or RuleKind.NEVER,
        limit_minor=10_00 if kind is RuleKind.UP_TO else None,
        currency="USD" if kind is RuleKind.UP_TO else None,
        used_percent=90 if kind is RuleKind.USED else None,
    )
    rules = policy(cash_out_rules=[rule] if kind else [])

    found = explained(cash_out(), view(card(12_00), rules=rules))

    told = values(found, CheckNumber.FUNDS)
    assert found.checks[-1].result is Result.NOT_PERMITTED
    assert told.get("law of") == ("LB" if kind else None)
    assert told.get("amount") == ("10.00 USD" if kind is RuleKind.UP_TO else None)


def test_a_refund() -> None:
    """
    The original is told with what had become of it.
    """
    sale, after = done(redeem(amount(30_00)), card())
    original = Original(sale, reversed=True, later_activity=False)

    found = explained(refund(amount(5_00), 1), view(after, number=9), original)

    assert found.decided_by is CheckNumber.ORIGINAL
    told = values(found, CheckNumber.ORIGINAL)
    assert (told["operation"], told["reversed"]) == ("REDEEM", "yes")
    assert told["approved"] == "30.00 USD"


def test_a_reversal_of_what_was_declined_or_never_came() -> None:
    """
    Nothing to undo is approved by check 15; nothing at all is refused there.
    """
    declined = decide(redeem(amount(999_00)), view(card()), None).record
    original = Original(declined, reversed=False, later_activity=False)

    nothing = explained(reverse(1), view(card(), number=9), original)
    never = explained(reverse(1), view(None, number=9))

    assert (nothing.decided_by, outcomes(nothing)[13]) == (None, NOT_APPLIED)
    assert values(never, CheckNumber.ORIGINAL) == {"original": "none"}


def test_a_difference_is_an_alarm() -> None:
    """
    What was changed behind the gateway's back is found, by its field.
    """
    seen = view(card())
    record = decide(redeem(amount(1_00)), seen, None).record
    forged = record._replace(approved_minor=2_00, approval_code=None)
    recorded = Recorded(
        record=forged, policy=seen.policy, cards={card().card_id: card()}
    )

    differences = {one.field: one for one in explain(recorded).differences}

    assert differences["approved_minor"].recorded == "200"
    assert differences["approved_minor"].decided == "100"
    assert "seen" not in differences


def test_a_row_too_many_is_an_alarm() -> None:
    """
    A sale has no row on a second card.
    """
    seen = view(card())
    record = decide(redeem(amount(1_00)), seen, None).record
    cards = {card().card_id: card()}
    recorded = Recorded(record=record, policy=seen.policy, cards=cards, second=record)

    (difference,) = explain(recorded).differences

    assert difference == ("second card: row", "one", "none")


def test_a_check_that_contradicts_the_record_is_an_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The check that refused says what the record says, or somebody is told.
    """
    seen = view(card())
    record = decide(redeem(amount(1_00)), seen, None).record
    recorded = Recorded(
        record=record, policy=seen.policy, cards={card().card_id: card()}
    )
    monkeypatch.setattr(explaining, "_result_of", lambda _: Result.INVALID_MERCHANT)

    (difference,) = explain(recorded).differences

    assert difference == ("check", "none", "INVALID_MERCHANT")


def test_a_hold_whose_time_is_over() -> None:
    """
    Nobody asked: the one check is that of the hold, at its end.
    """
    on = held()
    seen = view(on.card, rules=holding_rules(), now=on.hold.expires_at, number=9)
    record = expire(on.hold, seen).record
    wanted = wanted_by(record)
    assert not isinstance(wanted, Missing)

    found = explain(
        Recorded(
            record=record,
            policy=seen.policy,
            cards={on.card.card_id: on.card},
            original=on.record,
        )
    )

    assert wanted.original_id == on.record.transaction_id
    assert (found.operation, found.differences) == ("Expiry", ())
    assert values(found, CheckNumber.ORIGINAL)["hold"] == "OPEN"
    assert outcomes(found) == {15: PASSED}
