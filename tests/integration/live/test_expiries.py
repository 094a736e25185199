from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import CardId, TerminalId, TransactionId
from gateway.engine.clerk_ports import Loaded, OpenHold, Page
from gateway.live.expiries import RedisExpiries
from gateway.live.options import LiveOptions
from tests.integration.live.worker import (
    OPTIONS,
    running_worker,
    server_client,
    until,
)
from tests.support.stores import running_valkey

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY, MARK = "{scrip}:expiries", "{scrip}:expiries:loaded"
LEASE_S = 5

MakeExpiries = Callable[..., RedisExpiries]


def hold(number: int, *, after_s: float = 0, state: HoldState = HoldState.OPEN) -> Hold:
    """
    Make a hold that ends so long after now.
    """
    return Hold(
        hold_id=id_of(number),
        card_id=CardId(number),
        terminal_id=TerminalId(1),
        state=state,
        currency_code="USD",
        authorized_minor=5,
        card_minor=5,
        captured_minor=0,
        captured_card_minor=0,
        rate_transaction=None,
        rate_card=None,
        applied_rate=None,
        rate_table_version=None,
        rate_effective_from=None,
        expires_at=NOW + timedelta(seconds=after_s),
    )


def id_of(number: int) -> TransactionId:
    """
    Make a hold's id.
    """
    return TransactionId(number.to_bytes(16))


def standing(*numbers: int, after_s: float = 0) -> list[OpenHold]:
    """
    Make open holds as the books tell them.
    """
    moment = NOW + timedelta(seconds=after_s)
    return [OpenHold(id_of(number), CardId(number), moment) for number in numbers]


@pytest.fixture
async def make(valkey_url: str) -> AsyncIterator[MakeExpiries]:
    """
    Make clerks' adapters; all are closed at the end.
    """
    async with AsyncExitStack() as stack:

        def open_one(
            token: str = "one",
            options: LiveOptions = OPTIONS,
            url: str = valkey_url,
        ) -> RedisExpiries:
            made = RedisExpiries(
                url,
                token=token,
                lease_ms=LEASE_S * 1_000,
                options=options,
                on_event=lambda _: None,
            )
            stack.push_async_callback(made.close)
            return made

        yield open_one


@pytest.fixture
def client(valkey_url: str) -> Any:
    """
    Look at the server from outside.
    """
    return server_client(valkey_url)


async def taken(expiries: RedisExpiries, *, after_s: float = 0, limit: int = 9) -> Any:
    """
    Take what is due so long after now.
    """
    due = await expiries.take_due(
        NOW + timedelta(seconds=after_s), limit=limit, ended=()
    )
    assert due is not None
    return due


async def test_published_holds_are_due_at_their_time(
    valkey_url: str, make: MakeExpiries, client: Any
) -> None:
    """
    Beside snapshots and failed look-ups; not a millisecond before, the soonest first.
    """
    expiries = make()
    async with running_worker(valkey_url) as worker:
        worker.live.publish([], [], [hold(2, after_s=2), hold(1, after_s=1.0005)])
        await until(lambda: client.zcard(KEY) == 2)
    early = await taken(expiries, after_s=1)
    first = await taken(expiries, after_s=1.001)
    both = await taken(expiries, after_s=2)

    assert [] == early.hold_ids
    assert NOW + timedelta(seconds=1.001) == early.next_at
    assert [id_of(1)] == first.hold_ids
    assert [id_of(2)] == both.hold_ids


async def test_ended_holds_are_taken_out(
    valkey_url: str, make: MakeExpiries, client: Any
) -> None:
    """
    By the publish that tells it, and by the clerk that found it out.
    """
    async with running_worker(valkey_url) as worker:
        worker.live.publish([], [], [hold(1), hold(2), hold(3)])
        await until(lambda: client.zcard(KEY) == 3)
        worker.live.publish([], [], [hold(2, state=HoldState.CAPTURED)])
        await until(lambda: client.zcard(KEY) == 2)
    due = await make().take_due(NOW, limit=9, ended=[id_of(3)])

    assert due is not None
    assert [id_of(1)] == due.hold_ids


async def test_what_was_taken_comes_again_after_its_lease(
    make: MakeExpiries,
) -> None:
    """
    One clerk gets it; if that one is gone, the next does.
    """
    one, two = make("one"), make("two")
    await one.load(standing(1), Page.MORE)

    assert [id_of(1)] == (await taken(one)).hold_ids
    assert [] == (await taken(two)).hold_ids
    assert [id_of(1)] == (await taken(two, after_s=LEASE_S)).hold_ids


