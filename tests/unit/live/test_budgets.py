import re
from dataclasses import replace

import pytest

from gateway.live.budgets import Budgets
from gateway.live.options import LiveOptions

BUDGETS = Budgets(
    requests_per_window=6_000,
    window_ms=60_000,
    failed_lookups_per_terminal=30,
    failed_lookups_per_store=100,
    remember_ms=900_000,
)


def test_failed_look_ups_share_the_window_unless_told() -> None:
    """
    Without a window of their own failed look-ups have that of the requests.
    """
    assert BUDGETS.failed_window_ms == 60_000
    assert replace(BUDGETS, failed_window_ms=5_000).failed_window_ms == 5_000


@pytest.mark.parametrize("value", [0, -1, True, 1.5])
@pytest.mark.parametrize("field", ["requests_per_window", "remember_ms", "window_ms"])
def test_a_budget_of_nothing_is_refused(field: str, value: int) -> None:
    """
    A budget that would admit nobody is a mistake, not a setting.
    """
    with pytest.raises(ValueError, match=re.escape(f"{field} must be a whole number")):
        replace(BUDGETS, failed_window_ms=1, **{field: value})


@pytest.mark.parametrize("field", ["timeout_ms", "probe_interval_ms", "pending_limit"])
def test_waits_and_bounds_of_nothing_are_refused(field: str) -> None:
    """
    No time to wait and no place to keep would only look like a broken server.
    """
    with pytest.raises(ValueError, match=f"{field} must be at least 1"):
        LiveOptions(**{field: 0})
