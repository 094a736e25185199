"""
Get the rows of a file of rates, within bounds.

Such a file comes from outside: it may be a disk image by mistake or a zip bomb.
"""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from currency.errors import RateImportError
from currency.importers.problem_log import ProblemLog

# The whole ECB history since 1999 has two million bytes.
MAX_FILE_BYTES: Final = 32 * 1024 * 1024

_ZIP_MAGIC: Final = b"PK\x03\x04"
# Only these unpack piece by piece; of bzip2 and LZMA all comes at once, however much.
_BOUNDED_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# What zipfile lets through of a damaged file, from itself and from what it calls.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class Row(NamedTuple):
    """
    Be one row of a CSV file and the line it ends on.
    """

    line: int
    cells: list[str]


def read_rows(source: Path | bytes, log: ProblemLog) -> Iterator[Row]:
    """
    Give the rows that are not blank; a row that is no CSV is a fault and the last.
    """
    reader = csv.reader(io.StringIO(_read_text(source), newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield Row(reader.line_num, cells)
    except csv.Error as error:
        log.add(reader.line_num, "row", f"is not CSV ({error}): check its quotes")


def _read_text(source: Path | bytes) -> str:
    """
    Give the text of a file or of the one CSV inside a zip file.
    """
    content = _read_file(source) if isinstance(source, Path) else source
    _require_bound(len(content))
    if content.startswith(_ZIP_MAGIC):
        content = _unzip(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RateImportError.of_file(
            f"byte {error.start} is not UTF-8: save the file as UTF-8 text"
        ) from error


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise RateImportError.of_file(
            f"cannot read {path}: {error.strerror}"
        ) from error


def _unzip(content: bytes) -> bytes:
    try:
        return _read_member(content)
    except RateImportError:
        raise
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise RateImportError.of_file(
            f"the zip file is damaged or locked ({reason}): fetch it again"
        ) from error


def _read_member(content: bytes) -> bytes:
    """
    Unpack the one CSV of a zip file, not further than the bound.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [
            member
            for member in archive.infolist()
            if member.filename.lower().endswith(".csv")
        ]
        if len(members) != 1:
            raise RateImportError.of_file(
                f"the zip file holds {len(members)} .csv files: give one"
            )
        (member,) = members
        if member.compress_type not in _BOUNDED_METHODS:
            raise RateImportError.of_file(
                f"the zip file is packed by method {member.compress_type}, whose "
                "size is not known before it is unpacked: pack it with deflate"
            )
        with archive.open(member) as file:
            unpacked = file.read(MAX_FILE_BYTES + 1)
    _require_bound(len(unpacked))
    return unpacked


def _require_bound(size_bytes: int) -> None:
    if size_bytes > MAX_FILE_BYTES:
        raise RateImportError.of_file(
            f"more than {MAX_FILE_BYTES} bytes: this is no file of rates"
        )
