import copy
import pickle
from collections.abc import Callable

import pytest

from gateway.vault.errors import PinError
from gateway.vault.keyring import LocalKeyring, Purpose
from gateway.vault.numbers import CardNumber
from gateway.vault.pins import Pin, PinVault

OTHER = CardNumber("4111111111111111")
GOLDEN = "eafd57eedd17810b1bbfe5ac3e6a8ecb01dfb9ecad06cf90be39f35782b45f4b"
ToldBy = Callable[[Callable[[], object]], str]


def test_a_tag_never_drifts(keyring: LocalKeyring) -> None:
    """
    The tag of a PIN under a fixed root secret is this one for ever.

    It is stored; another encoding would make every PIN wrong.
    """
    tag = PinVault(keyring).tag(OTHER, Pin("493827"))

    assert tag.hex() == GOLDEN
    assert PinVault(keyring).key_id == 1


def test_equal_pins_of_two_cards_have_different_tags(keyring: LocalKeyring) -> None:
    """
    Nobody learns from the table who has the same PIN, or carries a tag over.
    """
    vault = PinVault(keyring)

    assert vault.tag(OTHER, Pin("4938")) != vault.tag(
        CardNumber.read("4111111111111112"), Pin("4938")
    )
    assert vault.tag(OTHER, Pin("4938")) != vault.tag(OTHER, Pin("04938"))


def test_digits_do_not_flow_from_the_number_into_the_pin(keyring: LocalKeyring) -> None:
    """
    A number that ends where another's PIN begins gives another tag.
    """
    vault = PinVault(keyring)

    assert vault.tag(CardNumber.read("12"), Pin("34567")) != vault.tag(
        CardNumber.read("123"), Pin("4567")
    )


def test_a_pin_is_hashed_under_every_key(keyring: LocalKeyring) -> None:
    """
    A tag of a former key is still met, and so is one that a newer process made.
    """
    before = PinVault(keyring).tag(OTHER, Pin("4938"))
    second = keyring.add_key(Purpose.PIN_MAC)
    pending = PinVault(keyring)
    keyring.activate(Purpose.PIN_MAC, second)
    after = PinVault(keyring)

    assert pending.tags(OTHER, Pin("4938")) == after.tags(OTHER, Pin("4938"))
    assert after.tags(OTHER, Pin("4938")) == {
        1: before,
        2: after.tag(OTHER, Pin("4938")),
    }
    assert before != after.tag(OTHER, Pin("4938"))


@pytest.mark.parametrize(
    "text", ["", "123", "1234567890123", "12a4", "12 4", "١٢٣٤", "1234\n"]
)
def test_what_is_no_pin_is_refused_unseen(text: str, told_by: ToldBy) -> None:
    """
    4 to 12 digits; nothing of the refused text is told, whoever prints the failure.
    """
    told = told_by(lambda: Pin(text))

    assert "a PIN is 4 to 12 digits" in told
    if text.strip():
        assert text not in told.replace("4 to 12", "")


def test_it_is_a_vault_error_without_the_text() -> None:
    """
    The class carries no part of what it refuses.
    """
    with pytest.raises(PinError) as caught:
        Pin("98765432109876")

    assert vars(caught.value) == {}
    assert "9876" not in repr(caught.value)


def test_a_pin_shows_nowhere() -> None:
    """
    Printed, formatted, copied, pickled: nothing shows it; its owner may ask for it.
    """
    pin = Pin("493827")

    for shown in (str(pin), repr(pin), f"{pin}", f"{pin:>40}", f"{[pin]}"):
        assert "493827" not in shown
        assert "hidden" in shown
    assert pin.digits == "493827"
    assert not hasattr(pin, "__dict__")
    for carry in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            carry(pin)


def test_pins_are_compared_by_their_digits() -> None:
    """
    Two that were read alike are the same.
    """
    assert Pin("4938") == Pin("4938")
    assert Pin("4938") != Pin("04938")
    assert Pin("4938") != "4938"
    assert len({Pin("4938"), Pin("4938"), Pin("4939")}) == 2


def test_a_vault_of_pins_shows_no_key(keyring: LocalKeyring) -> None:
    """
    Neither its text nor a pickle gives anything away.
    """
    vault = PinVault(keyring)

    assert repr(vault) == "<PinVault hidden>"
    with pytest.raises(TypeError):
        pickle.dumps(vault)


def test_drawn_pins_use_every_digit_in_every_place() -> None:
    """
    A PIN may begin with zeros, and its length is the one asked for.
    """
    drawn = [Pin.draw(6).digits for _ in range(2_000)]

    assert {len(pin) for pin in drawn} == {6}
    assert [set("0123456789")] * 6 == [set(place) for place in zip(*drawn, strict=True)]
    assert Pin.draw(12, randbelow=lambda _: 7).digits == "000000000007"
