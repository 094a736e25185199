"""
The limit of open files is raised as far as it may be, and never lowered.
"""

import resource

import pytest

from gateway.runtime.open_files import WANTED, allow_open_files

UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [
        (1_024, 524_288, WANTED),
        (1_024, 4_096, 4_096),
        (1_024, UNLIMITED, WANTED),
        (100_000, 524_288, 100_000),
        (UNLIMITED, UNLIMITED, UNLIMITED),
        (1_024, 1_024, 1_024),
    ],
)
def test_it_is_raised_to_what_may_be(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, expected: int
) -> None:
    """
    Up to the hard limit, or what any process could use.
    """
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: asked.append(both))

    assert expected == allow_open_files()
    assert asked == ([] if soft == expected else [(expected, hard)])


def test_a_system_that_grants_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The limit stays what it was; the worker serves with it.
    """

    def refuse(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, UNLIMITED))
    monkeypatch.setattr(resource, "setrlimit", refuse)

    assert allow_open_files() == 256
