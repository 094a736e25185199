"""
What the checks of a decision looked at, in words: for an explanation.

Nothing is decided here. Rates, days and limits are found by the same functions that the
checks use, on the same policy.
"""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from currency import Currency, Money, find_currency
from gateway.domain.cards import Card
from gateway.domain.cash_out_rules import CashOutRule
from gateway.domain.commands import Amount
from gateway.domain.decision import View
from gateway.domain.explanation import CheckNumber as No
from gateway.domain.explanation import Value
from gateway.domain.holds import Hold
from gateway.domain.ids import uuid_text
from gateway.domain.limit_checks import limits_of
from gateway.domain.originals import Original
from gateway.domain.pin import Proving
from gateway.domain.policy import Place, Policy, Product, Store
from gateway.domain.pricing import Price
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import Refusal
from gateway.domain.results import ActivityType

Values = tuple[Value, ...]
Given = dict[str, Any]


def values_of(**texts: object) -> Values:
    """
    Name values; an underline stands for a space, and what is None is left out.
    """
    return tuple(
        Value(name.replace("_", " "), _text(value))
        for name, value in texts.items()
        if value is not None
    )


def money(minor_units: int | None, currency: Currency) -> str | None:
    """
    Write an amount with its currency.
    """
    if minor_units is None:
        return None
    return f"{Money(minor_units, currency).to_decimal_text()} {currency.code}"


def moment(at: datetime) -> str:
    """
    Write a moment with its zone.
    """
    return at.isoformat(sep=" ", timespec="seconds")


def of_place(place: Place) -> Values:
    """
    Check 4 looks at three states.
    """
    return values_of(
        terminal=f"{place.terminal.code} {place.terminal.state.name}",
        store=f"{place.store.code} {place.store.state.name}",
        merchant=f"{place.merchant.code} {place.merchant.state.name}",
    )


def of_amount(amount: Amount) -> Values:
    """
    Check 5 looks at the amount as the till wrote it.
    """
    currency = find_currency(amount.currency_code)
    return values_of(
        minor_units=amount.minor_units,
        currency=amount.currency_code,
        exponent=amount.exponent,
        exponent_of_the_currency=None if currency is None else currency.exponent,
    )


def of_known(card: Card | None, place: Place, policy: Policy) -> Values:
    """
    Check 6 looks for the card, and for its programme at the merchant.
    """
    if card is None:
        return values_of(known_here=False)
    program = policy.programs.get(card.program_id)
    accepted = (card.program_id, place.merchant.merchant_id) in policy.accepted
    return values_of(
        card=masked(card.last_four),
        programme=None if program is None else program.code,
        merchant=place.merchant.code,
        known_here=accepted,
    )


def of_two(card: Card, other: Card | None) -> Values:
    """
    Show that two cards are two, and of one programme (checks 6 and 7).
    """
    if other is None:
        return values_of(second_card_known_here=False)
    return values_of(
        card=masked(card.last_four),
        second_card=masked(other.last_four),
        they_are_one=card.card_id == other.card_id,
        of_one_programme=card.program_id == other.program_id,
    )


def of_product(card: Card, product: Product, activity: ActivityType) -> Values:
    """
    Check 7 looks at what the product permits.
    """
    loading = activity is ActivityType.LOAD
    return values_of(
        product=product.code,
        operation=activity.name,
        permitted=activity in product.permitted,
        reloadable=product.reloadable if loading else None,
        loads_so_far=card.load_count if loading else None,
    )


def of_state(card: Card) -> Values:
    """
    Check 8 looks at the state of the card as it was.
    """
    return values_of(
        card=masked(card.last_four), state=card.state, blocked_as=card.block_reason
    )


def of_expiry(card: Card, policy: Policy, now: datetime) -> Values:
    """
    Check 9 looks at the last day, and at the day in the programme's zone.
    """
    zone = policy.programs[card.program_id].time_zone
    return values_of(
        last_day="none" if card.expires_on is None else card.expires_on,
        day=now.astimezone(zone).date(),
        time_zone=zone.key,
    )


