"""
ARCHITECTURE.md says where each invariant is held: the names in it are real.
"""

import re
from pathlib import Path

import pytest

from gateway.books.check import RULES
from tests.architecture.tree import text_of

PAGE = text_of(Path("ARCHITECTURE.md"))
SCHEMA = text_of(Path("gateway/books/schema.sql"))
INVARIANTS = PAGE.partition("## Invariants\n")[2].partition("\n## ")[0]
NAME = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
CHECKS = {rule.removeprefix("check_") for rule in RULES}


@pytest.mark.parametrize("rule", sorted(CHECKS))
def test_each_rule_of_the_check_stands_at_an_invariant(rule: str) -> None:
    """
    Whoever reads a broken rule finds what it is about.
    """
    assert f"`{rule}`" in INVARIANTS


def test_names_at_invariants_are_of_the_check_or_of_the_schema() -> None:
    """
    A constraint or a rule that is named exists.
    """
    fields = {"current_state", "synchronous_commit"}
    unknown = [
        name
        for name in NAME.findall(INVARIANTS)
        if name not in CHECKS
        and name not in fields
        and not re.search(rf"\b{name}\b", SCHEMA)
    ]

    assert unknown == []
