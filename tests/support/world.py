"""
A small world for decisions: the base set-up of domain 2, as values.

Programme USD, one merchant, one store that takes every currency of the test set, one
terminal, a reloadable product in USD and in EUR, a one-time product, rate table R1.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from currency import Currency, RateBook, UsdRate, rate_e12
from gateway.domain.card_pins import CardPin
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.cash_out_rules import CashOutRule, CashOutRules
from gateway.domain.commands import (
    NO_CONTEXT,
    Activate,
    Amount,
    CardRef,
    CashOut,
    Fingerprint,
    Load,
    MoneyCommand,
    Naming,
    Redeem,
    Refund,
    Reverse,
    Void,
)
from gateway.domain.decide import decide
from gateway.domain.decision import Decision, Stamp, View
from gateway.domain.ids import (
    CardId,
    MerchantId,
    ProductId,
    ProgramId,
    RequestId,
    RequestKey,
    StoreId,
    TerminalId,
    TransactionId,
)
from gateway.domain.originals import NO_REFUNDS, Original, Refunds
from gateway.domain.policy import (
    Merchant,
    PartyState,
    Place,
    Policy,
    Product,
    Program,
    Store,
    Terminal,
)
from gateway.domain.record import Posting, TransactionRecord
from gateway.domain.results import ActivityType, LoadType, ReversalReason

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
R1 = {"KWD": "3.2520", "EUR": "1.0850", "JPY": "0.00665", "LBP": "0.0000111607"}

PROGRAM = ProgramId(1)
MERCHANT = MerchantId(1)
STORE = StoreId(1)
TERMINAL = TerminalId(1)
RELOADABLE = ProductId(1)
ONE_TIME = ProductId(2)
FIXED = ProductId(3)
EURO = ProductId(4)
NUMBER_INDEX = b"\x07" * 32


def rate(
    code: str,
    text: str,
    *,
    version: int = 1,
    effective_from: datetime = LONG_AGO,
    as_of: datetime = LONG_AGO,
) -> UsdRate:
    """
    Make one row of a rate table.
    """
    return UsdRate(
        currency_code=code,
        usd_per_unit_e12=rate_e12(Decimal(text)),
        version=version,
        effective_from=effective_from,
        as_of=as_of,
        source="test",
    )


def product(product_id: ProductId, currency: str = "USD", **changes: Any) -> Product:
    """
    Make a product that permits everything and limits nothing.
    """
    values: dict[str, Any] = {
        "product_id": product_id,
        "program_id": PROGRAM,
        "code": f"product-{product_id}",
        "currency": Currency.of(currency),
        "reloadable": True,
        "fixed_amount_minor": None,
        "permitted": frozenset(
            {
                ActivityType.ACTIVATE,
                ActivityType.LOAD,
                ActivityType.REDEEM,
                ActivityType.BALANCE,
                ActivityType.CASH_OUT,
            }
        ),
        "max_load_minor": None,
        "max_redeem_minor": None,
        "max_balance_minor": None,
        "validity_days": None,
    }
    return Product(**(values | changes))


def place(
    *,
    terminal: PartyState = PartyState.ACTIVE,
    store: PartyState = PartyState.ACTIVE,
    merchant: PartyState = PartyState.ACTIVE,
    currencies: Iterable[str] = ("USD", "EUR", "KWD", "JPY", "LBP", "GBP"),
    time_zone: str = "Asia/Beirut",
    cut_off: time = time(0),
    country: str = "LB",
    jurisdiction: str | None = None,
) -> Place:
    """
    Make the one place of this world.
    """
    return Place(
        terminal=Terminal(
            terminal_id=TERMINAL, store_id=STORE, code="t-1", state=terminal
        ),
        store=Store(
            store_id=STORE,
            merchant_id=MERCHANT,
            code="s-1",
            country=country,
            currencies=frozenset(currencies),
            time_zone=ZoneInfo(time_zone),
            cut_off=cut_off,
            state=store,
            jurisdiction=jurisdiction,
        ),
        merchant=Merchant(
            merchant_id=MERCHANT, code="m-1", name="Merchant", state=merchant
        ),
    )


def policy(
    *,
    at: Place | None = None,
    products: Iterable[Product] = (),
    rates: Iterable[UsdRate] | None = None,
    accepted: bool = True,
    max_rate_age: dict[str, timedelta] | None = None,
    cash_out_rules: Iterable[CashOutRule] = (),
) -> Policy:
    """
    Make the policy of this world, with rate table R1 unless told otherwise.
    """
    here = at or place()
    known = [
        product(RELOADABLE),
        product(ONE_TIME, reloadable=False),
        product(FIXED, reloadable=False, fixed_amount_minor=50_00),
        product(EURO, "EUR"),
        *products,
    ]
    table = [rate(code, text) for code, text in R1.items()] if rates is None else rates
    return Policy(
        version=1,
        programs={
            PROGRAM: Program(
                program_id=PROGRAM,
                code="p-1",
                name="Programme",
                time_zone=ZoneInfo("Asia/Dubai"),
            )
        },
        products={one.product_id: one for one in known},
        devices={},
        places={TERMINAL: here},
        terminal_ids={(STORE, "t-1"): TERMINAL},
        accepted=frozenset({(PROGRAM, MERCHANT)} if accepted else ()),
        rates=RateBook.of(table),
        max_rate_age=max_rate_age or {},
        cash_out_rules=CashOutRules(cash_out_rules),
    )


def card(
    balance_minor: int = 100_00,
    *,
    state: CardState = CardState.ACTIVE,
    block_reason: BlockReason | None = None,
    product_id: ProductId = RELOADABLE,
    currency: str = "USD",
    held_minor: int = 0,
    load_count: int = 1,
    expires_on: date | None = None,
    loaded_minor: int = 0,
) -> Card:
    """
    Make a card, ACTIVE with ledger 100.00 unless told otherwise.
    """
    return Card(
        card_id=CardId(1),
        program_id=PROGRAM,
        product_id=product_id,
        number_index=NUMBER_INDEX,
        last_four="1234",
        state=state,
        block_reason=block_reason,
        currency=Currency.of(currency),
        balance_minor=balance_minor,
        held_minor=held_minor,
        unconfirmed_minor=0,
        load_count=load_count,
        expires_on=expires_on,
        version=1,
        last_transaction_at=None,
        loaded_minor=loaded_minor,
    )


def view(
    seen: Card | None,
    *,
    rules: Policy | None = None,
    now: datetime = NOW,
    number: int = 1,
    pin: CardPin | None = None,
) -> View:
    """
    Give a decision its view; `number` makes the transaction's id.
    """
    rules = rules or policy()
    stamp = Stamp(TransactionId(number.to_bytes(16)), "ABC234", now, 1)
    return View(rules.places[TERMINAL], seen, rules, stamp, pin=pin)


def key(number: int) -> RequestKey:
    """
    Give the key of this world's request `number`.
    """
    return RequestKey(TERMINAL, RequestId(number.to_bytes(16)))


def amount(minor: int, code: str = "USD", exponent: int | None = None) -> Amount:
    """
    Make an amount, with the currency's own exponent unless told otherwise.
    """
    digits = Currency.of(code).exponent if exponent is None else exponent
    return Amount(minor, code, digits)


def _common(number: int, *, with_card: bool = True) -> dict[str, Any]:
    return {
        "request_id": RequestId(number.to_bytes(16)),
        "terminal_id": TERMINAL,
        "card": CardRef(NUMBER_INDEX, "1234") if with_card else None,
        "till": NO_CONTEXT,
        "fingerprint": Fingerprint(1, number.to_bytes(32)),
        "content": b"",
    }


def redeem(asked: Amount, *, allow_partial: bool = False, number: int = 1) -> Redeem:
    """
    Ask to spend.
    """
    return Redeem(**_common(number), amount=asked, allow_partial=allow_partial)


def load(asked: Amount, *, number: int = 1) -> Load:
    """
    Ask to add value.
    """
    return Load(**_common(number), amount=asked, load_type=LoadType.SALE)


def activate(asked: Amount | None = None, *, number: int = 1) -> Activate:
    """
    Ask to make a card usable.
    """
    return Activate(**_common(number), initial_amount=asked)


def cash_out(*, number: int = 1) -> CashOut:
    """
    Ask to be paid the rest.
    """
    return CashOut(**_common(number))


def reverse(original: int, *, number: int = 100, with_card: bool = True) -> Reverse:
    """
    Ask to undo request `original`.
    """
    return Reverse(
        **_common(number, with_card=with_card),
        original=key(original),
        reversal_reason=ReversalReason.TIMEOUT,
    )


def refund(
    asked: Amount, original: int = 1, *, number: int = 200, with_card: bool = False
) -> Refund:
    """
    Ask to give back what request `original` spent.
    """
    return Refund(
        **_common(number, with_card=with_card), original=key(original), amount=asked
    )


def void(original: int = 1, *, number: int = 300, with_card: bool = False) -> Void:
    """
    Ask to undo request `original` on its day.
    """
    return Void(**_common(number, with_card=with_card), original=key(original))


def done(
    command: MoneyCommand,
    seen: Card | None,
    *,
    rules: Policy | None = None,
    now: datetime = NOW,
) -> tuple[TransactionRecord, Card]:
    """
    Decide a request that is expected to change its card: the record, and the card.
    """
    decision = decide(command, view(seen, rules=rules, now=now), None)
    assert decision.card is not None
    return decision.record, decision.card


def undo(
    record: TransactionRecord,
    seen: Card | None,
    *,
    rules: Policy | None = None,
    undone: bool = False,
    followed: bool = False,
    command: Reverse | None = None,
) -> Decision:
    """
    Decide a reversal of `record`; `command` says more than that it is one.
    """
    original = Original(record, undone, followed)
    asked = command or reverse(1, with_card=False)
    return decide(asked, view(seen, rules=rules, number=100), original)


def follow(
    command: Naming,
    record: TransactionRecord,
    seen: Card | None,
    *,
    rules: Policy | None = None,
    now: datetime = NOW,
    undone_by: ActivityType | None = None,
    refunds: Refunds = NO_REFUNDS,
    followed: bool = False,
    confirmed: bool = False,
) -> Decision:
    """
    Decide what names `record`, of which something has become or not.
    """
    by_reversal = undone_by is ActivityType.REVERSAL
    voided = undone_by is ActivityType.VOID
    original = Original(record, by_reversal, followed, voided, refunds, confirmed)
    seen_by = view(seen, rules=rules, now=now, number=command.request_id[-1])
    return decide(command, seen_by, original)


def balanced(postings: Iterable[Posting]) -> bool:
    """
    Tell whether postings sum to zero in each currency.
    """
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount_minor
    return not any(sums.values())
