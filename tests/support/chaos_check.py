"""
Hold the books to what tills were told (threats 4), whatever happened on the way.

- every answer to one request id is the same but for `replayed` and `current_state`;
- what was answered is in the ledger, once, with the same amounts and postings; what is
  in the ledger was asked for;
- a card's balance is what the answers add up to;
- each card's history is linearizable: changes follow each other in an order that fits
  when tills asked and heard, and every decline and every balance read shows a state
  that the card had in between.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import accumulate
from typing import Any, Final, NamedTuple
from uuid import UUID

from tests.support.chaos_journal import Entry
from tests.support.server import Card, Gateway
from till.answer import Answer
from till.codes import CurrentState, Result
from till.requests import GetBalance, Redeem

_ROWS: Final = """
SELECT t.transaction_id, t.request_id, t.result, t.card_id, t.card_seq,
    t.requested_minor, t.approved_minor, t.card_minor,
    t.available_before_minor, t.available_after_minor, coalesce(t.approval_code, ''),
    coalesce((SELECT sum(abs(p.amount_minor)) FROM posting AS p
        WHERE p.transaction_id = t.transaction_id AND p.account = 1), 0)::bigint,
    coalesce((SELECT sum(abs(p.amount_minor)) FROM posting AS p
        WHERE p.transaction_id = t.transaction_id AND p.account IN (2, 3)), 0)::bigint
