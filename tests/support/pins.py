"""
PINs for decisions: their tags are made with a plain hash, and no vault.
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeVar

from gateway.domain.card_pins import CardPin, PinProof, PinTries
from gateway.domain.commands import NO_CONTEXT, CardRef, Command, GetBalance
from gateway.domain.ids import CardId
from gateway.domain.policy import Policy
from gateway.domain.results import ActivityType, Channel
from tests.support import world

RIGHT: Final = "4938"
WRONG: Final = "0000"
PIN_ACTIVITIES: Final = frozenset(
    {
        ActivityType.LOAD,
        ActivityType.REDEEM,
        ActivityType.BALANCE,
        ActivityType.CASH_OUT,
        ActivityType.AUTHORIZE,
        ActivityType.TRANSFER_BALANCE_FROM,
    }
)
KEY_ID: Final = 2

C = TypeVar("C", bound=Command)


def tag_of(digits: str, key_id: int = KEY_ID) -> bytes:
    """
    Make a tag as a vault would.
    """
    return sha256(b"%d %s" % (key_id, digits.encode())).digest()


def proof(digits: str = RIGHT) -> PinProof:
    """
    Enter a PIN, where the ring has two keys.
    """
    return PinProof(tags={key_id: tag_of(digits, key_id) for key_id in (1, KEY_ID)})


def kept_pin(
    tries: int = 0,
    at: datetime = world.NOW,
    *,
    channel: Channel = Channel.API,
    wrong_total: int | None = None,
) -> CardPin:
    """
    Give a card's PIN, wrong so many times in a row up to `at`.
    """
    card_id = CardId(1)
    total = tries if wrong_total is None else wrong_total
    counted = {channel: PinTries(card_id, channel, tries, at, total)} if total else {}
    return CardPin(card_id=card_id, key_id=KEY_ID, tag=tag_of(RIGHT), tries=counted)


def pin_policy(
    *activities: ActivityType,
    max_tries: int = 3,
    lock_s: int = 3_600,
    rules: Policy | None = None,
) -> Policy:
    """
    Make the world's policy with a product that asks a PIN for these, else for all.
    """
    rules = rules or world.policy()
    product = replace(
        rules.products[world.RELOADABLE],
        pin_required_for=frozenset(activities) or PIN_ACTIVITIES,
        pin_max_tries=max_tries,
        pin_lock_s=lock_s,
    )
    return replace(rules, products={**rules.products, product.product_id: product})


def with_pin(command: C, digits: str | None = RIGHT) -> C:
    """
    Give a command with a PIN entered, or none.
    """
    return replace(command, pin=None if digits is None else proof(digits))


def ask_balance(digits: str | None = RIGHT, **changes: Any) -> GetBalance:
    """
    Ask for a balance with a PIN.
    """
    question = GetBalance(
        request_id=None,
        terminal_id=world.TERMINAL,
        card=CardRef(world.NUMBER_INDEX, "1234"),
        till=NO_CONTEXT,
        pin=None if digits is None else proof(digits),
    )
    return replace(question, **changes)
