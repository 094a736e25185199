"""
Money is counted in whole minor units, never measured in binary fractions.
"""

import ast
from collections.abc import Iterator

from tests.architecture.tree import refuse, syntax_of, written_files

EXACT = ("currency", "gateway/domain")
UNDIVIDED = ("gateway/domain",)


def floats(module: ast.Module) -> Iterator[str]:
    """
    Find float and complex literals, and the name `float` however it is used.
    """
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"line {node.lineno}: the literal {node.value!r}"
        elif isinstance(node, ast.Name) and node.id in {"float", "complex"}:
            yield f"line {node.lineno}: {node.id}"


def divisions(module: ast.Module) -> Iterator[str]:
    """
    Find `/`, which makes a float of two whole numbers.
    """
    for node in ast.walk(module):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: a division with /"


def test_currency_and_domain_have_no_float() -> None:
    """
    Neither a float literal nor `float` itself stands where money is decided.
    """
    problems = [
        f"{path}, {problem}"
        for path in written_files(".py", under=EXACT)
        for problem in floats(syntax_of(path))
    ]

    refuse(
        problems, "Use int minor units, and Decimal for rates (currency.conversion)."
    )


def test_domain_does_not_divide() -> None:
    """
    The domain splits and converts through currency, so it has no `/`.
    """
    problems = [
        f"{path}, {problem}"
        for path in written_files(".py", under=UNDIVIDED)
        for problem in divisions(syntax_of(path))
    ]

    refuse(problems, "Use Money.allocate, currency.conversion, or // on whole numbers.")


def test_floats_and_divisions_are_found() -> None:
    """
    A literal, an annotation, a call and both forms of `/` are found.
    """
    module = ast.parse(
        "a: float = 1.0\nb = float('1')\nc = 2 / 1\nc /= 2\nd = 4 // 2\n"
    )

    assert {
        "line 1: float",
        "line 1: the literal 1.0",
        "line 2: float",
    } == set(floats(module))
    assert {
        "line 3: a division with /",
        "line 4: a division with /",
    } == set(divisions(module))
