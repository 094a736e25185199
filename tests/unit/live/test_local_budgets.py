from gateway.domain.ids import RequestId, RequestKey, StoreId, TerminalId
from gateway.engine.ports import Admission, FailedLookup
from gateway.live.budgets import Budgets
from gateway.live.local_budgets import Counters, LocalBudgets, RecentIds

BUDGETS = Budgets(
    requests_per_window=3,
    window_ms=1_000,
    failed_lookups_per_terminal=2,
    failed_lookups_per_store=4,
    remember_ms=10_000,
    failed_window_ms=5_000,
)
NOW_MS = 77_000


def request(number: int | None, terminal: int = 1, store: int = 1) -> Admission:
    """
    Make a request with the id of that number, or without an id.
    """
    return Admission(
        TerminalId(terminal),
        StoreId(store),
        None if number is None else RequestId(number.to_bytes(16, "big")),
    )


def failed(terminal: int = 1, store: int = 1) -> FailedLookup:
    """
    Make a failed look-up.
    """
    return FailedLookup(TerminalId(terminal), StoreId(store))


def key(number: int) -> RequestKey:
    """
    Name a request of terminal 1.
    """
    return RequestKey(TerminalId(1), RequestId(number.to_bytes(16, "big")))


def test_the_budget_is_exact_at_its_limit() -> None:
    """
    Three pass, the fourth waits for the end of the window that the first began.
    """
    local = LocalBudgets(BUDGETS)

    assert [0, 0] == local.admit([request(1), request(2)], NOW_MS)
    assert [0, 600] == local.admit([request(3), request(4)], NOW_MS + 400)
    assert [0] == local.admit([request(4)], NOW_MS + 1_000)


def test_a_counted_id_always_passes() -> None:
    """
    A retry passes when budgets are used up, and costs nothing before.
    """
    local = LocalBudgets(BUDGETS)
    local.admit([request(1)] * 9, NOW_MS)
    local.admit([request(2), request(3)], NOW_MS)
    local.count_failed([failed()] * 4, NOW_MS)

    assert [0, 5_000, 0] == local.admit([request(3), request(4), request(1)], NOW_MS)


def test_what_was_refused_was_not_counted() -> None:
    """
    An id that was told to wait is judged again.
    """
    local = LocalBudgets(BUDGETS)
    waits = local.admit([request(n) for n in (1, 2, 3, 4, 4)], NOW_MS)

    assert [0, 0, 0, 1_000, 1_000] == waits


def test_requests_without_an_id_count_each_time() -> None:
    """
    GetBalance without an id has nothing to be recognised by.
    """
    assert [0, 0, 0, 1_000] == LocalBudgets(BUDGETS).admit([request(None)] * 4, NOW_MS)


def test_terminals_have_budgets_and_ids_of_their_own() -> None:
    """
    One terminal's requests do not count at another one's.
    """
    local = LocalBudgets(BUDGETS)
    one = [request(n, terminal=1) for n in range(3)]
    two = [request(n, terminal=2) for n in range(4)]

    assert [0] * 6 + [1_000] == local.admit([*one, *two], NOW_MS)


def test_failed_look_ups_trip_terminal_and_store() -> None:
    """
    Two stop the terminal, four the store; other stores go on.
    """
    local = LocalBudgets(BUDGETS)
    local.count_failed([failed(1), failed(1), failed(2)], NOW_MS)
    assert [5_000, 0] == local.admit([request(1, 1), request(1, 2)], NOW_MS)
    local.count_failed([failed(3)], NOW_MS + 100)

    assert [4_900, 4_900, 0] == local.admit(
        [request(2, 2), request(2, 4), request(2, 5, store=2)], NOW_MS + 100
    )
    assert [0] == local.admit([request(3, 1)], NOW_MS + 5_000)


def test_counters_forget_the_oldest_when_they_are_too_many() -> None:
    """
    Bounded memory: the terminal whose window is oldest gets its budget anew.
    """
    counters = Counters(budget=1, window_ms=1_000, kept=3)
    for number in (1, 2, 3):
        counters.add(number, NOW_MS + number)
    counters.add(1, NOW_MS + 1_500)
    counters.add(4, NOW_MS + 1_501)

    assert len(counters) == 3
    assert counters.wait_ms(1, NOW_MS + 1_502) == 998
    assert counters.wait_ms(2, NOW_MS + 3) == 0
    assert counters.wait_ms(3, NOW_MS + 4) == 999


def test_ids_are_forgotten_when_they_are_old() -> None:
    """
    An id is kept for its time at least, and for twice as long at most under traffic.
    """
    ids = RecentIds(remember_ms=100)
    ids.add(key(1), NOW_MS)
    ids.add(key(2), NOW_MS + 99)
    ids.add(key(3), NOW_MS + 100)
    assert key(1) in ids
    assert key(2) in ids
    ids.add(key(4), NOW_MS + 200)

    assert key(1) not in ids
    assert key(3) in ids


def test_ids_are_forgotten_after_a_long_silence() -> None:
    """
    What is older than twice its time is not kept because nothing came since.
    """
    ids = RecentIds(remember_ms=100)
    ids.add(key(1), NOW_MS)
    ids.add(key(2), NOW_MS + 1_000)

    assert key(1) not in ids


def test_ids_are_bounded_in_number() -> None:
    """
    However many come at once, two sets of limited size remain, with the newest in them.
    """
    ids = RecentIds(remember_ms=60_000, kept=10)
    for number in range(1_000):
        ids.add(key(number), NOW_MS)

    assert len(ids) <= 20
    assert key(999) in ids
    assert key(990) in ids