FROM transaction AS t
WHERE t.card_id = ANY(%s) OR t.request_id = ANY(%s)
"""
_CARDS: Final = (
    "SELECT card_id, version, balance_minor FROM card WHERE card_id = ANY(%s)"
)
_TOMBSTONES: Final = """
SELECT request_id FROM request_key WHERE fingerprint IS NULL AND request_id = ANY(%s)
"""


class Row(NamedTuple):
    """
    A recorded transaction, with what its postings moved on the card and the merchant.
    """

    transaction_id: UUID
    request_id: UUID
    result: int
    card_id: int | None
    card_seq: int | None
    requested_minor: int | None
    approved_minor: int
    card_minor: int
    before_minor: int | None
    after_minor: int | None
    approval_code: str
    liability_minor: int
    merchant_minor: int


class Opening(NamedTuple):
    """
    A card as it stood before the tills began.
    """

    version: int
    balance_minor: int


class Change(NamedTuple):
    """
    A change of a card: its number, the balance after it, when it was asked and known.
    """

    seq: int
    after_minor: int
    began_s: float
    answered_s: float


def opening_of(gateway: Gateway, cards: Iterable[Card]) -> dict[int, Opening]:
    """
    Read the cards before the tills begin.
    """
    rows = gateway.sql(_CARDS, [card.card_id for card in cards])
    return {card_id: Opening(version, minor) for card_id, version, minor in rows}


def check_journal(
    gateway: Gateway, entries: Sequence[Entry], opening: dict[int, Opening]
) -> None:
    """
    Fail with what does not agree. Every request must have been answered in the end.
    """
    unanswered = [_name(entry) for entry in entries if not entry.answers]
    assert not unanswered, f"never answered: {unanswered[:5]}"
    recorded = [entry for entry in entries if not isinstance(entry.request, GetBalance)]
    ids = [_id(entry) for entry in recorded]
    rows = [Row(*row) for row in gateway.sql(_ROWS, list(opening), ids)]
    by_id = {row.request_id: row for row in rows}
    tombstones = {row[0] for row in gateway.sql(_TOMBSTONES, ids)}
    problems = [
        *_unasked(rows, recorded, opening),
        *(
            f"{_name(entry)}: {problem}"
            for entry in recorded
            for problem in _answer_problems(entry, by_id, tombstones)
        ),
    ]
    now = {row[0]: row for row in gateway.sql(_CARDS, list(opening))}
    for card_id, was in opening.items():
        mine = [entry for entry in entries if entry.card.card_id == card_id]
        moved = sum(_moved(entry.answers[0]) for entry in mine)
        told, kept = was.balance_minor + moved, now[card_id][2]
        if told != kept:
            problems.append(f"card {card_id}: answers add up to {told}, kept is {kept}")
        problems += _history_problems(mine, by_id, was)
    assert not problems, "\n".join([f"{len(problems)} problems", *problems[:20]])


def bare(answer: Answer) -> Answer:
    """
    Leave out what may differ between an answer and its replay.

    What is not recorded is answered anew each time, at its own time.
    """
    same = replace(answer, replayed=False, current_state=CurrentState.POSTED)
    if answer.transaction_id is None:
        same = replace(same, host_time=None, business_date=None)
    return same


def _id(entry: Entry) -> UUID:
    request_id = entry.request.request_id
    assert request_id is not None
    return request_id


def _name(entry: Entry) -> str:
    return f"{type(entry.request).__name__} {entry.request.request_id}"


def _differences(one: Answer, other: Answer) -> list[str]:
    return [
        f"{field.name} {getattr(one, field.name)} and {getattr(other, field.name)}"
        for field in fields(one)
        if getattr(one, field.name) != getattr(other, field.name)
    ]


def _moved(answer: Answer) -> int:
    """
    Tell by how much an approval changed the balance; nothing else changes it.
    """
    before, after = answer.previous_balance, answer.available_balance
    if not answer.approved or before is None or after is None:
        return 0
    return after.minor_units - before.minor_units


def _unasked(
    rows: Sequence[Row], entries: Sequence[Entry], opening: dict[int, Opening]
) -> list[str]:
    asked = {_id(entry) for entry in entries}
    return [
        f"nobody asked for {row}"
        for row in rows
        if row.request_id not in asked
        and row.card_id in opening
        and (row.card_seq or 0) > opening[row.card_id].version
    ]


def _answer_problems(
    entry: Entry, rows: dict[UUID, Row], tombstones: set[UUID]
) -> Iterable[str]:
    answers = entry.answers
    first = bare(answers[0])
    for answer in answers[1:]:
        if bare(answer) != first:
            yield f"answered {_differences(first, bare(answer))}"
    row = rows.get(_id(entry))
    if first.transaction_id is None:
        # The one answer that is not recorded here: a late original under a tombstone.
        if first.result is not Result.ALREADY_REVERSED or row is not None:
            yield f"{first.result.name} is not recorded, kept is {row}"
        if _id(entry) not in tombstones:
            yield "declined as reversed, and no reversal stands under its id"
        return
    if row is None:
        yield f"{first.result.name} and not in the ledger"
        return
    if sum(not answer.replayed for answer in answers) > 1:
        yield "decided more than once"
    yield from _row_problems(first, row)


def _row_problems(answer: Answer, row: Row) -> Iterable[str]:
    told: dict[str, Any] = {
        "transaction_id": answer.transaction_id,
        "result": answer.result,
        "requested_minor": _minor(answer, "requested_amount"),
        "approved_minor": _minor(answer, "approved_amount") or 0,
        "approval_code": answer.approval_code,
    }
    if row.card_seq is not None:
        moved = _moved(answer)
        told |= {
            "before_minor": _minor(answer, "previous_balance"),
            "after_minor": _minor(answer, "available_balance"),
            "card_minor": abs(moved),
            "liability_minor": abs(moved),
            "merchant_minor": _minor(answer, "approved_amount") or 0,
        }
    elif _moved(answer):
        yield f"moved {_moved(answer)} and changed no card"
    for name, value in told.items():
        if getattr(row, name) != value:
            yield f"{name}: told {value}, kept {getattr(row, name)}"


def _minor(answer: Answer, field: str) -> int | None:
    money = getattr(answer, field)
    return None if money is None else int(money.minor_units)


def _history_problems(
    entries: Sequence[Entry], rows: dict[UUID, Row], opening: Opening
) -> Iterable[str]:
    changes = [Change(opening.version, opening.balance_minor, 0.0, 0.0)]
    others: list[Entry] = []
    for entry in entries:
        row = None
        if not isinstance(entry.request, GetBalance):
            row = rows.get(_id(entry))
        if row is None or row.card_seq is None or row.after_minor is None:
            others.append(entry)
            continue
        change = Change(row.card_seq, row.after_minor, entry.began_s, entry.answered_s)
        changes.append(change)
    changes.sort()
    known_s = 0.0
    for number, change in enumerate(changes):
        if change.seq != opening.version + number:
            yield f"change {change.seq} stands where {opening.version + number} should"
            return
        if change.answered_s < known_s:
            yield f"{change} was answered before one of its predecessors was asked for"
        known_s = max(known_s, change.began_s)
    history = History(changes)
    for entry in others:
        yield from _reading_problems(entry, history)


def _reading_problems(entry: Entry, history: History) -> Iterable[str]:
    answer = entry.answers[0]
    shown = _minor(answer, "available_balance")
    if shown is None:
        return
    states = history.states(entry.began_s, entry.answered_s)
    if shown not in states:
        yield f"{_name(entry)} was shown {shown}; in between it had {states[:20]}"
    if answer.result is Result.INSUFFICIENT_FUNDS:
        request = entry.request
        assert isinstance(request, Redeem), answer
        plain = request.amount.currency.code == "USD"
        asked = request.amount.minor_units
        if plain and (shown if request.allow_partial else shown >= asked):
            yield f"{_name(entry)} was declined for funds, with {shown} there"


class History:
    """
    The states of one card, and which of them can have been seen in a span of time.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self._first = changes[0].seq
        self._after = [change.after_minor for change in changes]
        ends = sorted((change.answered_s, change.seq) for change in changes)
        self._ended_s = [end for end, _ in ends]
        self._newest = list(accumulate((seq for _, seq in ends), max))
        starts = sorted((change.began_s, change.seq) for change in changes)
        self._began_s = [start for start, _ in starts]
        oldest = list(accumulate((seq for _, seq in reversed(starts)), min))
        self._oldest = oldest[::-1]

    def states(self, began_s: float, ended_s: float) -> list[int]:
        """
        Give the balances that a request may have met.

        No change that was answered before it began is missing from them, and none is
        in them that was asked for after it ended.
        """
        answered = bisect_left(self._ended_s, began_s)
        low = self._newest[answered - 1] if answered else self._first
        unasked = bisect_right(self._began_s, ended_s)
        high = self._first + len(self._after)
        if unasked < len(self._oldest):
            high = self._oldest[unasked]
        return self._after[low - self._first : high - self._first]