async def test_no_more_is_given_than_asked_for(make: MakeExpiries) -> None:
    """
    The rest stays due.
    """
    expiries = make()
    await expiries.load(standing(*range(5)), Page.MORE)
    first = await taken(expiries, limit=3)
    rest = await taken(expiries, limit=3)

    assert (3, 2) == (len(first.hold_ids), len(rest.hold_ids))
    assert NOW == first.next_at


async def test_a_load_is_marked_by_its_last_page(
    make: MakeExpiries, client: Any
) -> None:
    """
    Until then nobody takes it for all there is; after FLUSHALL nobody does either.
    """
    expiries = make()
    states = [(await taken(expiries)).loaded]
    for page, holds in (
        (Page.FIRST, standing(1, 2)),
        (Page.NEXT, standing(3)),
        (Page.LAST, []),
    ):
        assert await expiries.load(holds, page)
        states.append((await taken(expiries, limit=0)).loaded)
    kept = client.zcard(KEY)
    client.flushall()
    states.append((await taken(expiries)).loaded)

    assert 3 == kept
    assert states == [
        *(Loaded.LOST, Loaded.LOADING, Loaded.LOADING),
        *(Loaded.ALL, Loaded.LOST),
    ]


async def test_a_loss_on_the_way_ends_the_load(make: MakeExpiries, client: Any) -> None:
    """
    Pages that were lost are never marked as there.
    """
    expiries = make()
    assert await expiries.load(standing(1), Page.FIRST)
    client.flushall()

    assert not await expiries.load(standing(2), Page.NEXT)
    assert not await expiries.load([], Page.LAST)
    assert Loaded.LOST is (await taken(expiries)).loaded


async def test_two_clerks_do_not_load_against_each_other(make: MakeExpiries) -> None:
    """
    Who comes second waits; who began ends.
    """
    one, two = make("one"), make("two")

    assert await one.load(standing(1), Page.FIRST)
    assert not await two.load(standing(1), Page.FIRST)
    assert await one.load([], Page.LAST)
    assert Loaded.ALL is (await taken(two)).loaded


async def test_a_load_leaves_a_lease_as_it_is(make: MakeExpiries) -> None:
    """
    What somebody is about to release is not given to another.
    """
    expiries = make()
    await expiries.load(standing(1), Page.MORE)
    await taken(expiries)
    await expiries.load(standing(1), Page.MORE)

    assert [] == (await taken(expiries)).hold_ids


async def test_the_soonest_are_kept(
    valkey_url: str, make: MakeExpiries, client: Any
) -> None:
    """
    The bound holds whoever puts them in, and all of it is forgotten in the end.
    """
    options = replace(OPTIONS, expiries_limit=3)
    expiries = make(options=options)
    await expiries.load(standing(1, 2, after_s=50), Page.MORE)
    async with running_worker(valkey_url, options=options) as worker:
        worker.live.publish([], [], [hold(9, after_s=90), hold(3, after_s=3)])
        await until(lambda: client.zscore(KEY, id_of(3).hex()) is not None)

    assert client.zscore(KEY, id_of(9).hex()) is None
    assert 3 == client.zcard(KEY)
    assert 0 < client.pttl(KEY) <= options.expiries_ttl_ms


async def test_another_run_of_the_server_knows_nothing(
    make: MakeExpiries, client: Any
) -> None:
    """
    A mark that came back from a file is of another run: what came since is not there.
    """
    expiries = make()
    assert await expiries.load(standing(1), Page.FIRST)
    assert await expiries.load([], Page.LAST)
    client.set(MARK, "0" * 40)

    assert Loaded.LOST is (await taken(expiries)).loaded


async def test_holds_wait_for_redis_to_come_back(
    data_folder: Path, make: MakeExpiries
) -> None:
    """
    Unlike snapshots they do not age: placed while it was away, they are there after.
    """
    with running_valkey(data_folder) as server:
        expiries = make(url=server.url)
        async with running_worker(server.url) as worker:
            server.stop()
            assert await expiries.take_due(NOW, limit=9, ended=()) is None
            worker.live.publish([], [], [hold(1), hold(2, state=HoldState.EXPIRED)])
            await until(lambda: "call_failed" in worker.events)
            server.start()
            with server_client(server.url) as client:
                await until(lambda: client.exists(KEY) == 1)
                assert [id_of(1).hex()] == client.zrange(KEY, 0, -1)


async def test_foreign_members_do_not_stop_the_clerk(
    make: MakeExpiries, client: Any
) -> None:
    """
    What somebody else wrote there is no hold; the others are given.
    """
    expiries = make()
    await expiries.load(standing(1), Page.MORE)
    client.zadd(KEY, {"a hold": 5, "00ff": 6})

    assert [id_of(1)] == (await taken(expiries)).hold_ids
