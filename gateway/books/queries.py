"""
The SQL of the books, read once from `sql/*.sql`.

A file holds several queries, each under a line `-- name: …` and a comment on what it is
for and which index it uses. Parameters are written `%(name)s`. Queries of the money
path are sent as prepared statements, so each is also kept with numbered parameters.
"""

import re
from dataclasses import dataclass
from importlib import resources
from itertools import takewhile
from typing import Final, LiteralString, cast

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^\s*--.*\n", re.MULTILINE)
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """
    One statement, its parameters by name, and what it says of itself.

    `text` is for psycopg, `numbered` for a prepared statement, whose n-th parameter is
    `parameters[n - 1]`.
    """

    name: str
    about: str
    text: LiteralString
    numbered: bytes
    parameters: tuple[str, ...]


def parse_queries(source: str) -> dict[str, Query]:
    """
    Split the text of one file into its queries.

    Raises:
        ValueError: a name stands twice, or a query has no comment or no statement.

    """
    _, *pieces = _NAME.split(source)
    queries: dict[str, Query] = {}
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        comment = takewhile(_is_comment, body.strip().splitlines())
        about = " ".join(line.removeprefix("--").strip() for line in comment)
        # A file of our own package is as literal as a string in this one. mypy takes
        # LiteralString for str; basedpyright does not.
        text = cast("LiteralString", _COMMENT.sub("", body).strip())  # type: ignore[redundant-cast]
        if name in queries or not about or not text:
            message = f"query {name}: twice, without a comment, or empty"
            raise ValueError(message)
        queries[name] = _query(name, about, text)
    return queries


def _is_comment(line: str) -> bool:
    return line.startswith("--")


def _query(name: str, about: str, text: LiteralString) -> Query:
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    numbered = _PARAMETER.sub(
        lambda match: f"${parameters.index(match[1]) + 1}", text
    ).replace("%%", "%")
    return Query(
        name=name,
        about=about,
        text=text,
        numbered=numbered.encode(),
        parameters=parameters,
    )


def _read_all() -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for file in resources.files("gateway.books").joinpath("sql").iterdir():
        if file.name.endswith(".sql"):
            found = parse_queries(file.read_text(encoding="utf-8"))
            twice = queries.keys() & found.keys()
            if twice:
                message = (
                    f"{file.name}: {', '.join(sorted(twice))} stands elsewhere too"
                )
                raise ValueError(message)
            queries |= found
    return queries


QUERIES: Final = _read_all()
