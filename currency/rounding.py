"""
Divide integers and round once.

Money is integers and rates are integers, so each rounding in the system is one of
these divisions; no context, no precision and no float has a say in it.
"""

from __future__ import annotations


def divide_half_up(numerator: int, denominator: int) -> int:
    """
    Divide and round a half up: what a cardholder is charged.

    Both are taken as not negative; callers have checked that.
    """
    return (2 * numerator + denominator) // (2 * denominator)


def divide_half_even(numerator: int, denominator: int) -> int:
    """
    Divide and round a half to the even neighbour: for rates, which need no bias.

    The numerator may be negative, the denominator is positive.
    """
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient
