"""
A commit's reply is lost, and its caller is refused before it is found out.
"""

from collections.abc import Callable

import pytest

from gateway.domain.errors import InvariantError, OutcomeUnknownError
from gateway.domain.policy import PartyState
from gateway.engine import runner as engine_runner
from gateway.engine.ports import CommitUnknownError
from tests.support.engine_world import (
    CONTROLLER,
    TILL_2,
    Bench,
    bench,
    kinds,
    lane_policy,
    on_second,
    outcome,
    sales,
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Try again at once: the pauses are for servers.
    """
    monkeypatch.setattr(engine_runner, "_RESOLVE_PAUSE_S", 0)


def losing(lane: Bench, change: Callable[[], None]) -> Callable[[], None]:
    """
    Give a strike that changes something and loses the reply.
    """

    def strike() -> None:
        change()
        message = "the connection was lost"
        raise CommitUnknownError(message)

    return strike


@pytest.mark.parametrize("place", ["committed", "commit"])
async def test_a_device_that_was_revoked_meanwhile_is_told_that_it_is_unknown(
    place: str,
) -> None:
    """
    PERMISSION_DENIED would say that nothing was recorded; the sale may be done.
    """
    lane = bench()

    def revoke() -> None:
        lane.books.rules = lane_policy(2, revoked=True)

    lane.books.strike(place, losing(lane, revoke))
    ours, theirs = sales(2)
    items = [
        lane.item(ours, caller=CONTROLLER),
        lane.item(on_second(theirs), caller=TILL_2),
    ]
    await lane.runner.run(items)

    told, unknown = map(outcome, items)
    assert not isinstance(told, Exception)
    assert told.replayed is (place == "committed")
    assert isinstance(unknown, OutcomeUnknownError)
    assert not lane.observer.alarms


async def test_a_decision_that_fails_meanwhile_is_unknown_and_an_alarm() -> None:
    """
    It decided once and may be committed; that it does not again is our fault.
    """
    lane = bench()

    def break_codes() -> None:
        lane.tools.codes.approval_code = _fail  # type: ignore[method-assign]

    lane.books.strike("commit", losing(lane, break_codes))
    got = await lane.run(*sales(1))

    assert kinds(got) == [OutcomeUnknownError]
    assert [message for message, _ in lane.observer.alarms] == ["a decision failed"]


async def test_a_terminal_that_was_suspended_meanwhile_still_gets_its_answer() -> None:
    """
    Suspended is a check of what is new: what is recorded is answered.
    """
    lane = bench()

    def suspend() -> None:
        lane.books.rules = lane_policy(2, second_terminal=PartyState.SUSPENDED)

    lane.books.strike("committed", losing(lane, suspend))
    (got,) = await lane.run(on_second(sales(1)[0]))

    assert not isinstance(got, Exception)
    assert (got.record.result.name, got.replayed) == ("APPROVED", True)


def _fail(transaction_id: object) -> str:
    raise InvariantError(str(transaction_id))
