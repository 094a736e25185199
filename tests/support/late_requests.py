"""
What the small world's till says after the fact, and the terminals that do so.
"""

from dataclasses import fields, replace
from typing import Any

from currency import Currency
from gateway.domain.commands import Advice, Amount, Confirm
from gateway.domain.policy import Place
from tests.support.world import place, redeem, void


def late_place(
    *,
    two_message: bool = False,
    floor_limit: tuple[int, str] | None = None,
    **changes: Any,
) -> Place:
    """
    Make the one place of this world, its terminal set so.
    """
    here = place(**changes)
    minor, code = floor_limit or (None, None)
    terminal = replace(
        here.terminal,
        two_message=two_message,
        floor_limit_minor=minor,
        floor_limit_currency=Currency.of(code) if code else None,
    )
    return replace(here, terminal=terminal)


def confirm(
    original: int = 1, *, number: int = 400, with_card: bool = False
) -> Confirm:
    """
    Ask to make request `original` final.
    """
    like = void(original, number=number, with_card=with_card)
    return Confirm(**{one.name: getattr(like, one.name) for one in fields(Confirm)})


def advice(asked: Amount, *, number: int = 1) -> Advice:
    """
    Tell of a sale that was made offline.
    """
    like = redeem(asked, number=number)
    return Advice(**{one.name: getattr(like, one.name) for one in fields(Advice)})
