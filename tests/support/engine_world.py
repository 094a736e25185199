"""
A lane's surroundings in memory: two cards, two terminals, one controller, fake ports.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.domain.cards import Card, CardState
from gateway.domain.commands import Command, Fingerprint, MoneyCommand, Redeem
from gateway.domain.errors import GatewayError
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.policy import (
    Caller,
    Device,
    DeviceKind,
    DeviceName,
    PartyState,
    Policy,
)
from gateway.domain.results import Result
from gateway.engine.answers import Answer
from gateway.engine.aside import Patience
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Hints
from gateway.engine.items import Item
from gateway.engine.policies import Policies
from gateway.engine.runner import Bounds, Runner
from gateway.engine.tools import Tools
from tests.support import world
from tests.support.fake_books import FakeBooks
from tests.support.fake_ports import (
    CountingIds,
    FakeCodes,
    FakeFaultPoint,
    FakeObserver,
    at_once,
)

C = TypeVar("C", bound=Command)
FAR = 1e9
CERTIFICATE = b"\x01" * 32
CONTROLLER = Caller(DeviceName("m-1", "s-1", "controller"), CERTIFICATE)
TILL_2 = Caller(DeviceName("m-1", "s-1", "till-2"), CERTIFICATE)
T2 = TerminalId(2)
SECOND_INDEX = b"\x08" * 32
# What opens the second card: it is then like the first.
OPEN = {
    name: getattr(world.card(), name)
    for name in ("state", "load_count", "balance_minor")
}
BOUNDS = Bounds(
    restart_limit=3,
    retry_limit=3,
    resolve_timeout_s=5,
    patience=Patience(alone_ms=50),
)


def second_card(**changes: object) -> Card:
    """
    Make the other card: PENDING and empty.
    """
    first = world.card(0, state=CardState.PENDING, load_count=0)
    other = replace(
        first, card_id=CardId(2), number_index=SECOND_INDEX, last_four="5678"
    )
    return replace(other, **changes)  # type: ignore[arg-type]


def lane_policy(
    version: int = 1,
    *,
    second_terminal: PartyState = PartyState.ACTIVE,
    revoked: bool = False,
    rates: Iterable[tuple[str, str]] = tuple(world.R1.items()),
) -> Policy:
    """
    Give the rules: two terminals of one store, a controller, and a till at the second.

    `revoked` takes the till's access away.
    """
    known = world.policy(rates=[world.rate(code, text) for code, text in rates])
    here = known.places[world.TERMINAL]
    beside = replace(here.terminal, terminal_id=T2, code="t-2", state=second_terminal)

    def device(caller: Caller, terminal_id: TerminalId | None) -> Device:
        own = terminal_id is not None
        return Device(
            name=caller.device,
            store_id=world.STORE,
            kind=DeviceKind.TERMINAL if own else DeviceKind.CONTROLLER,
            terminal_id=terminal_id,
            revoked=revoked and own,
            certificates=frozenset({CERTIFICATE}),
        )

    return replace(
        known,
        version=version,
        devices={
            CONTROLLER.device: device(CONTROLLER, None),
            TILL_2.device: device(TILL_2, T2),
        },
        places=known.places | {T2: replace(here, terminal=beside)},
    )


def on_second(command: C, terminal_id: TerminalId = T2) -> C:
    """
    Give the same request from the second terminal, or another.
    """
    return replace(command, terminal_id=terminal_id)


def of_second_card(command: C, number_index: bytes = SECOND_INDEX) -> C:
    """
    Give the same request for the other card, or for any number.
    """
    assert command.card is not None
    return replace(command, card=command.card._replace(number_index=number_index))


def other_content(command: C) -> C:
    """
    Give a request under the same id whose content differs.
    """
    return replace(command, fingerprint=Fingerprint(1, b"\xff" * 32))


@dataclass
class Bench:
    """
    Everything a batch needs, and short ways to run one.
    """

    books: FakeBooks
    tools: Tools
    observer: FakeObserver
    faults: FakeFaultPoint
    runner: Runner

    def rival(self, *commands: MoneyCommand) -> Callable[[], None]:
        """
        Give a strike in which another worker commits these requests.
        """

        def strike() -> None:
            items = [self.item(command) for command in commands]
            at_once(Attempt(self.tools, items, Hints()).run())

        return strike

    def item(
        self,
        command: MoneyCommand,
        *,
        caller: Caller = CONTROLLER,
        deadline: float = FAR,
    ) -> Item:
        """
        Make an item with a future of the running loop.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        return Item(caller=caller, command=command, deadline=deadline, future=future)

    async def run(self, *commands: MoneyCommand) -> list[Answer | GatewayError]:
        """
        Run one batch to its end, and give what each request got.
        """
        items = [self.item(command) for command in commands]
        await self.runner.run(items)
        while self.runner.aside:
            await asyncio.sleep(0)
            await self.runner.run([])
        return [outcome(item) for item in items]

    async def answers(self, *commands: MoneyCommand) -> list[Answer]:
        """
        Run one batch in which every request is answered.
        """
        got = await self.run(*commands)
        answered = [one for one in got if isinstance(one, Answer)]
        assert len(answered) == len(got), got
        return answered

    def results(self) -> list[str]:
        """
        List what is recorded, oldest first.
        """
        return [record.result.name for record in self.books.records.values()]


def outcome(item: Item) -> Answer | GatewayError:
    """
    Give what an item's future was given.
    """
    error = item.future.exception()
    if error is None:
        return item.future.result()
    assert isinstance(error, GatewayError)
    return error


def bench(*cards: Card, rules: Policy | None = None, bounds: Bounds = BOUNDS) -> Bench:
    """
    Build it, with the base set-up's card and the other one unless told otherwise.
    """
    first = rules or lane_policy()
    kept = cards or (world.card(), second_card())
    books = FakeBooks(first, kept, world.NOW)
    observer, faults = FakeObserver(), FakeFaultPoint()
    tools = Tools(
        books=books,
        policies=Policies(books, first),
        codes=FakeCodes(),
        ids=CountingIds(),
        faults=faults,
    )
    runner = Runner(tools, bounds, observer, jitter=lambda: 0)
    return Bench(books, tools, observer, faults, runner)


def told(answers: list[Answer]) -> list[tuple[Result, bool]]:
    """
    Read answers as results, and whether they are replays.
    """
    return [(answer.record.result, answer.replayed) for answer in answers]


def kinds(got: list[Answer | GatewayError]) -> list[type]:
    """
    Read what each request got as its type.
    """
    return [type(one) for one in got]


def sales(count: int) -> list[Redeem]:
    """
    Ask for as many sales of 1.00.
    """
    return [world.redeem(world.amount(1_00), number=n) for n in range(1, count + 1)]


def mixed(lane: Bench, count: int, *stuck: int) -> list[Item]:
    """
    Ask for sales, those at these places from the second card.
    """
    return [
        lane.item(of_second_card(sale) if place in stuck else sale)
        for place, sale in enumerate(sales(count))
    ]


def answered(items: list[Item]) -> list[bool]:
    """
    Tell who has an answer.
    """
    return [item.future.done() and isinstance(outcome(item), Answer) for item in items]


def raising(error: Exception) -> Callable[[], None]:
    """
    Give a strike that raises.
    """

    def strike() -> None:
        raise error

    return strike
