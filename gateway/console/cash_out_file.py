"""
Read a file of cash-out rules: the law of each place, from which day on.
"""

from datetime import date
from pathlib import Path
from typing import Final

from currency import Currency
from gateway.books.admin_cash_out import SourcedRule
from gateway.console.csv_file import CsvFaults, CsvRow, read_csv
from gateway.console.faults import FieldError
from gateway.console.fields import (
    read_amount,
    read_currency,
    read_day,
    read_jurisdiction,
    read_percent,
    read_source,
)
from gateway.domain.cash_out_rules import CashOutRule, RuledCards, RuleKind

REQUIRED: Final = ("jurisdiction", "effective_from", "cards", "rule", "source")
OPTIONAL: Final = ("amount", "currency", "percent")

CARDS: Final = {
    "any": RuledCards.ANY,
    "single-load": RuledCards.SINGLE_LOAD,
    "reloadable": RuledCards.RELOADABLE,
}
KINDS: Final = {
    "below": RuleKind.BELOW,
    "up-to": RuleKind.UP_TO,
    "used": RuleKind.USED,
    "never": RuleKind.NEVER,
}
_NEEDED: Final[dict[RuleKind, tuple[str, ...]]] = {
    RuleKind.BELOW: ("amount", "currency"),
    RuleKind.UP_TO: ("amount", "currency"),
    RuleKind.USED: ("percent",),
    RuleKind.NEVER: (),
}


def read_cash_out_rules(file: Path) -> list[SourcedRule]:
    """
    Read all rules of a file, or raise BadInputError with all that is wrong.
    """
    faults = CsvFaults(file)
    lines: dict[tuple[str, date, RuledCards], int] = {}
    found: list[SourcedRule] = []
    for row in read_csv(file, faults, required=REQUIRED, optional=OPTIONAL):
        sourced = _read_row(row)
        if sourced is None:
            continue
        rule = sourced.rule
        named = (rule.jurisdiction, rule.effective_from, rule.cards)
        if named in lines:
            row.refuse(
                "jurisdiction",
                f"{rule.jurisdiction} stands in line {lines[named]} already, for the "
                "same cards and day",
            )
            continue
        lines[named] = row.line
        found.append(sourced)
    faults.raise_if_any()
    return found


def _read_row(row: CsvRow) -> SourcedRule | None:
    jurisdiction = row.read("jurisdiction", read_jurisdiction)
    effective_from = row.read("effective_from", read_day)
    cards = row.read("cards", _read_cards)
    kind = row.read("rule", _read_kind)
    source = row.read("source", read_source)
    if kind is None:
        return None
    for field in OPTIONAL:
        if field not in _NEEDED[kind] and row.has(field):
            row.refuse(field, "does not belong to this rule: leave it empty")
    limit_minor, currency = _read_limit(row) if "amount" in _NEEDED[kind] else (0, None)
    percent = row.read("percent", read_percent) if kind is RuleKind.USED else None
    if kind is RuleKind.USED and cards not in {None, RuledCards.SINGLE_LOAD}:
        row.refuse("cards", "only single-load cards have a value to be used: write it")
    if (
        not row.is_good
        or jurisdiction is None
        or effective_from is None
        or cards is None
        or source is None
    ):
        return None
    rule = CashOutRule(
        jurisdiction=jurisdiction,
        effective_from=effective_from,
        cards=cards,
        kind=kind,
        limit_minor=None if currency is None else limit_minor,
        currency=None if currency is None else currency.code,
        used_percent=percent,
    )
    return SourcedRule(rule, source)


def _read_limit(row: CsvRow) -> tuple[int | None, Currency | None]:
    currency = row.read("currency", read_currency)
    if currency is None:
        return None, None
    return row.read("amount", lambda text: read_amount(text, currency)), currency


def _read_cards(text: str) -> RuledCards:
    if text not in CARDS:
        raise FieldError(f"{text[:60]!r}: write one of {', '.join(CARDS)}")
    return CARDS[text]


def _read_kind(text: str) -> RuleKind:
    if text not in KINDS:
        raise FieldError(f"{text[:60]!r}: write one of {', '.join(KINDS)}")
    return KINDS[text]
