"""
What a decision saw that its record does not tell, kept for its explanation (ADR 0022).

JSON in a small form, written with every transaction; `gateway.domain.recall` brings it
back. A new field of a card, a hold or a request is one more name here; a test fails for
each that is neither named nor left out on purpose. What was written once stays readable
for ever: names are only added, at the end.

Nothing here is a card's number, a PIN, or anything made of one. Of a PIN that was sent
only what check 10 found is kept: what it did not compare nobody learns from the table.
"""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, NamedTuple

import orjson

from gateway.domain.card_pins import CardPin
from gateway.domain.checks import refuse_card
from gateway.domain.commands import CardRef, Command, Naming
from gateway.domain.decision import View
from gateway.domain.holds import Hold
from gateway.domain.limits import NOTHING_USED, Used
from gateway.domain.originals import Original

FORM: Final = 1
# The wall of the table; what does not fit is left out, and the explanation says so.
MAX_OCTETS: Final = 65_536
# What stands in place of an operation where a hold's time was over and nobody asked.
EXPIRY: Final = "Expiry"

CARD_FIELDS: Final = (
    "card_id",
    "state",
    "block_reason",
    "balance_minor",
    "held_minor",
    "unconfirmed_minor",
    "load_count",
    "loaded_minor",
    "expires_on",
    "version",
    "issue_batch_id",
    "restriction_set_id",
    "next_hold_expiry",
    "replaced_by",
    "limit_set_id",
)
# What never changes of a card, and stands in its row; and what no decision looks at.
CARD_FIELDS_ELSEWHERE: Final = frozenset(
    {"program_id", "product_id", "number_index", "last_four", "currency"}
    | {"last_transaction_at"}
)
HOLD_FIELDS: Final = (
    "hold_id",
    "card_id",
    "terminal_id",
    "state",
    "currency_code",
    "authorized_minor",
    "card_minor",
    "captured_minor",
    "captured_card_minor",
    "rate_transaction",
    "rate_card",
    "applied_rate",
    "rate_table_version",
    "rate_effective_from",
    "expires_at",
    "placed_at",
)
ORIGINAL_FIELDS: Final = (
    "reversed",
    "later_activity",
    "voided",
    "refunds",
    "confirmed",
)
# The record is kept by its id, the hold with its own fields, cards by theirs.
ORIGINAL_FIELDS_ELSEWHERE: Final = frozenset(
    {"record", "hold", "number_index", "successors"}
)

# What a request asked is kept by its fields' names, but for what the record tells.
_TOLD: Final = frozenset(Command.__dataclass_fields__)
AMOUNTS: Final = frozenset({"amount", "initial_amount"})
# The request key of an original, and the second card, in forms of their own.
_SPECIAL: Final = AMOUNTS | {"original", "other"}

_card_values: Final = attrgetter(*CARD_FIELDS)
_hold_values: Final = attrgetter(*HOLD_FIELDS)
_original_values: Final = attrgetter(*ORIGINAL_FIELDS)


def plain_fields(kind: type[Command]) -> tuple[str, ...]:
    """
    Name what a kind of request asks besides what its record tells.
    """
    names = kind.__dataclass_fields__
    return tuple(name for name in names if name not in _TOLD | _SPECIAL)


def amount_field(kind: type[Command]) -> str | None:
    """
    Name the amount of a kind of request, if it has one. Its record tells it.
    """
    return next((name for name in kind.__dataclass_fields__ if name in AMOUNTS), None)


class Seen(NamedTuple):
    """
    What a decision sees, by the names of the form.
    """

    kept: dict[str, Any]

    def written(self, *, pin_right: bool | None = None) -> bytes:
        """
        Write it down, with what the decision found of a PIN; None: it compared none.
        """
        kept = self.kept
        if pin_right is not None:
            came, _, *tries = kept["pin"]
            kept = kept | {"pin": (came, pin_right, *tries)}
        written = orjson.dumps(kept, _plain)
        if len(written) <= MAX_OCTETS:
            return written
        return orjson.dumps({"v": FORM, "op": kept["op"], "cut": True})


