"""
What may happen while tills trade: amounts worth asking for, and events beside them.

Chosen so that something turns at each: a balance, a limit, a rounding, a bound, a day.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from tests.support.model_restrictions import RESTRICTIONS
from tests.support.model_rows import ModelCard
from tests.support.model_rules import EXPONENTS, MOST, LawRow, RateRow, Rules
from tests.support.model_trading import Trading


class Share(NamedTuple):
    """
    An amount by what the card has: this many quarters of it, in its own currency.
    """

    quarters: int


class Fixed(NamedTuple):
    """
    An amount as it stands.
    """

    minor: int
    code: str
    exponent: int


_LEVELS: Final = ("product", "batch", "card")

Amount = Share | Fixed
Event = Callable[[Trading, int], None]


def amount_fields(amount: Amount, card: ModelCard | None) -> dict[str, Any]:
    """
    Give the fields of a request for an amount; a card without money has ten units.
    """
    if isinstance(amount, Share):
        code = card.product.currency if card else "USD"
        has = card.available if card else 0
        minor = (has or 10 * 10 ** EXPONENTS[code]) * amount.quarters // 4
        return {"minor": minor, "code": code, "exponent": EXPONENTS[code]}
    return amount._asdict()


def amounts() -> list[Amount]:
    """
    List the amounts, the likely ones more often.
    """
    minors = {
        "USD": (1, 5_00, 10_00, 30_00, 50_00, 100_00, 130_00, 200_00, 200_01),
        "EUR": (1, 15_41, 45_00),
        "KWD": (1, 2, 3_075, 5_143, 10_000, 15_375),
        "JPY": (1, 2, 100, 5_000, 10_000),
        "LBP": (100_00, 1_000_000_00),
        "GBP": (10_00,),
        "TRY": (10_00,),
    }
    usual: list[Amount] = [
        Fixed(m, code, EXPONENTS[code]) for code, of in minors.items() for m in of
    ]
    odd: list[Amount] = [
        Fixed(0, "USD", 2),
        Fixed(-5_00, "USD", 2),
        Fixed(10_005, "USD", 3),
        Fixed(15, "JPY", 1),
        Fixed(1, "ZZZ", 7),
        Fixed(MOST, "JPY", 0),
        Fixed(MOST, "USD", 2),
        Fixed(MOST, "KWD", 3),
        Fixed(MOST + 1, "USD", 2),
    ]
    shares: list[Amount] = [Share(1), Share(2), Share(4), Share(4), Share(5)] * 5
    return [*usual, *odd, *shares]


def events() -> list[Event]:
    """
    List what happens beside the tills, to the whole or to one card.
    """
    times = [timedelta(microseconds=1), timedelta(hours=8), timedelta(hours=13)]
    times += [timedelta(days=1), timedelta(days=31), timedelta(seconds=-30)]
    rates = [
        ("KWD", "3.3", 0),
        ("KWD", "3.25", 8),
        ("EUR", "1.234567890123", 0),
        ("JPY", "0.0067", 13),
        ("KWD", None, 0),
    ]
    laws = [
        (1, "any", "-", 0),
        (0, "any", "<=", 25_00),
        (0, "one load", "%", 50),
        (-1, "reloadable", "<", 50_00),
    ]
    return [
        *(_pass_time(passed) for passed in times),
        *(_load_rates(code, usd, ahead) for code, usd, ahead in rates),
        *(_suspend(kind) for kind in ("terminal", "store", "merchant")),
        *[_restore] * 3,
        _part_with_merchant,
        _let_rates_age,
        *(_pass_law(*law) for law in laws),
        *(_block(why) for why in ("LOST", "STOLEN", "FRAUD", "CUSTOMER")),
        *[_unblock] * 3,
        _issue,
        _close,
        _rotate,
        *(_restrict(level, which) for level in _LEVELS for which in RESTRICTIONS),
        *[_lift] * 4,
    ]


def _pass_time(passed: timedelta) -> Event:
    """
    Move the clock; back is a worker whose clock lags.
    """
    return lambda trading, _: trading.pass_time(passed)


def _load_rates(code: str, usd: str | None, hours_ahead: int) -> Event:
    """
    Load a table, in force now or later; None withdraws the currency.
    """

    def happen(trading: Trading, number: int) -> None:
        now = trading.books.clock
        since = now + timedelta(hours=hours_ahead)
        version = max(row.version for row in trading.rules.rates) + 1
        row = RateRow(code, usd, version, since, now)
        trading.change_rules(lambda rules: rules.rates.append(row))

    return happen


def _pass_law(days_ahead: int, cards: str, kind: str, figure: int) -> Event:
    """
    Rule anew, in the one place or the other, from a day on.
    """

    def happen(trading: Trading, number: int) -> None:
        since = (trading.books.clock + timedelta(days=days_ahead)).date()
        place = "US-MA" if number % 2 else "LB"
        row = LawRow(place, since, cards, kind, figure)

        def change(rules: Rules) -> None:
            rules.law = [old for old in rules.law if old[:3] != row[:3]] + [row]

        trading.change_rules(change)

    return happen


def _suspend(kind: str) -> Event:
    def happen(trading: Trading, number: int) -> None:
        def change(rules: Rules) -> None:
            rules.states[kind, 1] = "SUSPENDED"

        trading.change_rules(change)

    return happen


def _restore(trading: Trading, number: int) -> None:
    """
    Take back all that suspends, ages, parts or restricts.
    """

    def change(rules: Rules) -> None:
        rules.states.clear()
        rules.max_age.clear()
        rules.restricted.clear()
        rules.accepted.add((1, 1))

    trading.change_rules(change)


def _part_with_merchant(trading: Trading, number: int) -> None:
    trading.change_rules(lambda rules: rules.accepted.discard((1, 1)))


def _let_rates_age(trading: Trading, number: int) -> None:
    def change(rules: Rules) -> None:
        rules.max_age["KWD"] = timedelta(days=1)

    trading.change_rules(change)


def _restrict(level: str, which: int) -> Event:
    """
    Give a card, or its product or issue batch, a restriction.
    """

    def happen(trading: Trading, number: int) -> None:
        card = trading.model.cards.get(number)
        if level == "card":
            trading.restrict_card(number, which)
            return
        owner = None
        if card is not None:
            owner = card.product.product if level == "product" else card.batch
        if owner is not None:
            key = level, owner

            def change(rules: Rules) -> None:
                rules.restricted[key] = which

            trading.change_rules(change)

    return happen


def _lift(trading: Trading, number: int) -> None:
    """
    Take all restrictions away, and the card's own.
    """
    trading.restrict_card(number, None)
    trading.change_rules(lambda rules: rules.restricted.clear())


def _block(why: str) -> Event:
    def happen(trading: Trading, number: int) -> None:
        if _state(trading, number) == "ACTIVE":
            trading.move_card(number, "BLOCKED", why)

    return happen


def _unblock(trading: Trading, number: int) -> None:
    if _state(trading, number) == "BLOCKED":
        trading.move_card(number, "ACTIVE")


def _issue(trading: Trading, number: int) -> None:
    if _state(trading, number) == "CREATED":
        trading.move_card(number, "PENDING")


def _close(trading: Trading, number: int) -> None:
    if _state(trading, number) in {"ACTIVE", "BLOCKED"}:
        trading.move_card(number, "DEACTIVATED")


def _rotate(trading: Trading, number: int) -> None:
    """
    Make fingerprints with another key from now on.
    """
    trading.key_id += 1


def _state(trading: Trading, number: int) -> str | None:
    card = trading.model.cards.get(number)
    return None if card is None else card.state
