"""
What checks 12 to 16 looked at, in words: for an explanation.

Rates, uses and limits are found by the functions that the checks use, on the same
policy. Nothing is decided here.
"""

from datetime import datetime

from currency import Currency, find_currency
from gateway.domain.cards import Card
from gateway.domain.cash_out_rules import CashOutRule
from gateway.domain.decision import View
from gateway.domain.explanation import Value
from gateway.domain.holds import Hold
from gateway.domain.ids import uuid_text
from gateway.domain.limit_checks import limits_of
from gateway.domain.originals import Original
from gateway.domain.policy import Policy, Product, Store
from gateway.domain.pricing import Price
from gateway.domain.record import TransactionRecord
from gateway.domain.value_texts import Values, moment, money, values_of


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


def of_floor(view: View) -> Values:
    """
    Check 14 of an Advice looks at what the terminal may sell while it cannot ask.
    """
    terminal = view.place.terminal
    currency = terminal.floor_limit_currency
    if currency is None:
        return values_of(floor_limit="none")
    return values_of(floor_limit=money(terminal.floor_limit_minor, currency))


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
