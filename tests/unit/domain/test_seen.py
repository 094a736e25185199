"""
What a decision saw is kept, all of it, and nothing that is secret.
"""

import types
from dataclasses import fields
from enum import IntEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from gateway.domain import seen as keeping
from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import Card
from gateway.domain.commands import Command, MoneyCommand
from gateway.domain.decision import Stamp, View
from gateway.domain.holds import Hold
from gateway.domain.ids import ProgramId
from gateway.domain.limits import DayUse, Use, Used
from gateway.domain.originals import Original
from gateway.domain.seen import (
    CARD_FIELDS,
    CARD_FIELDS_ELSEWHERE,
    HOLD_FIELDS,
    ORIGINAL_FIELDS,
    ORIGINAL_FIELDS_ELSEWHERE,
    Seen,
    plain_fields,
    seen_of,
)
from tests.support.lives import other, transfer
from tests.support.pins import RIGHT, kept_pin, pin_policy, proof, with_pin
from tests.support.world import NUMBER_INDEX, amount, card, redeem, view

KINDS: list[type[Command]] = list(get_args(MoneyCommand))
PLAIN = (bool, int, str, types.NoneType)
# What is kept of these stands in seen.py, field by field. Whoever adds a field to one
# of them adds it there, and then here.
KEPT_IN_FORMS_OF_THEIR_OWN = {
    View: {"place", "card", "policy", "stamp", "other", "holds", "used", "pin", "seen"},
    Stamp: {"transaction_id", "approval_code", "now", "batch_no", "second_id"},
    Used: {"card", "recent", "terminal"},
    DayUse: {"day", "load_minor", "loads", "spend_minor", "spends"},
    Use: {"transaction_id", "flow", "at"},
    PinTries: {"card_id", "channel", "tries", "last_tried_at", "wrong_total"},
}
TOLD_BY_THE_RECORD = {
    "request_id",
    "terminal_id",
    "card",
    "till",
    "fingerprint",
    "content",
    "channel",
    "actor",
    "pin",
}


def test_every_field_of_a_card_is_kept() -> None:
    """
    A field that is new is named in seen.py, or left out there on purpose.
    """
    names = {field.name for field in fields(Card)}

    assert set(CARD_FIELDS) | CARD_FIELDS_ELSEWHERE == names
    assert not set(CARD_FIELDS) & CARD_FIELDS_ELSEWHERE


def test_every_field_of_a_hold_is_kept() -> None:
    """
    The names are those of Hold.
    """
    assert set(HOLD_FIELDS) == {field.name for field in fields(Hold)}


def test_every_field_of_an_original_is_kept() -> None:
    """
    A field that is new is named in seen.py, or left out there on purpose.
    """
    assert set(ORIGINAL_FIELDS) | ORIGINAL_FIELDS_ELSEWHERE == set(Original._fields)


@pytest.mark.parametrize("kind", KEPT_IN_FORMS_OF_THEIR_OWN)
def test_nothing_is_new_to_a_decision(kind: Any) -> None:
    """
    A new input of decisions is not forgotten: its explanation would not agree.
    """
    assert set(kind._fields) == KEPT_IN_FORMS_OF_THEIR_OWN[kind]
    assert {field.name for field in fields(CardPin)} == {
        "card_id",
        "key_id",
        "tag",
        "tries",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_request_is_kept(kind: type[Command]) -> None:
    """
    What a request asks is plain, is told by its record, or has a form of its own.
    """
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}
    special = names - TOLD_BY_THE_RECORD - set(plain_fields(kind))

    assert special <= {"amount", "initial_amount", "original", "other"}
    for name in plain_fields(kind):
        for part in parts_of(hints[name]):
            assert issubclass(part, PLAIN) or issubclass(part, IntEnum)


def parts_of(hint: Any) -> tuple[Any, ...]:
    """
    Give the types of a union, or the one type.
    """
    if get_origin(hint) in {types.UnionType, Union}:
        return get_args(hint)
    return (hint,)


def test_no_secret_is_kept() -> None:
    """
    Neither a card number's index nor a PIN's tag is in what is kept.
    """
    command = with_pin(redeem(amount(1_00)), RIGHT)
    seen_by = view(card(), rules=pin_policy(), pin=kept_pin(tries=2))

    kept = seen_of(command, seen_by, None).written(pin_right=True)

    tags = [*proof(RIGHT).tags.values(), kept_pin().tag, NUMBER_INDEX]
    for tag in tags:
        assert tag not in kept
        assert tag.hex().encode() not in kept


def test_what_is_too_much_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    No sale is refused for its explanation's sake; what is kept says that it is cut.
    """
    monkeypatch.setattr(keeping, "MAX_OCTETS", 50)

    kept = seen_of(redeem(amount(1_00)), view(card()), None).written()

    assert kept == b'{"v":1,"op":"Redeem","cut":true}'


def test_what_has_no_form_is_a_fault_of_ours() -> None:
    """
    A value of a new kind fails the first test that decides on it.
    """
    with pytest.raises(TypeError, match="set") as caught:
        Seen({"v": set()}).written()

    assert str(caught.value.__cause__) == "no form to keep a set in"


def test_a_second_card_of_a_stranger_is_not_kept() -> None:
    """
    Like the first: its decision did not know it.
    """
    stranger = other(5_00, program_id=ProgramId(99))
    seen_by = view(card())._replace(other=stranger)

    known = seen_by._replace(other=other(1))

    assert "other" not in seen_of(transfer(), seen_by, None).kept
    assert "other" in seen_of(transfer(), known, None).kept


def test_the_form_is_small() -> None:
    """
    A usual sale keeps little more than a hundred bytes, and letters as they are.
    """
    kept = seen_of(redeem(amount(1_00)), view(card()), None).written()

    assert len(kept) <= 160
    assert Seen({"v": "Beyoğlu"}).written() == '{"v":"Beyoğlu"}'.encode()
