"""
Bring back what a decision saw, from what was recorded (ADR 0022).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final, NamedTuple, get_args, get_type_hints

from gateway.domain.card_pins import CardPin, PinProof, PinTries
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import (
    CardRef,
    Command,
    Fingerprint,
    MoneyCommand,
    Naming,
    TillContext,
)
from gateway.domain.decide import decide
from gateway.domain.decision import Decision, Stamp, View
from gateway.domain.errors import InvariantError
from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import CardId, RequestId, RequestKey, TerminalId, TransactionId
from gateway.domain.limits import NOTHING_USED, DayUse, Flow, Use, Used
from gateway.domain.originals import Original, Refunds, asked_in
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.release import expire
from gateway.domain.results import Channel
from gateway.domain.seen import (
    CARD_FIELDS,
    EXPIRY,
    FORM,
    HOLD_FIELDS,
    ORIGINAL_FIELDS,
    amount_field,
    plain_fields,
)

_KINDS: Final[dict[str, type[Command]]] = {
    kind.__name__: kind for kind in get_args(MoneyCommand)
}
# Of a second card that is not known here, nothing is kept.
_NO_INDEX: Final = b""
# Tags are not kept either: these two stand for them.
_PIN_KEY: Final = 0
_RIGHT: Final = b"right"
# Limits count uses, whose ever they were.
_NOBODY: Final = TransactionId(b"")
_NO_FINGERPRINT: Final = Fingerprint(0, b"")

_Read = Callable[[Any], object]
_CARD_READS: Final[dict[str, _Read]] = {
    "state": CardState,
    "block_reason": BlockReason,
    "expires_on": date.fromisoformat,
    "next_hold_expiry": datetime.fromisoformat,
}
_HOLD_READS: Final[dict[str, _Read]] = {
    "hold_id": bytes.fromhex,
    "state": HoldState,
    "rate_transaction": Decimal,
    "rate_card": Decimal,
    "applied_rate": Decimal,
    "rate_effective_from": datetime.fromisoformat,
    "expires_at": datetime.fromisoformat,
    "placed_at": datetime.fromisoformat,
}
_ORIGINAL_READS: Final[dict[str, _Read]] = {"refunds": lambda pair: Refunds(*pair)}


class Missing(IntEnum):
    """
    Why nothing can be brought back. Values equal those of `scrip.v1.MissingInputs`.
    """

    NOT_KEPT = 1
    TOO_MUCH = 2
    UNKNOWN_FORM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What must be read besides a transaction, to bring back what its decision saw.

    `second` is the second card and the number there of the row it got, if it got one.
    """

    card_ids: frozenset[CardId]
    original_id: TransactionId | None
    second: tuple[CardId, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    A transaction, with what its decision saw and what of that stands elsewhere.

    `policy` is the version that it saw; `cards` are rows as they stand now, of which
    only what never changes is used. `second` is what it wrote on a second card.
    """

    record: TransactionRecord
    policy: Policy
    cards: Mapping[CardId, Card]
    original: TransactionRecord | None = None
    second: TransactionRecord | None = None


class Recalled(NamedTuple):
    """
    All that a decision saw. Without a command, the time of `original.hold` was over.
    """

    command: Command | None
    view: View
    original: Original | None

    def decide(self) -> Decision:
        """
        Decide again.
        """
        if self.command is not None:
            return decide(self.command, self.view, self.original)
        hold = self.original.hold if self.original else None
        if hold is None:
            message = "a release by time is of a hold"
            raise InvariantError(message)
        return expire(hold, self.view)


def wanted_by(record: TransactionRecord) -> Wanted | Missing:
    """
    Tell what has to be read to explain a transaction, or why it cannot be explained.
    """
    kept = _read(record)
    if isinstance(kept, Missing):
        return kept
    cards = [kept[name] for name in ("card", "other") if name in kept]
    original_id = record.original_transaction_id
    if "orig" in kept:
        original_id = TransactionId(bytes.fromhex(kept["orig"][0]))
    return Wanted(
        card_ids=frozenset(CardId(values[0]) for values in cards),
        original_id=original_id,
        second=_second(kept, record),
    )


def recall(recorded: Recorded) -> Recalled:
    """
    Bring back what a decision saw; `wanted_by` told that it can be.
    """
    record, policy = recorded.record, recorded.policy
    kept = _read(record)
    if isinstance(kept, Missing):
        message = "what a decision saw is not there"
        raise InvariantError(message)
    second = recorded.second
    stamp = Stamp(
        record.transaction_id,
        record.approval_code or "",
        record.host_time,
        record.batch_no,
        second.transaction_id if second else None,
    )
    view = View(
        policy.places[record.terminal_id],
        _card(kept.get("card"), recorded),
        policy,
        stamp,
        other=_card(kept.get("other"), recorded),
        holds=tuple(_hold(values) for values in kept.get("holds", ())),
        used=_used(kept.get("used")),
        pin=_pin(kept),
    )
    original = _original(kept, recorded)
    if kept["op"] == EXPIRY:
        return Recalled(None, view, original)
    return Recalled(_command(kept, record, view), view, original)


def _read(record: TransactionRecord) -> dict[str, Any] | Missing:
    if record.seen is None:
        return Missing.NOT_KEPT
    kept: dict[str, Any] = json.loads(record.seen)
    known = kept.get("op") in _KINDS or kept.get("op") == EXPIRY
    if kept.get("v") != FORM or not known:
        return Missing.UNKNOWN_FORM
    return Missing.TOO_MUCH if "cut" in kept else kept


def _second(
    kept: Mapping[str, Any], record: TransactionRecord
) -> tuple[CardId, int] | None:
    if "other" not in kept or record.card_seq is None:
        return None
    other = _values(CARD_FIELDS, kept["other"], {})
    return CardId(other["card_id"]), other["version"] + 1


def _values(
    names: tuple[str, ...], values: list[Any], reads: Mapping[str, _Read]
) -> dict[str, Any]:
    """
    Name the values of a list; names that are newer than the list are left out.
    """
    return {
        name: value if value is None or name not in reads else reads[name](value)
        for name, value in zip(names, values, strict=False)
    }


def _card(values: list[Any] | None, recorded: Recorded) -> Card | None:
    if values is None:
        return None
    then = _values(CARD_FIELDS, values, _CARD_READS)
    return replace(recorded.cards[then["card_id"]], last_transaction_at=None, **then)


def _used(values: list[Any] | None) -> Used:
    if values is None:
        return NOTHING_USED
    card, recent, terminal = values
    return Used(
        _day_use(card),
        tuple(
            Use(_NOBODY, Flow(flow), datetime.fromisoformat(at)) for flow, at in recent
        ),
        None if terminal is None else _day_use(terminal),
    )


def _day_use(values: list[Any]) -> DayUse:
    day, *figures = values
    return DayUse(None if day is None else date.fromisoformat(day), *figures)


def _pin(kept: Mapping[str, Any]) -> CardPin | None:
    """
    Give a card's PIN that the one of `_proof` matches if the one that was sent did.

    Where that was not compared, it does not; and is not compared again. (An older
    release kept a verdict there too, which makes no difference.)
    """
    if len(kept.get("pin", ())) <= 1:
        return None
    _, right, tries = kept["pin"]
    card_id = CardId(kept["card"][0])
    return CardPin(
        card_id=card_id,
        key_id=_PIN_KEY,
        tag=_RIGHT if right else b"",
        tries={
            Channel(channel): PinTries(
                card_id, Channel(channel), count, datetime.fromisoformat(at), total
            )
            for channel, count, at, total in tries
        },
    )


def _proof(kept: Mapping[str, Any]) -> PinProof | None:
    sent = "pin" in kept and kept["pin"][0]
    return PinProof(tags={_PIN_KEY: _RIGHT}) if sent else None


def _hold(values: list[Any]) -> Hold:
    return Hold(**_values(HOLD_FIELDS, values, _HOLD_READS))


def _original(kept: Mapping[str, Any], recorded: Recorded) -> Original | None:
    hold = _hold(kept["hold"]) if "hold" in kept else None
    if recorded.original is None:
        return None
    then: dict[str, Any] = {"reversed": False, "later_activity": False}
    if "orig" in kept:
        then = _values(ORIGINAL_FIELDS, kept["orig"][1], _ORIGINAL_READS)
    return Original(record=recorded.original, hold=hold, **then)


def _command(kept: Mapping[str, Any], record: TransactionRecord, view: View) -> Command:
    kind = _KINDS[kept["op"]]
    asked = kept.get("ask", {})
    fields: dict[str, Any] = dict.fromkeys(plain_fields(kind))
    hints = get_type_hints(kind)
    for name in fields:
        fields[name] = _plain(hints[name], asked.get(name))
    amount = amount_field(kind)
    if amount is not None:
        fields[amount] = None if amount in asked else asked_in(record)
    if "other" in kind.__dataclass_fields__:
        index = view.other.number_index if view.other else _NO_INDEX
        fields["other"] = CardRef(index, asked["other"])
    if "names" in kept:
        terminal_id, request_id = kept["names"]
        fields["original"] = RequestKey(
            TerminalId(terminal_id), RequestId(bytes.fromhex(request_id))
        )
    if record.request_id is None:
        message = "what was asked for has a request id"
        raise InvariantError(message)
    return kind(
        request_id=record.request_id,
        terminal_id=record.terminal_id,
        card=_sent(kind, kept, record, view),
        till=TillContext._make(getattr(record, name) for name in TillContext._fields),
        fingerprint=_NO_FINGERPRINT,
        content=b"",
        channel=record.channel,
        actor=record.actor,
        pin=_proof(kept),
        **fields,
    )


def _plain(hint: object, value: Any) -> object:  # noqa: ANN401 - what JSON gave
    if value is None:
        return False if hint is bool else None
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint(value)
    return value


def _sent(
    kind: type[Command], kept: Mapping[str, Any], record: TransactionRecord, view: View
) -> CardRef | None:
    """
    Give the card number that was sent, as it was kept.

    Where the record has a card it was that one's, or of one that it replaced.
    """
    if issubclass(kind, Naming) and "sent" not in kept:
        return None
    index = record.card_number_index
    if index is None and view.card is not None:
        index = view.card.number_index
    return CardRef(index or _NO_INDEX, record.card_last_four or "")
