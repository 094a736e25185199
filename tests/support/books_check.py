"""
What must hold in the books after every test, whatever it did.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.books.check import Violation, check_books


def require_sound_books(owner_dsn: str) -> None:
    """
    Fail with every rule that is broken, and the rows that break it.
    """

    def check() -> list[Violation]:
        return asyncio.run(check_books(owner_dsn))

    # A thread of its own, because the test may have a loop that runs.
    with ThreadPoolExecutor(max_workers=1) as thread:
        violations = thread.submit(check).result()
    if violations:
        told = [f"{one.about} {one.rows[:3]}" for one in violations]
        pytest.fail("\n".join(["the books do not hold:", *told]), pytrace=False)