def of_pin(command: Proving, view: View, activity: ActivityType) -> Values:
    """
    Check 10 looks at what the product asks for, at the PIN and at the tries before.
    """
    if view.card is None:
        return ()
    product, kept = view.policy.products[view.card.product_id], view.pin
    before = None if kept is None else kept.tries.get(command.channel)
    sent = command.pin is not None
    return values_of(
        asked_for=activity in product.pin_required_for,
        sent=sent,
        the_card_has_one=None if kept is None else True,
        wrong_before=None if before is None else before.tries,
        last_wrong=None if before is None else moment(before.last_tried_at),
        locks_at=product.pin_max_tries if sent else None,
    )


def of_restriction(
    card: Card, place: Place, policy: Policy, now: datetime, gave: Refusal | None
) -> Values:
    """
    Check 11 looks at the sets that the card is under, and at the store and its clock.
    """
    batch = card.issue_batch_id
    sets = {
        "product": policy.products[card.product_id].restriction_set_id,
        "issue_batch": None if batch is None else policy.issue_batches.get(batch),
        "card": card.restriction_set_id,
    }
    versions = {
        f"version_for_the_{level}": policy.restrictions[set_id].version_id
        for level, set_id in sets.items()
        if set_id is not None
    }
    if not versions:
        return values_of(restrictions="none")
    store = place.store
    return values_of(
        **versions,
        store=store.code,
        country=store.country,
        category=store.merchant_category,
        local_time=f"{now.astimezone(store.time_zone):%A %H:%M}",
        refused_for=None if gave is None else gave.reason,
        by_version=None if gave is None else gave.restriction_version_id,
        valid_hours=None if gave is None else gave.hours,
    )


def of_quote(
    currency_code: str, card: Currency, store: Store, policy: Policy, now: datetime
) -> Values:
    """
    Check 12 looks at the store's currencies and at the two rates in force.
    """
    accepted = currency_code in store.currencies
    values = values_of(currency=currency_code, store_takes_it=accepted)
    if not accepted or currency_code == card.code:
        return values
    for code in (currency_code, card.code):
        values += _of_rate(code, policy, now)
    table = policy.rates.version_at(now)
    return values + values_of(rate_table_version=table)


def _of_rate(code: str, policy: Policy, now: datetime) -> Values:
    if code == "USD":
        return ()
    rate = policy.rates.rate_at(code, now)
    if rate is None:
        return (Value(f"{code} in USD", "no rate"),)
    text = (
        f"{rate.usd_per_unit:f}, version {rate.version}, "
        f"in force from {moment(rate.effective_from)}, as of {moment(rate.as_of)}"
    )
    max_age = policy.max_rate_age.get(code)
    if max_age is not None:
        text += f", at most {max_age} old"
    return (Value(f"{code} in USD", text),)


def of_price(price: Price, card: Card) -> Values:
    """
    Check 13 looks at the amount in the card's currency.
    """
    return values_of(
        on_the_card=money(price.card_minor, card.currency),
        applied_rate=None if price.applied_rate is None else f"{price.applied_rate:f}",
        rounding=None if price.rounding is None else f"{price.rounding:f}",
    )


def of_limits(view: View, card: Card, record: TransactionRecord) -> Values:
    """
    Check 14 looks at the product's own limits, at those of sets, and at their use.
    """
    own, policy, now = card.currency, view.policy, view.stamp.now
    product = policy.products[card.product_id]
    zone = policy.programs[card.program_id].time_zone
    used = view.used.card.on(now.astimezone(zone).date())
    obeyed = limits_of(card, policy) if policy.limits else ()
    versions = [one.version_id for one in obeyed]
    at_the_till = policy.terminal_limits.get(view.place.terminal.terminal_id)
    limits = {
        "at_most_in_a_sale": product.max_redeem_minor,
        "at_most_in_a_load": product.max_load_minor,
        "at_most_on_a_card": product.max_balance_minor,
        "fixed_first_load": product.fixed_amount_minor,
    }
    return values_of(
        ledger_before=money(card.balance_minor, own),
        **{name: money(limit, own) for name, limit in limits.items()},
        loaded_today=f"{money(used.load_minor, own)} in {used.loads}",
        spent_today=f"{money(used.spend_minor, own)} in {used.spends}",
        versions=", ".join(map(str, versions)) if versions else None,
        version_at_the_terminal=None if at_the_till is None else at_the_till.version_id,
        exceeded=record.limit_kind,
        limit=record.limit_value,
        within_seconds=record.limit_window_s,
        by_version=record.limit_version_id,
    )


