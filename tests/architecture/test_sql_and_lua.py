"""
SQL and Lua live in files of their own, and every one of them is used.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.tree import (
    SHIPPED,
    refuse,
    syntax_of,
    text_of,
    written_files,
)

# Data of a package, read by name from its folder `sql` or `lua`; migrations are read
# in order by the runner, and schema.sql is read by people and one test.
MIGRATIONS = "gateway/books/migrations"
SCHEMA = "schema.sql"

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
# A query's header is `-- name --` or `-- name: name`.
QUERY_NAME = re.compile(r"^-- (?:name:\s*(\w+)|(\w+) --)\s*$", re.MULTILINE)
FUNCTION_NAME = re.compile(
    r"register_function\s*[({]\s*(?:function_name\s*=\s*)?['\"](\w+)['\"]"
)


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


def package_data(folder: str, suffix: str) -> Iterator[Path]:
    """
    List the SQL or Lua files that some package reads by name.
    """
    for path in written_files(suffix, under=SHIPPED):
        if path.parent.name == folder and path.name != SCHEMA:
            yield path


@cache
def words_in(package: Path) -> set[str]:
    """
    Collect every word that a package could name a query or a script by.

    Docstrings and comments do not count: to be told of is not to be used.
    """
    words: set[str] = set()
    for path in written_files(".py", under=(str(package),)):
        module = syntax_of(path)
        prose = {
            id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)
        }
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) not in prose:
                    words |= set(re.findall(r"\w+", node.value))
            elif isinstance(node, ast.Attribute):
                words.add(node.attr)
            elif isinstance(node, ast.Name):
                words.add(node.id)
    return words


def query_names(path: Path, text: str) -> list[str]:
    """
    List the queries of a file by their headers; without any, the file is one query.
    """
    names = [left or right for left, right in QUERY_NAME.findall(text)]
    return names or [path.stem]


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
    Each query is named by the package that holds it.
    """
    problems = [
        f"{path}: {name}"
        for path in package_data("sql", ".sql")
        for name in query_names(path, text_of(path))
        if name not in words_in(path.parent.parent)
    ]

    refuse(problems, "Remove the query, or use it.")


def test_every_script_is_used() -> None:
    """
    Each Lua file, and each function it registers, is named by its package.
    """
    problems = [
        f"{path}: {name}"
        for path in package_data("lua", ".lua")
        for name in (path.stem, *FUNCTION_NAME.findall(text_of(path)))
        if name not in words_in(path.parent.parent)
    ]

    refuse(problems, "Remove the script, or call it.")


def test_sql_and_lua_lie_where_they_are_loaded_from() -> None:
    """
    No SQL or Lua of a package lies outside the folders that it reads.
    """
    known = {*package_data("sql", ".sql"), *package_data("lua", ".lua")}
    problems = [
        str(path)
        for path in written_files(".sql", ".lua", under=SHIPPED)
        if path not in known and path.name != SCHEMA
        if not path.is_relative_to(MIGRATIONS)
    ]

    refuse(problems, "Put it into the package's folder `sql` or `lua`.")


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


def test_headers_are_told_from_comments() -> None:
    """
    Both forms of a query's header are read; an ordinary comment is none.
    """
    text = "-- lock_cards --\n-- Locks.\n-- cards\nselect 1\n-- name: read_clock\n"
    script = "redis.register_function{ function_name = 'admit', callback = admit }"

    assert ["lock_cards", "read_clock"] == query_names(Path("cards.sql"), text)
    assert ["cards"] == query_names(Path("cards.sql"), "-- Cards.\nselect 1\n")
    assert ["admit"] == FUNCTION_NAME.findall(script)
