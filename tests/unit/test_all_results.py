"""
Every result of the contract is expected of a real gateway, by some end-to-end test.

Those tests say what they expect as `Told(result="...", code="...")`, or as another
`Told` but for that, so their sources tell which results they know.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.domain.results import RESPONSE_CODES, Result
from scrip.v1 import result_pb2

E2E: Final = Path(__file__).resolve().parents[1] / "e2e"
NEVER_SENT: Final = "UNSPECIFIED"
_EXPECTING: Final = frozenset({"Told", "replace"})


def expectations(source: str) -> Iterator[tuple[str, str]]:
    """
    Find what a test expects: the results and their codes.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _EXPECTING:
            words = {
                keyword.arg: keyword.value.value
                for keyword in node.keywords
                if isinstance(keyword.value, ast.Constant)
            }
            if isinstance(words.get("result"), str):
                yield str(words["result"]), str(words.get("code", ""))


def expected_of_a_gateway() -> set[tuple[str, str]]:
    """
    Gather what all end-to-end tests expect.
    """
    return {
        pair
        for path in sorted(E2E.rglob("test_*.py"))
        for pair in expectations(path.read_text(encoding="utf-8"))
    }


def test_every_result_is_expected_of_a_gateway() -> None:
    """
    Each value of the enum Result has a test over the wire, and each with its code.
    """
    contract = {
        name.removeprefix("RESULT_")
        for name in result_pb2.Result.keys()  # noqa: SIM118
    }
    pairs = {(result.name, RESPONSE_CODES[result]) for result in Result}

    assert {name for name, _ in pairs} == contract - {NEVER_SENT}
    assert expected_of_a_gateway() == pairs


def test_expectations_are_found() -> None:
    """
    Results are read off calls of Told and replace, and not off other words.
    """
    source = """
NOTE = "LOST_CARD"
assert told(a) == Told(result="APPROVED", code="00", card="ACTIVE")
assert told(b) == replace(Told(result="DUPLICATE", code="94"), card="")
assert told(c) == Told(result=name, code=code)
assert told(d) == replace(_HELD, result="LOST_CARD", code="41")
"""

    assert set(expectations(source)) == {
        ("APPROVED", "00"),
        ("DUPLICATE", "94"),
        ("LOST_CARD", "41"),
    }