def of_original(original: Original | None) -> Values:
    """
    Check 15 looks at what is named, and at what had become of it.
    """
    if original is None:
        return values_of(original="none")
    record, refunds = original.record, original.refunds
    code = record.transaction_currency
    currency = None if code is None else find_currency(code)
    refunded = refunds.approved_minor
    values = values_of(
        original=uuid_text(record.transaction_id or b""),
        operation=record.activity,
        result=record.result,
        business_day=record.business_date,
        reversed=original.reversed or None,
        voided=original.voided or None,
        confirmed=original.confirmed or None,
        followed_by_others=original.later_activity or None,
        waits_to_be_confirmed=record.unconfirmed or None,
    )
    if currency is not None:
        values += values_of(
            approved=money(record.approved_minor, currency),
            refunded_before=money(refunded, currency) if refunded else None,
        )
    return values + (of_hold(original.hold) if original.hold else ())


def of_hold(hold: Hold) -> Values:
    """
    Check 15 looks at a hold as it stood.
    """
    currency = Currency.of(hold.currency_code)
    return values_of(
        hold=hold.state,
        authorized=money(hold.authorized_minor, currency),
        captured_before=money(hold.captured_minor, currency),
        hold_ends=moment(hold.expires_at),
    )


def of_funds(
    card: Card, needed_minor: int | None, *, allow_partial: bool | None = None
) -> Values:
    """
    Check 16 looks at what can be spent.
    """
    own = card.currency
    return values_of(
        needed=money(needed_minor, own),
        available=money(card.available_minor, own),
        ledger=money(card.balance_minor, own),
        held=money(card.held_minor, own),
        unconfirmed=money(card.unconfirmed_minor, own),
        partial_allowed=allow_partial,
    )


def of_cash_out(card: Card, product: Product, rule: CashOutRule | None) -> Values:
    """
    Check 16 of a CashOut looks at what the product says, then at the law.
    """
    own_limit = money(product.cash_out_limit_minor, card.currency)
    if rule is None:
        return values_of(paid_up_to=own_limit)
    amount = None
    if rule.limit_minor is not None and rule.currency is not None:
        amount = money(rule.limit_minor, Currency.of(rule.currency))
    return values_of(
        paid_up_to=own_limit,
        law_of=rule.jurisdiction,
        since=rule.effective_from,
        rule=rule.kind,
        amount=amount,
        used_percent=rule.used_percent,
        loaded=money(card.loaded_minor, card.currency),
    )


def masked(last_four: str | None) -> str | None:
    """
    Write the last four digits of a card.
    """
    return None if last_four is None else f"**** {last_four}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else str(value)


def _product(given: Given, _gave: object) -> Values:
    return of_product(given["card"], given["product"], given["activity"])


def _expiry(given: Given, _gave: object) -> Values:
    return of_expiry(given["card"], given["policy"], given["now"])


def _pin(given: Given, _gave: object) -> Values:
    return of_pin(given["command"], given["view"], given["facts"].activity)


def _restriction(given: Given, gave: Refusal | None) -> Values:
    card, place = given["card"], given["place"]
    return of_restriction(card, place, given["policy"], given["now"], gave)


Show = Callable[[Given, Any], Values]

# What the calls of the watched functions looked at, by the number of their check.
SHOWN: Final[dict[No, Show]] = {
    No.PLACE: lambda given, _: of_place(given["place"]),
    No.AMOUNT: lambda given, _: of_amount(given["amount"]),
    No.CARD: lambda given, _: of_known(given["card"], given["place"], given["policy"]),
    No.OPERATION: _product,
    No.STATE: lambda given, _: of_state(given["card"]),
    No.LAST_DAY: _expiry,
    No.PIN: _pin,
    No.RESTRICTIONS: _restriction,
}
