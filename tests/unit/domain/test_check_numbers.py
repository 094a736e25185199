"""
The tables of checks: each function is there, each operation and each result is in them.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType

import pytest

import gateway.domain
from gateway.domain import decide
from gateway.domain.check_numbers import (
    DECIDED_LATE,
    DECIDED_OTHERWISE,
    FIRST_CHECKS,
    LATER_OF,
    WATCHED,
)
from gateway.domain.check_values import SHOWN
from gateway.domain.explanation import CHECK_NAMES, CheckNumber
from gateway.domain.results import APPROVALS, Result
from gateway.domain.watching import FunctionName

# Results that functions of checks 4 to 11 give, and DUPLICATE, which is not recorded.
GIVEN_EARLY = {
    Result.INVALID_MERCHANT,
    Result.INVALID_TERMINAL,
    Result.CARD_ALREADY_ACTIVATED,
    Result.LOST_CARD,
    Result.STOLEN_CARD,
    Result.EXPIRED_CARD,
    Result.CARD_NOT_RELOADABLE,
    Result.RESTRICTED_CARD,
    Result.CARD_NOT_ACTIVE,
    Result.INCORRECT_PIN,
    Result.PIN_REQUIRED,
    Result.PIN_TRIES_EXCEEDED,
    Result.CARD_NOT_FLAGGED,
    Result.DUPLICATE,
}
# What joins several checks, is a part of one, or is among 12 to 16, which are told by
# the result.
NO_CHECKS_OF_THEIR_OWN = {
    ("advice", "_refuse"),
    ("confirm", "_refuse_confirming"),
    ("authorize", "_refuse_use"),
    ("capture", "_refuse_state"),
    ("cash_out", "_refuse_money"),
    ("checks", "_refuse_store"),
    ("holding", "refuse_ended"),
    ("limit_checks", "_refuse_card"),
    ("limit_checks", "_refuse_terminal"),
    ("limit_checks", "refuse_limits"),
    ("originals", "refuse_blindly"),
    ("originals", "refuse_original"),
    ("redeem", "_refuse_price"),
    ("transfer_balance", "_refuse_place"),
    ("transfer_balance", "_refuse_use"),
    ("two_cards", "refuse_other"),
    ("undo_holding", "_refuse"),
    ("void", "_refuse_voiding"),
}


def refusing_functions() -> Iterator[FunctionName]:
    """
    Find the functions of the domain that refuse something.
    """
    for module in pkgutil.iter_modules(gateway.domain.__path__):
        name = f"gateway.domain.{module.name}"
        for function, value in vars(importlib.import_module(name)).items():
            own = isinstance(value, FunctionType) and value.__module__ == name
            if own and function.lstrip("_").split("_")[0] == "refuse":
                yield name, function


@pytest.mark.parametrize("name", sorted(WATCHED))
def test_what_is_watched_is_there(name: FunctionName) -> None:
    """
    A function that is renamed is renamed in the tables too.
    """
    found: object = importlib.import_module(name[0])
    for part in name[1].split("."):
        found = getattr(found, part)

    assert inspect.isfunction(found)


def test_every_check_is_watched() -> None:
    """
    A new function that refuses is watched, or told here why not.
    """
    others = {
        (f"gateway.domain.{module}", function)
        for module, function in NO_CHECKS_OF_THEIR_OWN
    }

    assert set(refusing_functions()) - WATCHED == others
    assert not others & WATCHED


def test_every_operation_says_which_checks_it_has() -> None:
    """
    Nobody adds an operation without a word on its last checks.
    """
    assert LATER_OF.keys() == {*decide._BY_CARD, *decide._BY_ORIGINAL}


def test_every_result_is_of_a_check() -> None:
    """
    Each decline is told by a function of checks 4 to 11, or by its number.
    """
    assert GIVEN_EARLY | DECIDED_LATE.keys() == set(Result) - APPROVALS
    assert {result for _, result in DECIDED_OTHERWISE} <= DECIDED_LATE.keys()


def test_every_check_has_words() -> None:
    """
    Its name, and for those that functions make, what they looked at.
    """
    assert list(CHECK_NAMES) == list(CheckNumber)
    assert [int(number) for number in CheckNumber] == list(range(1, 17))
    assert set(FIRST_CHECKS.values()) == SHOWN.keys()
