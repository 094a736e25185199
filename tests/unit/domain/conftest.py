"""
Whatever a test of the domain decides can be explained.
"""

from collections.abc import Iterator

import pytest

from gateway.domain import decide as decisions
from gateway.domain.commands import Command
from gateway.domain.decision import View
from gateway.domain.originals import Original
from gateway.domain.seen import Seen, seen_of
from tests.support.explaining import require_explainable

# A property test decides more than there is time to explain.
_MOST = 200


@pytest.fixture(autouse=True)
def everything_is_explained(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Explain each decision of the test, at its end.
    """
    asked: list[tuple[Command, View, Original | None]] = []

    def noting(command: Command, view: View, original: Original | None) -> Seen:
        if len(asked) < _MOST:
            asked.append((command, view, original))
        return seen_of(command, view, original)

    monkeypatch.setattr(decisions, "seen_of", noting)
    yield
    monkeypatch.undo()
    for command, view, original in asked:
        require_explainable(command, view, original)
