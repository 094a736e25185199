"""
An independent model of the contract: what every request must be answered (domain 1, 2).

Written from the contract alone. It keeps its own cards, keys and ledger, knows nothing
of batches, and decides one request after the other.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.support.model_checks import (
    amount_fault,
    credited,
    first_fault,
    price,
    refused_by,
    rest,
    rounding_of_refunds,
)
from tests.support.model_rows import (
    DEBITS,
    RATE_FIELDS,
    Ask,
    Entry,
    Key,
    Legs,
    ModelCard,
    Money,
    Row,
    Told,
    asked,
    asked_of,
    changed,
    still,
)
from tests.support.model_rules import (
    EXPONENTS,
    MOST,
    Rules,
    business_date,
    day_of_program,
)

NAMING = frozenset({"REVERSAL", "VOID", "REFUND"})


class Expected(NamedTuple):
    """
    What the gateway must answer.
    """

    row: Row
    recorded: bool
    replayed: bool
    state: str


class Model:
    """
    The whole of it: cards, keys, ledger.
    """

    def __init__(self, cards: list[ModelCard], rules: Rules) -> None:
        self.rules = rules
        self.cards = {card.number: card for card in cards}
        self.keys: dict[Key, Entry] = {}
        self.ledger: Legs = Counter()
        self._history: dict[int, list[Entry]] = {card.number: [] for card in cards}

    def answer(self, ask: Ask, clock: datetime, transaction: bytes | None) -> Expected:
        """
        Decide a request. `transaction` is the id it has if it is recorded.
        """
        kept = self.keys.get(ask.key)
        if kept is not None:
            return self._answer_kept(ask, kept, clock)
        if ask.operation in NAMING:
            entry = self._follow(ask, clock)
        else:
            entry = self._sell(ask, clock)
        entry.row["transaction_id"] = transaction
        self.keys[ask.key] = entry
        for account, amount in entry.legs.items():
            self.ledger[account] += amount
        return Expected(entry.row, recorded=True, replayed=False, state=entry.state)

    def balance(
        self, terminal: int, number: int, clock: datetime
    ) -> tuple[str, int | None, int | None, int | None]:
        """
        Give what GetBalance tells: the result, and the balances if all checks pass.
        """
        ask = Ask("BALANCE", terminal, 0, number)
        card = self._card_here(ask)
        fault = first_fault(ask, card, clock, self.rules)
        if fault or card is None:
            return (str(fault), None, None, None)
        return ("APPROVED", card.available, card.balance, card.held)

    def _card_here(self, ask: Ask) -> ModelCard | None:
        """
        Find the card a request names, unless nobody here may know of it.
        """
        card = self.cards.get(ask.number or 0)
        return card if card and card.accepted(ask, self.rules) else None

    def _answer_kept(self, ask: Ask, kept: Entry, clock: datetime) -> Expected:
        """
        Answer what was asked before (check 3): a replay, DUPLICATE, or a tombstone.
        """
        if kept.content == ask.content:
            return Expected(kept.row, recorded=True, replayed=True, state=kept.state)
        late = kept.content is None
        told = Told("ALREADY_REVERSED" if late else "DUPLICATE")
        row = still(ask, clock, None, told, self.rules)
        row["reason"] = None
        return Expected(row, recorded=False, replayed=False, state="DECLINED")

    # --- Activate, Load, Redeem, CashOut --------------------------------------------

    def _sell(self, ask: Ask, clock: datetime) -> Entry:
        known = self.cards.get(ask.number or 0)
        now = known.no_earlier(clock) if known else clock
        card = self._card_here(ask)
        fault = first_fault(ask, card, now, self.rules)
        if fault or card is None:
            told = Told(str(fault), amount=asked(ask))
            if card and fault == "RESTRICTED_CARD" and card.state != "BLOCKED":
                told = told._replace(refused=refused_by(ask, card, now, self.rules))
            return Entry(ask.content, still(ask, now, card, told, self.rules))
        sold = ask
        product = card.product
        if ask.operation == "ACTIVATE" and ask.minor is None and product.fixed:
            own = product.currency
            sold = ask._replace(minor=product.fixed, code=own, exponent=EXPONENTS[own])
        paying_out = ask.operation == "CASH_OUT"
        money = (rest if paying_out else price)(sold, card, now, self.rules)
        if isinstance(money, str):
            told = Told(money, shown=True, amount=asked(sold))
            return Entry(ask.content, still(ask, now, card, told, self.rules))
        if paying_out:
            own = product.currency
            digits = EXPONENTS[own]
            sold = ask._replace(minor=money.approved, code=own, exponent=digits)
        entry = self._approve(sold, card, money, now)
        entry.content = ask.content
        self._history[card.number].append(entry)
        return entry

    def _approve(self, ask: Ask, card: ModelCard, money: Money, now: datetime) -> Entry:
        balance, expires = card.balance, card.expires
        product, spent = card.product, ask.operation in DEBITS
        card.balance += -money.card_minor if spent else money.card_minor
        card.loads += 0 if spent else bool(money.card_minor)
        card.loaded += 0 if spent else money.card_minor
        if spent and not card.balance and not product.reloadable:
            card.state = "DEPLETED"
        if ask.operation == "ACTIVATE" or (card.balance and card.state == "DEPLETED"):
            card.state = "ACTIVE"
        if ask.operation == "ACTIVATE" and product.validity_days:
            today = day_of_program(product.program, now)
            card.expires = today + timedelta(days=product.validity_days)
        partial = spent and money.approved < (ask.minor or 0)
        told = Told(
            "APPROVED_PARTIAL" if partial else "APPROVED", shown=True, amount=asked(ask)
        )
        row = still(ask, now, card, told, self.rules)
        row = changed(row, card, money, balance, now)
        return Entry(None, row, _legs(ask, card, money), expires_before=expires)

    # --- Reverse, Void, Refund ------------------------------------------------------

    def _follow(self, ask: Ask, clock: datetime) -> Entry:
        original = self.keys.get(ask.original or (0, 0))
        about = original.row if original and original.content else None
        card = self.cards.get(about["card_id"] or 0) if about else None
        now = card.no_earlier(clock) if card else clock

        def end(told: Told, *, of: ModelCard | None = None) -> Entry:
            return Entry(ask.content, still(ask, now, of, told, self.rules))

        mine = asked(ask)
        fault = self.rules.place_fault(ask.terminal) or amount_fault(ask)
        if fault:
            return end(Told(fault, amount=mine))
        if original is None or about is None:
            entry = end(Told("ORIGINAL_NOT_FOUND", amount=mine))
            unseen = original is None and ask.operation == "REVERSAL"
            if unseen and ask.original and ask.original != ask.key:
                self.keys[ask.original] = Entry(None, entry.row)
            return entry
        refund = ask.operation == "REFUND"
        told = Told(
            "APPROVED",
            amount=mine if refund else asked_of(about),
            original=about["transaction_id"],
        )
        if card and not card.accepted(ask, self.rules):
            return end(told._replace(result="INVALID_CARD"))
        own = card.number if card else about["card_number_index"]
        if ask.number is not None and own is not None and ask.number != own:
            return end(Told("ORIGINAL_NOT_FOUND", amount=mine))
        decide = {
            "REVERSAL": self._reverse_fault,
            "VOID": self._void_fault,
            "REFUND": self._refund_fault,
        }[ask.operation]
        # What it names may have hidden the balance: then this must not tell it.
        told = told._replace(shown=original.approved and about["balances_shown"])
        fault = decide(ask, original, card, now)
        if fault == "nothing to undo":
            return end(told._replace(effective=False), of=card)
        if fault or card is None:
            hidden = fault in {"CARD_CLOSED", "CARD_NOT_ACTIVE"}
            shown = told.shown and not hidden
            return end(told._replace(result=str(fault), shown=shown), of=card)
        if refund:
            return self._refund(ask, original, card, now, told)
        return self._undo(ask, original, card, now, told)

    def _reverse_fault(
        self, ask: Ask, original: Entry, card: ModelCard | None, now: datetime
    ) -> str | None:
        voids = original.row["activity"] == "VOID" and original.approved
        if original.row["activity"] == "REVERSAL" or voids:
            return "CANNOT_BE_REVERSED"
        if not original.approved or original.undone_by == "REVERSAL":
            return "nothing to undo"
        if original.undone_by == "VOID":
            return "ALREADY_REVERSED"
        return self._undo_fault(original, card) if card else None

    def _void_fault(
        self, ask: Ask, original: Entry, card: ModelCard | None, now: datetime
    ) -> str | None:
        about = original.row
        if not original.approved or about["activity"] in {"REVERSAL", "VOID"}:
            return "CANNOT_BE_REVERSED"
        if original.undone:
            return "ALREADY_REVERSED"
        if about["business_date"] != business_date(ask.store, now):
            return "CANNOT_BE_REVERSED"
        return self._undo_fault(original, card) if card else None

    def _refund_fault(
        self, ask: Ask, original: Entry, card: ModelCard | None, now: datetime
    ) -> str | None:
        about = original.row
        closed = {"DEACTIVATED": "CARD_CLOSED", "REPLACED": "CARD_CLOSED"}
        unborn = {"CREATED": "CARD_NOT_ACTIVE", "PENDING": "CARD_NOT_ACTIVE"}
        if card and card.state in closed | unborn:
            return (closed | unborn)[card.state]
        if about["transaction_currency"] not in {None, ask.code}:
            return "CURRENCY_NOT_SUPPORTED"
        if about["activity"] != "REDEEM" or not original.approved or card is None:
            return "CANNOT_BE_REVERSED"
        credit = credited(ask, original)
        if credit <= 0 or card.balance + credit > MOST:
            return "INVALID_AMOUNT"
        if original.undone:
            return "ALREADY_REVERSED"
        after = original.refunded("approved_minor") + (ask.minor or 0)
        return "INVALID_AMOUNT" if after > about["approved_minor"] else None

    def _refund(
        self, ask: Ask, original: Entry, card: ModelCard, now: datetime, told: Told
    ) -> Entry:
        about, balance = original.row, card.balance
        money = Money(ask.minor or 0, credited(ask, original))
        card.balance += money.card_minor
        card.state = "ACTIVE" if card.state == "DEPLETED" else card.state
        row = still(ask, now, card, told, self.rules)
        row = changed(row, card, money, balance, now)
        row |= {name: about[name] for name in RATE_FIELDS}
        if about["rounding"] is not None:
            row["rounding"] = rounding_of_refunds(ask, original)
        entry = Entry(ask.content, row, _legs(ask, card, money))
        original.refunds.append(entry)
        self._history[card.number].append(entry)
        return entry

    def _undo_fault(self, original: Entry, card: ModelCard) -> str | None:
        after = _undone_balance(original, card)
        if after > MOST:
            return "INVALID_AMOUNT"
        history = self._history[card.number]
        later = history[history.index(original) + 1 :]
        activation = original.row["activity"] == "ACTIVATE"
        blocked = card.state == "BLOCKED"
        if activation and (blocked or any(not entry.undone for entry in later)):
            return "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
        if original.refunded("approved_minor") or after < card.held:
            return "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
        return None

    def _undo(
        self, ask: Ask, original: Entry, card: ModelCard, now: datetime, told: Told
    ) -> Entry:
        about, balance = original.row, card.balance
        card.balance = _undone_balance(original, card)
        if about["activity"] in {"ACTIVATE", "LOAD"}:
            card.loads -= bool(about["card_minor"])
            card.loaded -= about["card_minor"]
        if about["activity"] == "ACTIVATE":
            card.expires = original.expires_before
            card.state = "PENDING" if card.state == "ACTIVE" else card.state
        elif card.state == "DEPLETED":
            card.state = "ACTIVE"
        elif about["activity"] == "REFUND" and not card.product.reloadable:
            emptied = card.state == "ACTIVE" and not card.balance
            card.state = "DEPLETED" if emptied else card.state
        original.undone_by = ask.operation
        told = told._replace(shown=True, effective=True)
        row = still(ask, now, card, told, self.rules)
        money = Money(about["approved_minor"], about["card_minor"])
        row = changed(row, card, money, balance, now)
        row |= {name: about[name] for name in RATE_FIELDS}
        legs = Counter({account: -amount for account, amount in original.legs.items()})
        return Entry(ask.content, row, legs)


def _undone_balance(original: Entry, card: ModelCard) -> int:
    """
    Give the balance without the original: its leg on the card's liability, undone.
    """
    account = ("CARD_LIABILITY", card.product.program, card.product.currency)
    return card.balance + original.legs[account]


def _legs(ask: Ask, card: ModelCard, money: Money) -> Legs:
    """
    Post double entry, debits positive, through FX clearing between currencies.
    """
    legs: Legs = Counter()
    if not money.card_minor:
        return legs
    sign = 1 if ask.operation in DEBITS else -1
    program, own, code = card.product.program, card.product.currency, str(ask.code)
    bought = ask.operation in DEBITS | {"REFUND"}
    account = "MERCHANT_PAYABLE" if bought else "MERCHANT_RECEIVABLE"
    legs["CARD_LIABILITY", program, own] += sign * money.card_minor
    legs[account, ask.store.merchant, code] -= sign * money.approved
    if code != own:
        legs["FX_CLEARING", program, own] -= sign * money.card_minor
        legs["FX_CLEARING", program, code] += sign * money.approved
    return legs
