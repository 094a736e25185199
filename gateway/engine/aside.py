"""
Who waits for a card that another transaction keeps, out of the others' way (design 3).

A lane waits for one lock at a time, so whoever waits in a batch delays all of it. Once
a lock was not granted in time, batches are looked through before they run: who names a
card that is held is put aside and looks again with the next batch, until its time is
over. The others run, and wait only a little for what nobody could foresee.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.commands import Moving, Naming
from gateway.domain.errors import ConcurrencyError, GatewayError
from gateway.engine.items import Enquiry, Entry, Sweep
from gateway.engine.locking import CardName
from gateway.engine.ports import Books

# How long after the last held card batches are still looked through.
_ALERT_S = 1.0
_KEPT = "another transaction keeps the card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """
    How long a request waits for a card: by itself, and in a batch with others.
    """

    alone_ms: int = 250
    together_ms: int = 20

    @property
    def short_ms(self) -> int:
        """
        Give the wait of a batch that has neighbours to spare.
        """
        return min(self.alone_ms, self.together_ms)


class _Wait(NamedTuple):
    """
    Until when an item waits: for its card, or for something else, its key perhaps.
    """

    limit_s: float
    of_card: bool


class Aside:
    """
    The items put aside, and what is known of the cards they wait for.

    Both are made anew with every batch, so neither outgrows the lane's queue. Who waits
    is refused when the same transaction kept its card for all of its time: time in
    which the card was free, or went from hand to hand, does not count.
    """

    def __init__(self, books: Books, patience: Patience) -> None:
        self._books = books
        self._patience = patience
        self._waiting: dict[Entry, _Wait] = {}
        self._limits: dict[Entry, _Wait] = {}
        self._holders: dict[CardName, int] = {}
        self._alert_until_s = float("-inf")

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def alert(self) -> bool:
        """
        Tell whether batches are to be looked through before they run.
        """
        return bool(self._limits) or _now_s() < self._alert_until_s

    def take(self) -> list[Entry]:
        """
        Give those that wait another chance, but nobody who no longer waits.
        """
        self._limits, self._waiting = self._waiting, {}
        now_s = _now_s()
        for item in self._limits:
            if item.deadline <= now_s:
                refuse([item], ConcurrencyError(_KEPT))
        return [item for item in self._limits if not item.future.done()]

    def put(self, items: Iterable[Entry], *, of_card: bool = True) -> None:
        """
        Put items aside; whose time is over is told that the card is kept.

        Not `of_card` are those that waited in vain though nobody held their cards.
        """
        now_s = _now_s()
        for item in items:
            self._alert_until_s = now_s + _ALERT_S
            wait = self._limits.get(item)
            if wait is None:
                wait = _Wait(now_s + self._patience.alone_ms / 1_000, of_card)
            if now_s < min(wait.limit_s, item.deadline):
                self._waiting[item] = wait
            else:
                refuse([item], ConcurrencyError(_KEPT))

    async def part(self, items: Sequence[Entry], *, all_held: bool) -> list[Entry]:
        """
        Put aside who names a held card, and give the others.

        A held card that somebody else held when it was last seen is only busy: nobody
        keeps it, so its items had better queue for its lock than find it held by
        chance again and again. `all_held` puts them aside all the same. Whom nobody
        keeps has all of its time before it again.

        Raises:
            LockTimeoutError, BooksUnavailableError: nobody was put aside.

        """
        names = {item: _names(item) for item in items}
        every = {name for named in names.values() for name in named}
        held = await self._books.held_cards(
            sorted(name for name in every if isinstance(name, bytes)),
            sorted(name for name in every if isinstance(name, int)),
            sorted(name for name in every if isinstance(name, tuple)),
            patience_ms=self._patience.short_ms,
        )
        known = self._see(every, held, whole=not all_held)
        kept = {name for name, holder in held.items() if known.get(name) == holder}
        for item in items:
            wait = self._limits.get(item)
            if wait is not None and (
                kept.isdisjoint(names[item])
                if wait.of_card
                else not held.keys().isdisjoint(names[item])
            ):
                del self._limits[item]
        avoided = {
            name
            for name, holder in held.items()
            if all_held or known.get(name, holder) == holder
        }
        self.put(item for item in items if not avoided.isdisjoint(names[item]))
        return [item for item in items if avoided.isdisjoint(names[item])]

    def _see(
        self, every: set[CardName], held: dict[CardName, int], *, whole: bool
    ) -> dict[CardName, int]:
        """
        Note who holds which of these cards now, and give what was known before.

        A look at a part of a batch says nothing of those who were put aside before it:
        what is known of their cards stays until the next look at the whole.
        """
        known = self._holders
        others = {} if whole else {n: h for n, h in known.items() if n not in every}
        self._holders = others | held
        return known


def _names(entry: Entry) -> list[CardName]:
    """
    Name the cards that an item locks.
    """
    if isinstance(entry, Enquiry):
        return [entry.question.card.number_index]
    if isinstance(entry, Sweep):
        return [entry.card_id]
    command = entry.command
    if isinstance(command, Naming):
        return [command.original]
    names: list[CardName] = []
    if command.card is not None:
        names.append(command.card.number_index)
    if isinstance(command, Moving):
        names.append(command.other.number_index)
    return names


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def refuse(items: Iterable[Entry], fault: GatewayError) -> None:
    """
    Fail every item that still waits.
    """
    for item in items:
        if not item.future.done():
            item.future.set_exception(fault)
