"""
The lives of cards on a real Postgres: blocked, unblocked, closed, replaced, emptied.

The seed is that of `tests.support.ledger`; the cards are further ones, by their ids.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import psycopg

from gateway.domain.cards import BlockReason
from gateway.domain.commands import CardRef, Command, MoneyCommand, Moving
from gateway.domain.ids import TerminalId
from gateway.domain.policy import Caller, DeviceName
from gateway.domain.results import APPROVALS, Channel
from gateway.engine.answers import Answer
from tests.support.ledger import number_index
from tests.support.lives import block, deactivate, take_place, transfer, unblock
from tests.support.real_lanes import RealLane
from tests.support.world import amount, load, redeem, refund, reverse

_C = TypeVar("_C", bound=Command)
_M = TypeVar("_M", bound=Moving)

PRODUCTS_SQL: Final = """
UPDATE card_product SET permitted = permitted || '{12,14,15,16}'::smallint[]
"""
CARDS_SQL: Final = """
INSERT INTO card (
    card_id, program_id, product_id, number_index, number_index_key_id,
    number_ciphertext, last_four, state, currency
)
SELECT
    n, 1, 1, sha256(convert_to(n::text, 'UTF8')), 1, '\\x00', lpad(n::text, 4, '0'),
    %s, 'USD'
FROM generate_series(%s::int, %s::int) AS n
"""
DESK_SQL: Final = """
INSERT INTO terminal (store_id, code) VALUES (1, 'amira');
INSERT INTO device (store_id, code, kind, terminal_id, roles)
SELECT 1, 'amira', 3, terminal_id, '{1,2}' FROM terminal WHERE code = 'amira';
INSERT INTO device_certificate (sha256, device_id, revoked)
SELECT decode(repeat('04', 32), 'hex'), device_id, false FROM device
WHERE code = 'amira'
"""
ACTIVE, PENDING = 3, 2
AMIRA: Final = Caller(DeviceName("acme", "beirut", "amira"), b"\x04" * 32)
DESK: Final = TerminalId(3)


async def add_cards(owner_dsn: str, *, active: range, pending: range) -> None:
    """
    Make more cards, and let the product permit all that becomes of them.
    """
    async with await psycopg.AsyncConnection.connect(owner_dsn) as owner:
        await owner.execute(PRODUCTS_SQL)
        await owner.execute(DESK_SQL)
        for state, cards in ((ACTIVE, active), (PENDING, pending)):
            await owner.execute(CARDS_SQL, (state, cards[0], cards[-1]))


def submit(lane: RealLane, command: MoneyCommand) -> asyncio.Future[Answer]:
    """
    Queue a command, at the desk if its channel is staff's.
    """
    if command.channel is Channel.API:
        return lane.submit(command)
    return lane.submit(replace(command, terminal_id=DESK, actor="amira"), AMIRA)


async def ask(lane: RealLane, *commands: MoneyCommand) -> Sequence[Answer]:
    """
    Queue commands together.
    """
    return await asyncio.gather(*(submit(lane, command) for command in commands))


def of(card_id: int, command: _C) -> _C:
    """
    Give the same request for a card.
    """
    ref = CardRef(number_index(card_id), f"{card_id:04}")
    return replace(command, card=ref)


def onto(card_id: int, command: _M) -> _M:
    """
    Give the same request with another second card.
    """
    ref = CardRef(number_index(card_id), f"{card_id:04}")
    return replace(command, other=ref)


def replacing(card_id: int, by: int, *, number: int) -> tuple[MoneyCommand, ...]:
    """
    Report a card lost, and put another in its place.
    """
    lost = of(card_id, block(number=number, channel=Channel.IVR))
    return lost, onto(by, of(card_id, take_place(number=number + 1)))


async def live(lane: RealLane) -> dict[str, Answer]:
    """
    Let everything become of cards 11 to 14, with 21 and 22 to take their places.
    """
    suspicious = block(BlockReason.FRAUD, number=107)
    stolen = block(BlockReason.STOLEN, number=110, channel=Channel.ADMIN)
    asked: list[tuple[str, MoneyCommand]] = [
        ("life loaded", of(11, load(amount(90_00), number=101))),
        ("life sold", of(11, redeem(amount(30_00), number=102))),
        ("life refunded", of(11, refund(amount(10_00), 102, number=103))),
        ("lost", replacing(11, 21, number=104)[0]),
        ("replaced", replacing(11, 21, number=104)[1]),
        ("refunded since", of(11, refund(amount(5_00), 102, number=106))),
        ("suspicious", of(21, suspicious)),
        ("unblocked", of(21, unblock(number=108))),
        ("unblocked again", of(21, unblock(number=109))),
        ("stolen", of(21, stolen)),
        ("replaced again", onto(22, of(21, take_place(number=111)))),
        ("unloaded since", reverse(101, number=112, with_card=False)),
        ("unrefunded", reverse(106, number=113, with_card=False)),
        ("refunded at last", refund(amount(2_00), 102, number=114)),
        ("other loaded", of(12, load(amount(40_00), number=115))),
        ("moved", onto(22, of(12, transfer(number=116)))),
        ("closed", of(12, deactivate(number=117))),
        ("blocked empty", of(13, block(number=118))),
        ("closed blocked", of(13, deactivate(number=119))),
        ("nothing to move", onto(22, of(14, transfer(number=120)))),
    ]
    answers = {name: await submit(lane, command) for name, command in asked}
    refused = {"unloaded since", "nothing to move"}
    for name, answer in answers.items():
        assert (answer.record.result in APPROVALS) is (name not in refused), name
    return answers
