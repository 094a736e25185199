"""
Read a CSV file that somebody wrote by hand or from a spreadsheet.

All faults are gathered, up to a bound, and one fault imports nothing: half a list of
stores is worse than none.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from gateway.console.faults import BadInputError, FieldError

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 1_000_000
MAX_PROBLEMS: Final = 50

Value = TypeVar("Value")


class CsvFaults:
    """
    Gather the faults of one file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[tuple[int, str]] = []
        self._more = False

    @property
    def full(self) -> bool:
        """
        Tell whether a fault came that no longer fits: reading on is of no use.
        """
        return self._more

    def add(self, line: int, field: str, message: str) -> None:
        """
        Keep one fault, or only that there are more.
        """
        if len(self._faults) < MAX_PROBLEMS:
            self._faults.append((line, f"line {line}, {field}: {message}"))
        else:
            self._more = True

    def raise_if_any(self) -> None:
        """
        Refuse the file when it has a fault.
        """
        if not self._faults:
            return
        in_order = sorted(self._faults, key=lambda fault: fault[0])
        lines = [text for _, text in in_order]
        if self._more:
            lines = [*lines, "there are more; repair these and import again"]
        raise BadInputError(f"{self._path}: nothing was imported", lines)


class CsvRow:
    """
    Read the cells of one row by their columns' names.
    """

    def __init__(self, line: int, cells: dict[str, str], faults: CsvFaults) -> None:
        self.line = line
        self._cells = cells
        self._faults = faults
        self.is_good = True

    def read(self, field: str, reader: Callable[[str], Value]) -> Value | None:
        """
        Read one cell, or note its fault and give None.
        """
        text = self._cells.get(field, "")
        if not text:
            self.refuse(field, "is empty: fill it in")
            return None
        return self._read(field, text, reader)

    def read_optional(
        self, field: str, reader: Callable[[str], Value], default: Value
    ) -> Value | None:
        """
        Read one cell; an empty or absent one has the default.
        """
        text = self._cells.get(field, "")
        return self._read(field, text, reader) if text else default

    def has(self, field: str) -> bool:
        """
        Tell whether a cell holds anything.
        """
        return bool(self._cells.get(field))

    def refuse(self, field: str, message: str) -> None:
        """
        Note a fault of the row.
        """
        self.is_good = False
        self._faults.add(self.line, field, message)

    def _read(
        self, field: str, text: str, reader: Callable[[str], Value]
    ) -> Value | None:
        try:
            return reader(text)
        except FieldError as error:
            self.refuse(field, error.message)
            return None


def read_csv(
    path: Path,
    faults: CsvFaults,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
) -> Iterator[CsvRow]:
    """
    Give the rows of a file whose header names these columns, in any order.

    Blank lines are passed over. A fault of the file as a whole raises at once.
    """
    reader = csv.reader(io.StringIO(_text_of(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, required=required, optional=optional)
        count = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS or faults.full:
                break
            if len(cells) != len(header):
                faults.add(
                    reader.line_num,
                    "row",
                    f"has {len(cells)} cells: give {len(header)}, as the header has",
                )
                continue
            named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            yield CsvRow(reader.line_num, named, faults)
    except csv.Error as error:
        faults.add(reader.line_num, "row", f"is no CSV ({error}): check its quotes")
    else:
        if count > MAX_ROWS:
            raise BadInputError(f"{path}: more than {MAX_ROWS} rows: split the file")
        if not count:
            raise BadInputError(f"{path}: has no row below its header: add one")


def _check_header(
    path: Path,
    header: Sequence[str],
    *,
    required: Sequence[str],
    optional: Sequence[str],
) -> None:
    wanted = ",".join(required)
    allowed = f" and may have {','.join(optional)}" if optional else ""
    remedy = f"write {wanted}{allowed}"
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in {*required, *optional}]
    twice = sorted({name for name in header if header.count(name) > 1})
    faults = [
        f"line 1, header: {what} {', '.join(map(ascii, names))[:200]}: {remedy}"
        for what, names in (
            ("lacks", missing),
            ("has the unknown", unknown[:MAX_PROBLEMS]),
            ("has twice", twice),
        )
        if names
    ]
    if faults:
        raise BadInputError(f"{path}: nothing was imported", faults)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read ({error.strerror}): name a CSV file"
        ) from error
    if len(content) > MAX_FILE_BYTES:
        raise BadInputError(f"{path}: more than {MAX_FILE_BYTES} bytes: split the file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8 text"
        ) from error
