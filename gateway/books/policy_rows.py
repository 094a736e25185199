"""
One version of the policy, built from the rows of one snapshot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from currency import Currency, RateBook, UsdRate, rate_e12
from gateway.books.limit_rows import card_limits_of, terminal_limits_of
from gateway.books.restriction_rows import restrictions_of
from gateway.books.wire import Row
from gateway.domain.cash_out_rules import (
    CashOutRule,
    CashOutRules,
    RuledCards,
    RuleKind,
)
from gateway.domain.ids import (
    MerchantId,
    ProductId,
    ProgramId,
    StoreId,
    TerminalId,
)
from gateway.domain.policy import (
    Device,
    DeviceKind,
    DeviceName,
    Merchant,
    PartyState,
    Place,
    Policy,
    Product,
    Program,
    Store,
    Terminal,
)
from gateway.domain.results import ActivityType
from gateway.domain.staff import StaffRole

NO_RATES: Final = RateBook.of(())


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRows:
    """
    What the queries `policy_…` gave, each in its own columns.
    """

    programs: Sequence[Row]
    products: Sequence[Row]
    accepted: Sequence[Row]
    merchants: Sequence[Row]
    stores: Sequence[Row]
    terminals: Sequence[Row]
    devices: Sequence[Row]
    rules: Sequence[Row]
    cash_out_rules: Sequence[Row]
    issue_batches: Sequence[Row]
    limits: Sequence[Row]
    restrictions: Sequence[Row]
    restriction_entries: Sequence[Row]
    restriction_windows: Sequence[Row]
    rates: Sequence[Row]


def build_policy(version: int, rows: PolicyRows, known: Policy | None) -> Policy:
    """
    Join the rows into one immutable policy.

    Rates and versions of restrictions that are `known` are taken over: they never
    change, so the rows leave them out.
    """
    rates = NO_RATES if known is None else known.rates
    merchants = {row[0]: _merchant(row) for row in rows.merchants}
    stores = {row[0]: _store(row) for row in rows.stores}
    terminals = [_terminal(row) for row in rows.terminals]
    devices = [_device(row, merchants, stores) for row in rows.devices]
    return Policy(
        version=version,
        programs={row[0]: _program(row) for row in rows.programs},
        products={row[0]: _product(row) for row in rows.products},
        devices={device.name: device for device in devices},
        places={
            terminal.terminal_id: _place(terminal, merchants, stores)
            for terminal in terminals
        },
        terminal_ids={
            (terminal.store_id, terminal.code): terminal.terminal_id
            for terminal in terminals
        },
        accepted=frozenset(
            (ProgramId(program_id), MerchantId(merchant_id))
            for program_id, merchant_id in rows.accepted
        ),
        rates=rates.with_rates(map(_rate, rows.rates)) if rows.rates else rates,
        max_rate_age=dict(rows.rules),
        cash_out_rules=CashOutRules(map(_cash_out_rule, rows.cash_out_rules)),
        restrictions=restrictions_of(
            rows.restrictions,
            rows.restriction_entries,
            rows.restriction_windows,
            {} if known is None else known.restrictions,
        ),
        issue_batches={
            batch: set_id for batch, set_id, _ in rows.issue_batches if set_id
        },
        limits=card_limits_of(rows.limits),
        terminal_limits=terminal_limits_of(rows.limits),
        batch_limits={
            batch: set_id for batch, _, set_id in rows.issue_batches if set_id
        },
        desks=frozenset(
            device.terminal_id
            for device in devices
            if device.kind is DeviceKind.STAFF and device.terminal_id is not None
        ),
    )


def _program(row: Row) -> Program:
    program_id, code, name, time_zone, tip_tolerance_bps = row
    return Program(
        program_id=ProgramId(program_id),
        code=code,
        name=name,
        time_zone=ZoneInfo(time_zone),
        tip_tolerance_bps=tip_tolerance_bps,
    )


def _product(row: Row) -> Product:
    (
        product_id,
        program_id,
        code,
        currency,
        reloadable,
        fixed_amount_minor,
        permitted,
        max_load_minor,
        max_redeem_minor,
        max_balance_minor,
        validity_days,
        cash_out_limit_minor,
        restriction_set_id,
        limit_set_id,
        pin_required_for,
        pin_max_tries,
        pin_lock_s,
        hold_ttl_s,
    ) = row
    return Product(
        product_id=ProductId(product_id),
        program_id=ProgramId(program_id),
        code=code,
        currency=Currency.of(currency),
        reloadable=reloadable,
        fixed_amount_minor=fixed_amount_minor,
        permitted=frozenset(map(ActivityType, permitted)),
        max_load_minor=max_load_minor,
        max_redeem_minor=max_redeem_minor,
        max_balance_minor=max_balance_minor,
        validity_days=validity_days,
        cash_out_limit_minor=cash_out_limit_minor,
        restriction_set_id=restriction_set_id,
        limit_set_id=limit_set_id,
        pin_required_for=frozenset(map(ActivityType, pin_required_for)),
        pin_max_tries=pin_max_tries,
        pin_lock_s=pin_lock_s,
        hold_ttl_s=hold_ttl_s,
    )


def _merchant(row: Row) -> Merchant:
    merchant_id, code, name, state = row
    return Merchant(
        merchant_id=MerchantId(merchant_id),
        code=code,
        name=name,
        state=PartyState(state),
    )


def _store(row: Row) -> Store:
    (
        store_id,
        merchant_id,
        code,
        country,
        currencies,
        time_zone,
        cut_off,
        state,
        jurisdiction,
        merchant_category,
        groups,
    ) = row
    return Store(
        store_id=StoreId(store_id),
        merchant_id=MerchantId(merchant_id),
        code=code,
        country=country,
        currencies=frozenset(currencies),
        time_zone=ZoneInfo(time_zone),
        cut_off=cut_off,
        state=PartyState(state),
        jurisdiction=jurisdiction,
        merchant_category=merchant_category,
        groups=frozenset(groups),
    )


def _terminal(row: Row) -> Terminal:
    terminal_id, store_id, code, state, two_message, limit_minor, currency = row
    return Terminal(
        terminal_id=TerminalId(terminal_id),
        store_id=StoreId(store_id),
        code=code,
        state=PartyState(state),
        two_message=two_message,
        floor_limit_minor=limit_minor,
        floor_limit_currency=None if currency is None else Currency.of(currency),
    )


def _device(
    row: Row, merchants: dict[MerchantId, Merchant], stores: dict[StoreId, Store]
) -> Device:
    store_id, code, kind, terminal_id, revoked, roles, certificates = row
    store = stores[store_id]
    merchant = merchants[store.merchant_id]
    return Device(
        name=DeviceName(merchant.code, store.code, code),
        store_id=store.store_id,
        kind=DeviceKind(kind),
        terminal_id=terminal_id,
        revoked=revoked,
        certificates=frozenset(certificates),
        roles=frozenset(map(StaffRole, roles)),
    )


def _place(
    terminal: Terminal,
    merchants: dict[MerchantId, Merchant],
    stores: dict[StoreId, Store],
) -> Place:
    store = stores[terminal.store_id]
    return Place(terminal=terminal, store=store, merchant=merchants[store.merchant_id])


def _cash_out_rule(row: Row) -> CashOutRule:
    jurisdiction, effective_from, cards, kind, limit_minor, currency, used = row
    return CashOutRule(
        jurisdiction=jurisdiction,
        effective_from=effective_from,
        cards=RuledCards(cards),
        kind=RuleKind(kind),
        limit_minor=limit_minor,
        currency=currency,
        used_percent=used,
    )


def _rate(row: Row) -> UsdRate:
    version, currency, usd_per_unit, effective_from, as_of, source = row
    return UsdRate(
        currency_code=currency,
        usd_per_unit_e12=None if usd_per_unit is None else rate_e12(usd_per_unit),
        version=version,
        effective_from=effective_from,
        as_of=as_of,
        source=source,
    )
