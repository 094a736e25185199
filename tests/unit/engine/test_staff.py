"""
Staff in the lane: asked again who they are, and audited with what they did.
"""

import asyncio
from dataclasses import replace

import pytest

from gateway.domain.auditing import AuditEntry
from gateway.domain.cards import BlockReason, CardState
from gateway.domain.commands import MoneyCommand
from gateway.domain.errors import (
    GatewayError,
    InvariantError,
    RoleDeniedError,
    ServiceDeniedError,
)
from gateway.domain.policy import Caller
from gateway.domain.record import AdjustmentApproved, AdjustmentAsked
from gateway.domain.results import Channel, CurrentState, Result
from gateway.domain.staff import StaffOperation, StaffRole
from gateway.engine.answers import Answer
from tests.support import world
from tests.support.desks import (
    AMIRA,
    DESKS,
    OMAR,
    ZEINA,
    adjust,
    approve,
    desk_policy,
    id_of,
)
from tests.support.engine_world import TILL_2, Bench, bench, on_second, outcome, told
from tests.support.world import activate, amount, card, load, redeem, reverse
from tests.unit.engine.test_readings import balance, desk

Asked = tuple[Caller, MoneyCommand]


def staffed() -> Bench:
    """
    Give a bench whose rules know the desks.
    """
    return bench(rules=desk_policy())


async def run(lane: Bench, *asked: Asked) -> list[Answer | GatewayError]:
    """
    Run one batch of requests, each by its own caller.
    """
    items = [lane.item(command, caller=caller) for caller, command in asked]
    await lane.runner.run(items)
    return [outcome(item) for item in items]


async def answers(lane: Bench, *asked: Asked) -> list[Answer]:
    """
    Run one batch in which every request is answered.
    """
    got = await run(lane, *asked)
    assert all(isinstance(one, Answer) for one in got), got
    return [one for one in got if isinstance(one, Answer)]


def audited(lane: Bench) -> list[tuple[str, StaffOperation, Result, bool]]:
    """
    Read the audit.
    """
    return [
        (one.staff, one.operation, one.result, one.replayed) for one in lane.books.audit
    ]


@pytest.mark.parametrize("together", [True, False])
async def test_an_adjustment_takes_two(*, together: bool) -> None:
    """
    In one batch or in two: the request waits, the approval moves, each is audited.
    """
    lane = staffed()
    requests: list[Asked] = [(AMIRA, adjust(amount(5_00))), (OMAR, approve())]
    if together:
        asked, done = await answers(lane, *requests)
    else:
        (asked,), (done,) = [await answers(lane, one) for one in requests]

    assert (asked.state, done.state) == (CurrentState.PENDING, CurrentState.POSTED)
    assert lane.books.cards[card().card_id].balance_minor == 105_00
    assert lane.books.asked == [
        AdjustmentAsked(id_of(asked.record), "amira", "paid twice")
    ]
    assert lane.books.approved == [
        AdjustmentApproved(
            id_of(asked.record),
            id_of(done.record),
            "omar",
        )
    ]
    assert audited(lane) == [
        ("amira", StaffOperation.ADJUST, Result.APPROVED, False),
        ("omar", StaffOperation.APPROVE_ADJUSTMENT, Result.APPROVED, False),
    ]


async def test_a_second_approval_finds_it_done() -> None:
    """
    In the same batch and later: 21; the request's replay says POSTED.
    """
    lane = staffed()
    by_zeina = approve(by=ZEINA, number=3)

    _, first, second = await answers(
        lane, (AMIRA, adjust(amount(5_00))), (OMAR, approve()), (ZEINA, by_zeina)
    )
    (later,) = await answers(lane, (OMAR, approve(number=4)))
    (again,) = await answers(lane, (AMIRA, adjust(amount(5_00))))

    assert told([first, second, later]) == [
        (Result.APPROVED, False),
        (Result.CANNOT_BE_REVERSED, False),
        (Result.CANNOT_BE_REVERSED, False),
    ]
    assert (again.replayed, again.state) == (True, CurrentState.POSTED)


async def test_a_declined_approval_leaves_it_waiting() -> None:
    """
    Somebody else may still approve what one's own approval did not.
    """
    lane = staffed()
    own = approve(of=OMAR, number=2)

    _, refused, waits = await answers(
        lane,
        (OMAR, adjust(amount(5_00), by=OMAR)),
        (OMAR, own),
        (OMAR, adjust(amount(5_00), by=OMAR)),
    )

    assert refused.record.result is Result.NOT_PERMITTED
    assert (waits.replayed, waits.state) == (True, CurrentState.PENDING)
    (done,) = await answers(lane, (ZEINA, approve(of=OMAR, by=ZEINA, number=3)))
    assert done.record.result is Result.APPROVED


