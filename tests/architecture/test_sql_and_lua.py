"""
SQL and Lua live in files of their own, and every one of them is used.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import (
    SHIPPED,
    refuse,
    repository_files,
    syntax_of,
    text_of,
    written_files,
)

BOOKS_SQL = "gateway/books/sql"

# How a statement of SQL begins.
STATEMENT = re.compile(
    r"\s*(?:"
    r"SELECT\b.*\bFROM\b|INSERT\s+INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|"
    r"TRUNCATE\b|MERGE\s+INTO\b|COPY\s+\S+\s+(?:FROM|TO)\b|LOCK\s+TABLE\b|"
    r"WITH\s+\w+\s+AS\b|(?:GRANT|REVOKE)\s.*\b(?:TO|FROM|ON)\b|"
    r"(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?"
    r"(?:TABLE|INDEX|VIEW|FUNCTION|ROLE|USER|DATABASE|SCHEMA|TYPE|TRIGGER|EXTENSION)\b"
    r")",
    re.DOTALL | re.IGNORECASE,
)
REDIS_SCRIPT = re.compile(r"redis\.(?:p?call|register_function)\s*[({]")
QUERY_NAME = re.compile(r"^-- (?:name:\s*)?(\w+)(?: --)?$", re.MULTILINE)


def is_sql(text: str) -> bool:
    """
    Tell whether a string is a statement, and not a sentence that begins like one.
    """
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return (first.isupper() or first.islower()) and bool(STATEMENT.match(text))


def embedded_code(module: ast.Module) -> Iterator[tuple[int, str]]:
    """
    Find strings that are SQL or Lua: their lines and first words.

    A template whose names are composed by psycopg (`sql.SQL("create role {}")`)
    cannot stand in a file and is let through; so are docstrings.
    """
    composed: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("SQL"):
            composed |= {id(part) for part in node.args if "{}" in ast.unparse(part)}
        if isinstance(node, ast.Expr):
            composed.add(id(node.value))
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_code = is_sql(node.value) or REDIS_SCRIPT.search(node.value)
            if is_code and id(node) not in composed:
                yield node.lineno, " ".join(node.value.split())[:60]


def strings_and_names(path: Path) -> set[str]:
    """
    Collect every word that a module could name a query or a script by.
    """
    words: set[str] = set()
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words |= set(re.findall(r"\w+", node.value))
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.Name):
            words.add(node.id)
    return words


def words_in_python() -> set[str]:
    """
    Collect the words of all shipped modules.
    """
    return {
        word
        for path in written_files(".py", under=SHIPPED)
        for word in strings_and_names(path)
    }


def test_python_holds_no_sql_and_no_lua() -> None:
    """
    No string in Python is a statement of SQL or a Redis script.
    """
    problems = [
        f"{path}:{line}: {code}"
        for path in written_files(".py", under=SHIPPED)
        for line, code in embedded_code(syntax_of(path))
    ]

    refuse(problems, "Move it to a .sql or .lua file that is loaded as package data.")


def test_every_query_is_used() -> None:
    """
    Each named query is named by some module.
    """
    used = words_in_python()
    problems = [
        f"{path}: {name}"
        for path in written_files(".sql", under=(BOOKS_SQL,))
        for name in QUERY_NAME.findall(text_of(path))
        if name not in used
    ]

    refuse(problems, "Remove the query, or use it.")


def test_every_script_is_used() -> None:
    """
    Each Lua function or file is named by some module.
    """
    used = words_in_python()
    problems = [str(path) for path in written_files(".lua") if path.stem not in used]

    refuse(problems, "Remove the script, or load it.")


def test_sql_and_lua_lie_where_they_are_loaded_from() -> None:
    """
    No SQL or Lua file lies outside the folders that are read at start.
    """
    loaded = (
        "gateway/books/sql",
        "gateway/books/migrations",
        "gateway/live/lua",
        "loadtests",
        "tests",
    )
    problems = [
        str(path)
        for path in repository_files()
        if path.suffix in {".sql", ".lua"}
        and not any(path.is_relative_to(folder) for folder in loaded)
        and path.name != "schema.sql"
    ]

    refuse(problems, f"Nothing reads SQL or Lua outside {', '.join(loaded)}.")


def test_statements_are_told_from_sentences() -> None:
    """
    Statements are found in either case; help texts and docstrings are not.
    """
    assert is_sql("SELECT * FROM card")
    assert is_sql("select balance_minor from card where id = %(id)s")
    assert is_sql("\n  update card set state = 'BLOCKED'")
    assert not is_sql("Select a card from the list.")
    assert not is_sql("update the card")
    assert not is_sql("Create table cloths from silk.")
    module = ast.parse(
        '"""\ndelete from card\n"""\n'
        'a = sql.SQL("create role {} login").format(name)\n'
        'b = sql.SQL("create role gateway login")\n'
        "c = \"return redis.call('GET', KEYS[1])\"\n"
    )

    assert [5, 6] == sorted(line for line, _ in embedded_code(module))
