"""
Between the independent model's plain words and the gateway's types.

Only translation stands here: what is asked, which rules hold, and how a record of the
gateway reads in the model's words.
"""

from datetime import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from currency import Currency, RateBook, UsdRate, rate_e12
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.cash_out_rules import (
    CashOutRule,
    CashOutRules,
    RuledCards,
    RuleKind,
)
from gateway.domain.commands import (
    NO_CONTEXT,
    Activate,
    Amount,
    CardRef,
    CashOut,
    Fingerprint,
    Load,
    MoneyCommand,
    Redeem,
    Refund,
    Reverse,
    Void,
)
from gateway.domain.ids import (
    CardId,
    IssueBatchId,
    LimitSetId,
    LimitVersionId,
    MerchantId,
    ProductId,
    ProgramId,
    RequestId,
    RequestKey,
    RestrictionSetId,
    RestrictionVersionId,
    StoreGroupId,
    StoreId,
    TerminalId,
)
from gateway.domain.limits import FlowLimits, Limits
from gateway.domain.policy import (
    Caller,
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
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import (
    ListedCategory,
    ListedCountry,
    ListedGroup,
    ListedMerchant,
    ListedStore,
    ListRule,
    Restriction,
    Window,
)
from gateway.domain.results import (
    ActivityType,
    Channel,
    LoadType,
    Result,
    ReversalReason,
)
from tests.support.fake_ports import FakeCodes
from tests.support.model_restrictions import (
    RESTRICTIONS,
    WEEK,
    RestrictionRow,
    WindowRow,
)
from tests.support.model_rows import Ask, ModelCard, Row
from tests.support.model_rules import (
    PRODUCTS,
    PROGRAM_ZONES,
    STORE_OF_TERMINAL,
    STORES,
    LawRow,
    ProductRow,
    RateRow,
    Rules,
)

CERTIFICATE = b"\x01" * 32
_CODES = FakeCodes()
_CARDS = {
    "any": RuledCards.ANY,
    "one load": RuledCards.SINGLE_LOAD,
    "reloadable": RuledCards.RELOADABLE,
}
_KINDS = {
    "<": RuleKind.BELOW,
    "<=": RuleKind.UP_TO,
    "%": RuleKind.USED,
    "-": RuleKind.NEVER,
}


def caller_of(terminal: int) -> Caller:
    """
    Give who calls for a terminal: the controller of its store.
    """
    store = STORES[STORE_OF_TERMINAL[terminal]]
    name = DeviceName(f"m-{store.merchant}", f"s-{store.store}", "controller")
    return Caller(name, CERTIFICATE)


def number_index(number: int) -> bytes:
    """
    Give the keyed hash of a card number.
    """
    return number.to_bytes(32)


def card_of(card: ModelCard) -> Card:
    """
    Give a card's row.
    """
    return Card(
        card_id=CardId(card.number),
        program_id=ProgramId(card.product.program),
        product_id=ProductId(card.product.product),
        number_index=number_index(card.number),
        last_four=f"{card.number:04}",
        state=CardState[card.state],
        block_reason=None if card.block is None else BlockReason[card.block],
        currency=Currency.of(card.product.currency),
        balance_minor=card.balance,
        held_minor=card.held,
        unconfirmed_minor=0,
        load_count=card.loads,
        expires_on=card.expires,
        version=card.seq,
        last_transaction_at=card.last,
        loaded_minor=card.loaded,
        issue_batch_id=None if card.batch is None else IssueBatchId(card.batch),
        restriction_set_id=_set_id(card.restriction),
    )


def command_of(ask: Ask, key_id: int) -> MoneyCommand:
    """
    Give the command as the gateway reads it, its fingerprint under one of its keys.
    """
    content = repr(ask.content).encode()
    common: dict[str, Any] = {
        "request_id": _request_id(ask.request),
        "terminal_id": TerminalId(ask.terminal),
        "card": None
        if ask.number is None
        else CardRef(number_index(ask.number), f"{ask.number:04}"),
        "till": NO_CONTEXT,
        "fingerprint": Fingerprint(key_id, _CODES.fingerprint(content, key_id)),
        "content": content,
    }
    if ask.operation == "REVERSAL":
        assert ask.original is not None
        terminal, request = ask.original
        return Reverse(
            **common,
            original=RequestKey(TerminalId(terminal), _request_id(request)),
            reversal_reason=ReversalReason(ask.reason or 0),
        )
    if ask.operation == "CASH_OUT":
        return CashOut(**common)
    amount = None
    if ask.minor is not None:
        amount = Amount(ask.minor, str(ask.code), int(ask.exponent or 0))
    if ask.operation in {"VOID", "REFUND"}:
        assert ask.original is not None
        terminal, request = ask.original
        original = RequestKey(TerminalId(terminal), _request_id(request))
        if ask.operation == "VOID":
            return Void(**common, original=original)
        assert amount is not None
        return Refund(**common, original=original, amount=amount)
    if ask.operation == "ACTIVATE":
        return Activate(**common, initial_amount=amount)
    assert amount is not None
    if ask.operation == "LOAD":
        return Load(**common, amount=amount, load_type=LoadType(ask.reason or 0))
    return Redeem(**common, amount=amount, allow_partial=ask.partial)


def policy_of(rules: Rules) -> Policy:
    """
    Give the rules as one version of the gateway's policy.
    """
    return Policy(
        version=rules.version,
        programs={
            ProgramId(number): Program(
                program_id=ProgramId(number),
                code=f"p-{number}",
                name="Programme",
                time_zone=zone,
            )
            for number, zone in PROGRAM_ZONES.items()
        },
        products={
            ProductId(row.product): _product(row, rules) for row in PRODUCTS.values()
        },
        devices={
            caller_of(terminal).device: Device(
                name=caller_of(terminal).device,
                store_id=StoreId(store),
                kind=DeviceKind.CONTROLLER,
                terminal_id=None,
                revoked=False,
                certificates=frozenset({CERTIFICATE}),
            )
            for terminal, store in STORE_OF_TERMINAL.items()
        },
        places={TerminalId(t): _place(t, rules) for t in STORE_OF_TERMINAL},
        terminal_ids={
            (StoreId(store), f"t-{terminal}"): TerminalId(terminal)
            for terminal, store in STORE_OF_TERMINAL.items()
        },
        accepted=frozenset((ProgramId(p), MerchantId(m)) for p, m in rules.accepted),
        rates=RateBook.of(_rate(row) for row in rules.rates),
        max_rate_age=dict(rules.max_age),
        cash_out_rules=CashOutRules(map(_law, rules.law)),
        limits={ROOMY: NO_DAY},
        restrictions={
            RestrictionSetId(row.number): _restriction(row)
            for row in RESTRICTIONS.values()
        },
        issue_batches={
            IssueBatchId(number): RestrictionSetId(restriction)
            for (level, number), restriction in rules.restricted.items()
            if level == "batch"
        },
    )


ROOMY = LimitSetId(1)
NO_DAY = Limits(
    version_id=LimitVersionId(1),
    currency=Currency.of("USD"),
    load=FlowLimits(day_minor=10**18),
)


def seen(record: TransactionRecord) -> Row:
    """
    Read a record in the model's words. The till's own fields are left out.
    """
    row = {k: v for k, v in record._asdict().items() if k not in NO_CONTEXT._fields}
    # Nothing that the model asks has any of these.
    ours = ("channel", "actor", "offline", "unconfirmed")
    assert [row.pop(name) for name in ours] == [Channel.API, None, False, False]
    # Whether an explanation can be made of it is seen elsewhere.
    assert (row.pop("seen") is None) == (record.transaction_id is None)
    # Limits have a model of their own.
    limit = (row.pop("limit_kind"), row.pop("limit_value"))
    assert (None in limit) == (record.result is not Result.LIMIT_EXCEEDED)
    for name in ("limit_window_s", "limit_version_id", "terminal_minor"):
        assert row.pop(name) is None
    row["activity"] = record.activity.name
    row["result"] = record.result.name
    row["refusal"] = None if record.refusal is None else record.refusal.name
    row["card_state"] = None if record.card_state is None else record.card_state.name
    row["request_id"] = int.from_bytes(record.request_id or b"")
    if record.card_number_index is not None:
        row["card_number_index"] = int.from_bytes(record.card_number_index)
    row["approval_code"] = record.approval_code is not None
    for name in ("rate_transaction", "rate_card", "applied_rate", "rounding"):
        value = row[name]
        row[name] = None if value is None else Fraction(value)
    return row


def _request_id(request: int) -> RequestId:
    return RequestId(request.to_bytes(16))


def _product(row: ProductRow, rules: Rules) -> Product:
    return Product(
        product_id=ProductId(row.product),
        program_id=ProgramId(row.program),
        code=f"product-{row.product}",
        currency=Currency.of(row.currency),
        reloadable=row.reloadable,
        fixed_amount_minor=row.fixed,
        permitted=frozenset(ActivityType[name] for name in row.permitted),
        max_load_minor=row.max_load,
        max_redeem_minor=row.max_redeem,
        max_balance_minor=row.max_balance,
        validity_days=row.validity_days,
        cash_out_limit_minor=row.cash_out,
        restriction_set_id=_set_id(rules.restricted.get(("product", row.product))),
        limit_set_id=ROOMY,
    )


def _place(terminal: int, rules: Rules) -> Place:
    row = STORES[STORE_OF_TERMINAL[terminal]]

    def state(kind: str, number: int) -> PartyState:
        return PartyState[rules.states.get((kind, number), "ACTIVE")]

    return Place(
        terminal=Terminal(
            terminal_id=TerminalId(terminal),
            store_id=StoreId(row.store),
            code=f"t-{terminal}",
            state=state("terminal", terminal),
        ),
        store=Store(
            store_id=StoreId(row.store),
            merchant_id=MerchantId(row.merchant),
            code=f"s-{row.store}",
            country=row.country,
            currencies=row.currencies,
            time_zone=row.zone,
            cut_off=time(row.cut_off_hours),
            state=state("store", row.store),
            jurisdiction=row.law if "-" in row.law else None,
            merchant_category=row.category,
            groups=frozenset(map(StoreGroupId, row.groups)),
        ),
        merchant=Merchant(
            merchant_id=MerchantId(row.merchant),
            code=f"m-{row.merchant}",
            name="Merchant",
            state=state("merchant", row.merchant),
        ),
    )


def _law(row: LawRow) -> CashOutRule:
    by_amount = row.kind.startswith("<")
    return CashOutRule(
        jurisdiction=row.place,
        effective_from=row.since,
        cards=_CARDS[row.cards],
        kind=_KINDS[row.kind],
        limit_minor=row.figure if by_amount else None,
        currency=row.code if by_amount else None,
        used_percent=row.figure if row.kind == "%" else None,
    )


def _set_id(number: int | None) -> RestrictionSetId | None:
    return None if number is None else RestrictionSetId(number)


def _restriction(row: RestrictionRow) -> Restriction:
    kinds: dict[str, Any] = {
        "store": ListedStore,
        "group": ListedGroup,
        "merchant": ListedMerchant,
        "country": ListedCountry,
        "category": ListedCategory,
    }
    listed = [kinds[kind](ListRule.ALLOW, value) for kind, value in row.allow]
    listed += [kinds[kind](ListRule.DENY, value) for kind, value in row.deny]
    return Restriction.of(
        RestrictionVersionId(row.number), listed, map(_window, row.windows)
    )


def _window(row: WindowRow) -> Window:
    ends = 1_440 if row.ends is None else row.ends.hour * 60 + row.ends.minute
    return Window(
        weekdays=sum(1 << WEEK.index(day) for day in row.days),
        begins_minute=row.begins.hour * 60 + row.begins.minute,
        ends_minute=ends,
    )


def _rate(row: RateRow) -> UsdRate:
    return UsdRate(
        currency_code=row.code,
        usd_per_unit_e12=None if row.usd is None else rate_e12(Decimal(row.usd)),
        version=row.version,
        effective_from=row.effective_from,
        as_of=row.as_of,
        source="model",
    )