def seen_of(command: Command, view: View, original: Original | None) -> Seen:
    """
    Take down what a decision is about to see.
    """
    kind = type(command)
    kept: dict[str, Any] = {"v": FORM, "op": kind.__name__}
    asked = _ASKED.get(kind) or _plan(kind)
    values = asked(command)
    if values:
        kept["ask"] = values
    # A card that is not to be known here is to no decision either.
    card = None if refuse_card(view.card, view.place, view.policy) else view.card
    if card is not None:
        kept["card"] = _card_values(card)
        if view.used != NOTHING_USED:
            kept["used"] = _used(view.used)
        if command.pin is not None or view.pin is not None:
            kept["pin"] = _pin(command, view.pin)
    if isinstance(command, Naming):
        _keep_original(kept, command, original)
    if view.other is not None or view.holds:
        _keep_other(kept, view)
    return Seen(kept)


def seen_at_expiry(hold: Hold, view: View) -> Seen:
    """
    Take down what the release of a hold is about to see, whose time is over.
    """
    kept = {"v": FORM, "op": EXPIRY, "hold": _hold_values(hold)}
    if view.card is not None:
        kept["card"] = _card_values(view.card)
    return Seen(kept)


def _keep_original(
    kept: dict[str, Any], command: Naming, original: Original | None
) -> None:
    """
    Keep what is named.

    Of a card that was sent with it the record tells: another's by its index, the
    original's as its own.
    """
    terminal_id, request_id = command.original
    kept["names"] = (terminal_id, request_id)
    if command.card is not None:
        kept["sent"] = True
    if original is not None:
        kept["orig"] = (original.record.transaction_id, _original_values(original))
        if original.hold is not None:
            kept["hold"] = _hold_values(original.hold)


def _used(used: Used) -> tuple[object, ...]:
    """
    Keep what was used of limits: of the card's day, within its windows, at the till.
    """
    recent = [(use.flow, use.at) for use in used.recent]
    return used.card, recent, used.terminal


def _pin(command: Command, pin: CardPin | None) -> tuple[object, ...]:
    """
    Keep whether a PIN came, room for what check 10 finds, and the tries before.
    """
    if pin is None:
        return (True,)
    tries = [
        (one.channel, one.tries, one.last_tried_at, one.wrong_total)
        for one in pin.tries.values()
    ]
    return command.pin is not None, None, tries


def _keep_other(kept: dict[str, Any], view: View) -> None:
    """
    Keep the second card, unless it is none of this place's, and the holds that move.
    """
    other = view.other
    if other is not None and refuse_card(other, view.place, view.policy) is None:
        kept["other"] = _card_values(other)
    if view.holds:
        kept["holds"] = [_hold_values(hold) for hold in view.holds]


def _plain(value: object) -> object:
    """
    Give the JSON form of a value that JSON does not know.
    """
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    message = f"no form to keep a {type(value).__name__} in"
    raise TypeError(message)


_Asked = Callable[[Command], dict[str, Any]]
_ASKED: Final[dict[type[Command], _Asked]] = {}


def _plan(kind: type[Command]) -> _Asked:
    """
    Find out once what is kept of a kind of request.

    What is False or None is left out; of an amount it is only told if there was
    none, for some operations put one in.
    """
    names, amount = plain_fields(kind), amount_field(kind)
    sends_other = "other" in kind.__dataclass_fields__

    def asked(command: Command) -> dict[str, Any]:
        values = {
            name: value
            for name in names
            if (value := getattr(command, name)) is not None and value is not False
        }
        if amount is not None and getattr(command, amount) is None:
            values[amount] = None
        if sends_other:
            ref: CardRef = getattr(command, "other")  # noqa: B009 - of some kinds only
            values["other"] = ref.last_four
        return values

    _ASKED[kind] = asked
    return asked
