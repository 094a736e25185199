"""
CSV files of people: every fault at once, within bounds.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.console import csv_file
from gateway.console.csv_file import MAX_PROBLEMS, CsvFaults, CsvRow, read_csv
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code, read_country


def rows_of(path: Path, faults: CsvFaults | None = None) -> Iterator[CsvRow]:
    """
    Read a file with a code that must, and a country that may be there.
    """
    faults = faults or CsvFaults(path)
    return read_csv(path, faults, required=("code",), optional=("country",))


def written(tmp_path: Path, content: str | bytes) -> Path:
    """
    Write a file.
    """
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_cells_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    """
    With a byte order mark, CRLF, blank lines, blanks around cells and quotes.
    """
    path = written(
        tmp_path, '\ufeffcountry,code\r\n KW , one \r\n\r\n , \r\n"LB","two"\r\n'
    )

    assert [(2, "one", "KW"), (5, "two", "LB")] == [
        (row.line, row.read("code", read_code), row.read("country", read_country))
        for row in rows_of(path)
    ]


def test_what_is_optional_has_a_default(tmp_path: Path) -> None:
    """
    An empty cell and an absent column have it; a wrong cell is a fault.
    """
    with_column = written(tmp_path, "code,country\none,\ntwo,kw\n")
    faults = CsvFaults(with_column)

    assert ["XX", None] == [
        row.read_optional("country", read_country, "XX")
        for row in rows_of(with_column, faults)
    ]
    with pytest.raises(BadInputError) as refused:
        faults.raise_if_any()
    assert ["line 3, country: 'kw' is no country"] == [
        line.partition(":")[0] + ": 'kw' is no country" for line in refused.value.lines
    ]
    without = written(tmp_path, "code\none\n")
    assert ["XX"] == [
        row.read_optional("country", read_country, "XX") for row in rows_of(without)
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "lacks 'code'"),
        ("country\nKW\n", "lacks 'code'"),
        ("code,colour\none,red\n", "has the unknown 'colour'"),
        ("code,code\none,two\n", "has twice 'code'"),
        ("code\n", "has no row below its header"),
        ("code\n\n\n", "has no row below its header"),
        (b"code\n\xff\n", "byte 5 is not UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    """
    The file and the remedy are named.
    """
    path = written(tmp_path, content)
    with pytest.raises(BadInputError) as refused:
        list(rows_of(path))

    assert str(path) in refused.value.message
    assert said in "\n".join([refused.value.message, *refused.value.lines])
    assert 2 == refused.value.exit_code


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """
    So is a folder.
    """
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadInputError, match="cannot be read"):
            list(rows_of(path))


def test_a_file_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Too many bytes or rows are refused before they fill the memory.
    """
    path = written(tmp_path, "code\none\ntwo\n")
    monkeypatch.setattr(csv_file, "MAX_ROWS", 1)
    with pytest.raises(BadInputError, match="more than 1 rows"):
        list(rows_of(path))
    monkeypatch.setattr(csv_file, "MAX_FILE_BYTES", 5)
    with pytest.raises(BadInputError, match="more than 5 bytes"):
        list(rows_of(path))


def test_rows_that_are_no_rows_are_faults(tmp_path: Path) -> None:
    """
    Too many cells are passed over; an open quote ends the reading.
    """
    path = written(tmp_path, 'code\none,two\nthree\n"four\n')
    faults = CsvFaults(path)

    assert ["three"] == [row.read("code", read_code) for row in rows_of(path, faults)]
    with pytest.raises(BadInputError) as refused:
        faults.raise_if_any()
    assert [
        "line 2, row: has 2 cells: give 1, as the header has",
        "line 4, row: is no CSV (unexpected end of data): check its quotes",
    ] == list(refused.value.lines)


def test_faults_are_told_up_to_a_bound(tmp_path: Path) -> None:
    """
    A file of another kind has a fault in each line: reading ends after fifty.
    """
    path = written(tmp_path, "code\n" + "A\n" * 1_000)
    faults = CsvFaults(path)
    read = [row.read("code", read_code) for row in rows_of(path, faults)]

    assert [None] * (MAX_PROBLEMS + 1) == read
    with pytest.raises(BadInputError) as refused:
        faults.raise_if_any()
    assert MAX_PROBLEMS + 1 == len(refused.value.lines)
    assert "there are more; repair these and import again" == refused.value.lines[-1]
