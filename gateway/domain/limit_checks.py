"""
Check 14: no limit of the card or of the terminal is exceeded (61, 65).

The order is that of the levels, product, issue batch, card, terminal, and within each
what is asked now, the day's amount, the day's number of times, the window. The first
that refuses is told of. What is asked counts, not what a partial approval would give.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from currency import USD_RATE, Currency, convert, convert_floor
from gateway.domain.cards import Card
from gateway.domain.commands import Amount
from gateway.domain.decision import View
from gateway.domain.limits import (
    COUNTS,
    DEFAULT_DAY_LOAD_USD_MINOR,
    UNUSED,
    Exceeded,
    Flow,
    LimitKind,
    Limits,
    Use,
)
from gateway.domain.policy import Policy

_USD = Currency.of("USD")
# The kinds of one flow: at a time, a day's amount, its number of times, in a window.
_KINDS = {
    Flow.LOAD: (
        LimitKind.LOAD_AMOUNT,
        LimitKind.LOAD_DAY_AMOUNT,
        LimitKind.LOAD_DAY_COUNT,
        LimitKind.LOAD_WINDOW_COUNT,
    ),
    Flow.SPEND: (
        LimitKind.SPEND_AMOUNT,
        LimitKind.SPEND_DAY_AMOUNT,
        LimitKind.SPEND_DAY_COUNT,
        LimitKind.SPEND_WINDOW_COUNT,
    ),
}
_TERMINAL_KINDS = {
    Flow.LOAD: (
        LimitKind.TERMINAL_LOAD_DAY_AMOUNT,
        LimitKind.TERMINAL_LOAD_DAY_COUNT,
    ),
    Flow.SPEND: (
        LimitKind.TERMINAL_SPEND_DAY_AMOUNT,
        LimitKind.TERMINAL_SPEND_DAY_COUNT,
    ),
}


def refuse_limits(
    view: View, card: Card, flow: Flow, *, asked: Amount, card_minor: int
) -> Exceeded | None:
    """
    Find the first limit that an amount would exceed.

    `asked` is in the transaction's currency, `card_minor` the same in the card's.
    """
    return _first_exceeded(view, card, flow, asked, card_minor)


def refuse_limits_of_more(
    view: View, card: Card, *, asked: Amount, card_minor: int, whole_minor: int
) -> Exceeded | None:
    """
    Find the first limit that more of a hold would exceed.

    It is no further time; the amount at a time is that of the whole hold, which may be
    captured as one.
    """
    return _first_exceeded(view, card, Flow.SPEND, asked, card_minor, whole_minor)


def _first_exceeded(
    view: View,
    card: Card,
    flow: Flow,
    asked: Amount,
    card_minor: int,
    whole_minor: int | None = None,
) -> Exceeded | None:
    policy = view.policy
    limits = list(limits_of(card, policy)) if policy.limits else []
    if flow is Flow.LOAD or limits:
        exceeded = _refuse_card(view, card, flow, card_minor, limits, whole_minor)
        if exceeded is not None:
            return exceeded
    terminal = policy.terminal_limits.get(view.place.terminal.terminal_id)
    if terminal is None:
        return None
    exceeded = _refuse_terminal(view, card, flow, terminal, asked, card_minor)
    if whole_minor is not None and exceeded and exceeded.kind in COUNTS:
        return None
    return exceeded


def limits_of(card: Card, policy: Policy) -> Iterator[Limits]:
    """
    Give the limits that a card obeys: its product's, its issue batch's and its own.
    """
    batch = card.issue_batch_id
    for set_id in (
        policy.products[card.product_id].limit_set_id,
        None if batch is None else policy.batch_limits.get(batch),
        card.limit_set_id,
    ):
        if set_id is not None:
            yield policy.limits[set_id]


def looks_back_s(card: Card, policy: Policy) -> int:
    """
    Tell for how long a card's uses must be known; 0 where only days count.
    """
    return max((one.longest_window_s for one in limits_of(card, policy)), default=0)


def terminal_minor(
    view: View, card: Card, *, asked: Amount, card_minor: int
) -> int | None:
    """
    Tell what an amount counts for the terminal, in the currency of its limits.

    None where the terminal has none. Without a rate it counts as nothing: where there
    is a limit of amounts such a transaction was refused.
    """
    terminal_id = view.place.terminal.terminal_id
    limits = view.policy.terminal_limits.get(terminal_id)
    if limits is None:
        return None
    return _in_currency_of(limits, view, card, asked, card_minor) or 0


def _refuse_card(
    view: View,
    card: Card,
    flow: Flow,
    card_minor: int,
    limits: list[Limits],
    whole_minor: int | None,
) -> Exceeded | None:
    now, policy = view.stamp.now, view.policy
    zone = policy.programs[card.program_id].time_zone
    used = view.used.card.on(now.astimezone(zone).date())
    minor, times = used.of(flow)
    amount_kind, day_kind, count_kind, window_kind = _KINDS[flow]
    if flow is Flow.LOAD:
        default = _default_day_load(card, policy, now)
        if default is not None and minor + card_minor > default:
            return Exceeded(day_kind, default)
    for one in limits:
        rule, version_id = one.of(flow), one.version_id
        limit = rule.amount_minor
        if limit is not None and (whole_minor or card_minor) > limit:
            return Exceeded(amount_kind, limit, version_id=version_id)
        limit = rule.day_minor
        if limit is not None and minor + card_minor > limit:
            return Exceeded(day_kind, limit, version_id=version_id)
        if whole_minor is not None:
            continue
        limit = rule.day_count
        if limit is not None and times >= limit:
            return Exceeded(count_kind, limit, version_id=version_id)
        limit, window_s = rule.window_count, rule.window_s
        if (
            limit is not None
            and window_s is not None
            and _times_since(view.used.recent, flow, now, window_s) >= limit
        ):
            return Exceeded(window_kind, limit, window_s, version_id)
    return None


def _refuse_terminal(
    view: View,
    card: Card,
    flow: Flow,
    limits: Limits,
    asked: Amount,
    card_minor: int,
) -> Exceeded | None:
    day = view.place.store.business_date(view.stamp.now)
    minor, times = (view.used.terminal or UNUSED).on(day).of(flow)
    rule, version_id = limits.of(flow), limits.version_id
    amount_kind, count_kind = _TERMINAL_KINDS[flow]
    if rule.day_minor is not None:
        counted = _in_currency_of(limits, view, card, asked, card_minor)
        if counted is None or minor + counted > rule.day_minor:
            return Exceeded(amount_kind, rule.day_minor, version_id=version_id)
    if rule.day_count is not None and times >= rule.day_count:
        return Exceeded(count_kind, rule.day_count, version_id=version_id)
    return None


def _default_day_load(card: Card, policy: Policy, now: datetime) -> int | None:
    """
    Give the default of what a card takes in a day, in its currency, rounded down.

    None where its product's limits say it, and where its currency never had a rate: a
    withdrawal of a rate lifts no limit.
    """
    set_id = policy.products[card.product_id].limit_set_id
    if set_id is not None and policy.limits[set_id].load.day_minor is not None:
        return None
    rate = policy.rates.last_rate_at(card.currency.code, now)
    if rate is None:
        return None
    return convert_floor(
        DEFAULT_DAY_LOAD_USD_MINOR, _USD, card.currency, USD_RATE, rate
    )


def _times_since(
    recent: tuple[Use, ...], flow: Flow, now: datetime, window_s: int
) -> int:
    since = now - timedelta(seconds=window_s)
    return sum(use.flow is flow and use.at > since for use in recent)


def _in_currency_of(
    limits: Limits, view: View, card: Card, asked: Amount, card_minor: int
) -> int | None:
    """
    Give an amount in the currency of a terminal's limits, None if there is no rate.
    """
    currency = limits.currency
    if asked.currency_code == currency.code:
        return asked.minor_units
    if card.currency is currency:
        return card_minor
    rates, now = view.policy.rates, view.stamp.now
    from_card = rates.rate_at(card.currency.code, now)
    to_limit = rates.rate_at(currency.code, now)
    if from_card is None or to_limit is None:
        return None
    return convert(
        card_minor, card.currency, currency, from_card, to_limit
    ).amount_minor