async def test_a_replay_is_audited_too() -> None:
    """
    It writes nothing else, and is committed all the same; its time is the batch's.
    """
    lane = staffed()
    (first,) = await answers(lane, (AMIRA, adjust(amount(5_00))))
    lane.books.clock = later = world.NOW.replace(hour=13)

    (again,) = await answers(lane, (AMIRA, adjust(amount(5_00))))

    assert again.record == first.record
    assert lane.books.commits == 2
    assert lane.books.audit[-1] == AuditEntry(
        host_time=later,
        terminal_id=DESKS[AMIRA],
        staff="amira",
        role=StaffRole.CALL_CENTRE,
        operation=StaffOperation.ADJUST,
        channel=Channel.IVR,
        request_id=first.record.request_id,
        card_id=card().card_id,
        transaction_id=first.record.transaction_id,
        result=Result.APPROVED,
        replayed=True,
    )


async def test_tills_are_not_audited() -> None:
    """
    A batch of both audits staff alone.
    """
    lane = staffed()

    await answers(
        lane,
        (TILL_2, on_second(redeem(amount(1_00), number=7))),
        (AMIRA, adjust(amount(5_00))),
    )

    assert len(lane.books.audit) == 1
    assert lane.books.commits == 1


@pytest.mark.parametrize(
    ("caller", "command", "fault"),
    [
        (TILL_2, adjust(amount(5_00)), ServiceDeniedError),
        (AMIRA, redeem(amount(5_00)), ServiceDeniedError),
        (AMIRA, replace(approve(), actor="amira"), RoleDeniedError),
        (
            AMIRA,
            replace(adjust(amount(5_00)), channel=Channel.API, actor=None),
            InvariantError,
        ),
    ],
)
async def test_the_lane_asks_again(
    caller: Caller, command: MoneyCommand, fault: type[GatewayError]
) -> None:
    """
    Whatever the entrance let in: the policy in force decides, and others go on.
    """
    lane = staffed()

    refused, done = await run(
        lane, (caller, command), (OMAR, adjust(amount(1_00), by=OMAR, number=9))
    )

    assert type(refused) is fault
    assert isinstance(done, Answer)
    assert len(lane.books.audit) == 1


async def test_an_activation_stands_on_adjustments_that_happened() -> None:
    """
    A request alone is no use of the card; an approval is.
    """
    lane = bench(card(0, state=CardState.PENDING, load_count=0), rules=desk_policy())
    till = [(TILL_2, on_second(activate(amount(10_00), number=8)))]
    await answers(lane, *till, (AMIRA, adjust(amount(5_00))))
    back = on_second(reverse(8, number=20, with_card=False))
    back = replace(back, original=back.original._replace(terminal_id=back.terminal_id))
    _, refused = await answers(lane, (OMAR, approve()), (TILL_2, back))

    assert refused.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL


async def test_staff_read_what_tills_may_not() -> None:
    """
    The same question: a till is refused a blocked card, staff see it.
    """
    blocked = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)
    at = desk(bench(blocked, rules=desk_policy()))
    by_staff = replace(
        balance(), terminal_id=DESKS[AMIRA], channel=Channel.IVR, actor="amira"
    )
    futures = [
        *at.submit(by_staff, caller=AMIRA),
        *at.submit(replace(by_staff, channel=Channel.API, actor=None), caller=AMIRA),
        *at.submit(balance()),
    ]
    async with at.running():
        seen, posing, till = await asyncio.gather(*futures, return_exceptions=True)

    assert isinstance(seen, Answer)
    assert seen.record.result is Result.APPROVED
    assert type(posing) is ServiceDeniedError
    assert isinstance(till, Answer)
    assert till.record.result is Result.LOST_CARD


async def test_a_load_is_kept_from_what_staff_asked() -> None:
    """
    Requests of a desk and of a till on one card are decided in arrival order.
    """
    lane = staffed()

    short, more, enough = await answers(
        lane,
        (AMIRA, adjust(amount(120_00), up=False)),
        (TILL_2, on_second(load(amount(50_00), number=5))),
        (AMIRA, adjust(amount(120_00), up=False, number=6)),
    )

    assert told([short, more, enough]) == [
        (Result.INSUFFICIENT_FUNDS, False),
        (Result.APPROVED, False),
        (Result.APPROVED, False),
    ]
