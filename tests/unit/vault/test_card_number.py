import copy
import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pytest

from gateway.vault.card_number import CardNumber
from gateway.vault.errors import CardNumberError, CardNumberProblem
from gateway.vault.luhn import is_luhn_valid, luhn_check_digit

DIGITS = "6398123456789012349"
NUMBER = CardNumber(DIGITS)


@pytest.mark.parametrize(
    "digits",
    ["79927398713", "4242424242424242", "4111111111111111", "378282246310005", "00"],
)
def test_published_luhn_numbers_are_valid(digits: str) -> None:
    """
    The check digit is that of the published test numbers, not one of our own.
    """
    assert is_luhn_valid(digits)
    assert digits[-1] == luhn_check_digit(digits[:-1])


@pytest.mark.parametrize("digits", ["", "0", "79927398710", "4242424242424241"])
def test_a_wrong_check_digit_is_found(digits: str) -> None:
    """
    A wrong check digit is found, and a text too short to have one is not valid.
    """
    assert not is_luhn_valid(digits)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", CardNumberProblem.EMPTY),
        ("6398 1234 5678 9012", CardNumberProblem.NOT_DIGITS),
        ("639812345678901234x", CardNumberProblem.NOT_DIGITS),
        (f"{DIGITS}\n", CardNumberProblem.NOT_DIGITS),
        ("-39812345678", CardNumberProblem.NOT_DIGITS),
        (
            "\u0666\u0663\u0669\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
            CardNumberProblem.NOT_DIGITS,
        ),
        (
            "\uff16\uff13\uff19\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
            CardNumberProblem.NOT_DIGITS,
        ),
        ("\u00b2" * 12, CardNumberProblem.NOT_DIGITS),
        ("1" * 33, CardNumberProblem.TOO_LONG),
        (6398123456789012349, CardNumberProblem.NOT_TEXT),
        (None, CardNumberProblem.NOT_TEXT),
    ],
)
@pytest.mark.parametrize("take", [CardNumber, CardNumber.read])
def test_what_is_no_number_is_refused(
    text: str, problem: CardNumberProblem, take: Callable[[str], CardNumber]
) -> None:
    """
    Only ASCII digits are a number, and the error says what is wrong instead.
    """
    with pytest.raises(CardNumberError) as caught:
        take(text)

    assert problem is caught.value.problem


@pytest.mark.parametrize(
    ("digits", "problem"),
    [
        ("79927398713", CardNumberProblem.WRONG_LENGTH),
        ("00000000000000000000", CardNumberProblem.WRONG_LENGTH),
        ("6398123456789012346", CardNumberProblem.CHECK_DIGIT),
        ("000000000001", CardNumberProblem.CHECK_DIGIT),
    ],
)
def test_a_till_may_send_a_number_that_was_never_issued(
    digits: str, problem: CardNumberProblem
) -> None:
    """
    Digits of another length or check digit are an unknown card, not a bad request.
    """
    with pytest.raises(CardNumberError) as caught:
        CardNumber(digits)

    assert problem is caught.value.problem
    assert digits == CardNumber.read(digits).digits


@pytest.mark.parametrize(
    ("text", "valid"), [(DIGITS, True), ("6398123456789012346", False), ("7", False)]
)
def test_a_read_number_tells_whether_its_check_digit_fits(
    text: str, *, valid: bool
) -> None:
    """
    `luhn_valid` judges what `read` let through.
    """
    assert valid is CardNumber.read(text).luhn_valid


def test_numbers_are_equal_by_digits() -> None:
    """
    A read number equals the issued one and hashes alike; no text does.
    """
    assert CardNumber.read(DIGITS) == NUMBER
    assert hash(CardNumber.read(DIGITS)) == hash(NUMBER)
    assert CardNumber.read("6398123456789012346") != NUMBER
    assert DIGITS != NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sale:
    card: CardNumber
    amount_minor: int


@pytest.mark.parametrize(
    "shown",
    [
        repr(NUMBER),
        f"{NUMBER}",
        f"{NUMBER!r} {NUMBER!s} {NUMBER!a}",
        f"{NUMBER:>40} {NUMBER:s}",
        "{0} {0!r} {0:40}".format(NUMBER),  # noqa: UP032 (the method is what is tested)
        "%s %r" % (NUMBER, NUMBER),  # noqa: UP031 (the operator is what is tested)
        repr([NUMBER, {NUMBER: NUMBER}]),
        repr(_Sale(card=NUMBER, amount_minor=1)),
        repr(asdict(_Sale(card=NUMBER, amount_minor=1))),
        json.dumps({"card": NUMBER}, default=repr, ensure_ascii=False),
        logging.makeLogRecord({"msg": "a %s", "args": (NUMBER,)}).getMessage(),
    ],
)
def test_printing_shows_the_last_four_only(shown: str) -> None:
    """
    Whatever way a number is printed, only its last four digits appear.
    """
    assert "••••2349" in shown or r"\u2022" in shown
    assert DIGITS not in shown
    assert DIGITS[-5:] not in shown
    assert DIGITS[:5] not in shown


def test_a_short_number_is_masked_whole() -> None:
    """
    The last four digits of a four-digit text would be all of it.
    """
    short = CardNumber.read("12345678901")

    assert "••••" == str(short)
    assert short.last_four == ""
    assert NUMBER.last_four == "2349"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_is_refused(protocol: int) -> None:
    """
    A pickle holds the digits in clear, so there is none of a card number.
    """
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(NUMBER, protocol)


def test_a_copy_is_the_number_itself() -> None:
    """
    Copying works without pickling, as `dataclasses.asdict` needs it.
    """
    assert copy.copy(NUMBER) is NUMBER
    assert copy.deepcopy(NUMBER) is NUMBER


def test_a_number_never_changes() -> None:
    """
    There is nothing to set, to delete or to list.
    """
    with pytest.raises(AttributeError):
        NUMBER._digits = "1"
    with pytest.raises(AttributeError):
        NUMBER.digits = "1"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del NUMBER._digits
    with pytest.raises(TypeError):
        vars(NUMBER)

    assert DIGITS == NUMBER.digits


@pytest.mark.parametrize(
    ("take", "text"),
    [
        (CardNumber, "6398123456789012346"),
        (CardNumber, "63981234567"),
        (CardNumber, "63981234567890123496398123456789012349"),
        (CardNumber, "6398123456789012349x"),
        (CardNumber.read, "63981234567890123496398123456789012349"),
        (CardNumber.read, "6398123456789012349x"),
    ],
)
def test_a_refusal_tells_no_digit(
    take: Callable[[str], CardNumber],
    text: str,
    told_by: Callable[[Callable[[], object]], str],
) -> None:
    """
    Neither the error nor a variable of a frame it passed holds the refused text.
    """
    told = told_by(lambda: take(text))

    assert "the card number" in told
    assert text[:8] not in told
