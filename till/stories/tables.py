"""
Write what a table in a restaurant asks: keep an amount, more of it, take it, let go.
"""

from __future__ import annotations

from datetime import datetime

from currency import USD_RATE, Money, convert
from till.codes import Result
from till.requests import (
    Authorize,
    CancelAuthorization,
    Capture,
    IncrementAuthorization,
)
from till.stories.purse import Deed, Purse
from till.stories.script import DOLLAR, Scene, Script, approved, declined


def authorize(
    scene: Scene, says: str, purse: Purse, bill: Money, *, lives_s: int | None = None
) -> Deed:
    """
    Keep the amount of a bill; `lives_s` shortens how long.
    """
    request_id = scene.script.request_id(says)
    hold = Deed(
        at=scene.at,
        request_id=request_id,
        till=scene.till,
        purse=purse,
        amount=bill,
        cents=cents_of(scene.script, bill, scene.at),
    )
    purse.held_cents += hold.cents
    request = Authorize(
        request_id=request_id,
        card_number=purse.number,
        amount=bill,
        time_to_live_s=lives_s,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, approved(purse, bill))
    return hold


def increment(scene: Scene, says: str, hold: Deed, more: Money) -> None:
    """
    Keep more under the same hold.
    """
    before = hold.cents
    hold.amount += more
    hold.cents = cents_of(scene.script, hold.amount, hold.at)
    hold.purse.held_cents += hold.cents - before
    request = IncrementAuthorization(
        request_id=scene.script.request_id(says),
        original_request_id=hold.request_id,
        amount=more,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, approved(hold.purse, more))


def capture(
    scene: Scene, says: str, hold: Deed, amount: Money, *, keep_open: bool = False
) -> Deed:
    """
    Take an amount of a hold, tips included, and let go of the rest unless it is kept.
    """
    purse, taken = hold.purse, hold.back_cents
    hold.back_minor += amount.minor_units
    whole = Money(hold.back_minor, hold.amount.currency)
    hold.back_cents = cents_of(scene.script, whole, hold.at)
    debit = hold.back_cents - taken
    purse.ledger_cents -= debit
    purse.held_cents -= debit if keep_open else hold.cents - taken
    _ask_to_capture(scene, says, hold, amount, keep_open=keep_open)
    return Deed(
        at=hold.at,
        request_id=scene.script.request_id(says),
        till=scene.till,
        purse=purse,
        amount=amount,
        cents=debit,
    )


def capture_in_vain(
    scene: Scene, says: str, hold: Deed, amount: Money, result: Result
) -> None:
    """
    Try to take what the hold does not give.
    """
    _ask_to_capture(scene, says, hold, amount, result=result)


def cancel(scene: Scene, says: str, hold: Deed) -> None:
    """
    Let go of a hold: the guest pays in cash.
    """
    lapse(hold)
    request = CancelAuthorization(
        request_id=scene.script.request_id(says),
        original_request_id=hold.request_id,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    scene.ask(says, request, approved(hold.purse))


def lapse(hold: Deed) -> None:
    """
    Count that a hold is over: what is left of it can be spent again.
    """
    hold.purse.held_cents -= hold.cents - hold.back_cents


def cents_of(script: Script, amount: Money, at: datetime) -> int:
    """
    Count a till's money in cents, at the rate of a moment.
    """
    rate = script.rates.rate_at(amount.currency.code, at)
    if rate is None:
        raise ValueError(f"there is no rate of {amount.currency} at {at.isoformat()}")
    found = convert(amount.minor_units, amount.currency, DOLLAR, rate, USD_RATE)
    return found.amount_minor


def _ask_to_capture(
    scene: Scene,
    says: str,
    hold: Deed,
    amount: Money,
    *,
    keep_open: bool = False,
    result: Result = Result.APPROVED,
) -> None:
    request = Capture(
        request_id=scene.script.request_id(says),
        original_request_id=hold.request_id,
        amount=amount,
        keep_open=keep_open,
        terminal_id=scene.till.terminal,
        context=scene.context(says),
    )
    taken = result is Result.APPROVED
    expected = approved(hold.purse, amount) if taken else declined(result, hold.purse)
    scene.ask(says, request, expected)
