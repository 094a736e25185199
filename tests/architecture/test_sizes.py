"""
Files and functions stay small enough to be read in one go.
"""

import ast
from collections.abc import Iterator

from tests.architecture.tree import refuse, syntax_of, text_of, written_files

FILE_LINES = 400
FILE_LINES_EVER = 2_000
FUNCTION_LINES = 70

# A file that reads better whole: its path, and why.
LONGER_FILES: dict[str, str] = {
    "gateway/books/schema.sql": "the whole schema in one place is its purpose",
    "proto/scrip/v1/card_service.proto": "the service and its messages, for a reader",
}


def long_functions(module: ast.Module) -> Iterator[tuple[str, int]]:
    """
    Find the functions that are too long: their names and lengths.
    """
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.name, lines


def test_files_are_at_most_400_lines() -> None:
    """
    No file has more than 400 lines, unless it is listed with a reason.
    """
    problems = []
    for path in written_files(".py", ".pyi", ".sql", ".lua", ".proto"):
        lines = text_of(path).count("\n")
        limit = FILE_LINES_EVER if path.as_posix() in LONGER_FILES else FILE_LINES
        if lines > limit:
            problems.append(f"{path}: {lines} lines, at most {limit}")

    refuse(problems, "Split the file by what it decides: one class or use case a file.")


def test_listed_longer_files_are_longer() -> None:
    """
    The list of longer files holds no file that is gone or short again.
    """
    lengths = {
        path.as_posix(): text_of(path).count("\n")
        for path in written_files()
        if path.as_posix() in LONGER_FILES
    }
    problems = [name for name in LONGER_FILES if lengths.get(name, 0) <= FILE_LINES]

    refuse(problems, "Take these out of LONGER_FILES: they need no exception.")


def test_functions_are_at_most_70_lines() -> None:
    """
    No function has more than 70 lines, its docstring included.
    """
    problems = [
        f"{path}: {name} has {lines} lines, at most {FUNCTION_LINES}"
        for path in written_files(".py")
        for name, lines in long_functions(syntax_of(path))
    ]

    refuse(problems, "Keep the branches, and move what each does into a function.")


def test_a_long_function_is_found() -> None:
    """
    A method of 71 lines is found, a function of 70 is not.
    """
    method = ["class A:", "    async def long(self):", *["        x = 1"] * 70]
    function = ["def short():", *["    x = 1"] * 69]
    module = ast.parse("\n".join([*method, *function]))

    assert [("long", 71)] == list(long_functions(module))
