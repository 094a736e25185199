from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from currency import RateImportError
from currency.importers.problem_log import ProblemLog
from currency.importers.source_file import MAX_FILE_BYTES, Row, read_rows


def rows(source: Path | bytes) -> list[Row]:
    """
    Read all rows, whatever faults they have.
    """
    return list(read_rows(source, ProblemLog()))


def zipped(**files: bytes) -> bytes:
    """
    Pack files; `_` in a keyword stands for the point.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def test_rows_come_with_the_line_they_end_on() -> None:
    """
    Blank lines and line ends inside quotes count, so the number is the editor's.
    """
    found = rows(b'a,b\r\n\r\n"c\nd",e\n')

    assert found == [Row(1, ["a", "b"]), Row(4, ["c\nd", "e"])]


def test_a_file_plain_or_zipped_gives_the_same_rows(tmp_path: Path) -> None:
    """
    The bank offers its history as a zip file of one CSV.
    """
    plain, packed = tmp_path / "a.csv", tmp_path / "a.zip"
    plain.write_bytes(b"a,b\n")
    packed.write_bytes(zipped(readme_txt=b"x", rates_CSV=b"a,b\n"))

    assert rows(plain) == rows(packed) == [Row(1, ["a", "b"])]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(a_csv=b"", b_csv=b""), "holds 2 .csv files: give one"),
        (zipped(a_txt=b""), "holds 0 .csv files"),
        (b"PK\x03\x04 damaged", "damaged or locked"),
        (zipped(a_csv=b"hello" * 99)[:-30], "damaged or locked"),
        (zipped(a_csv=b"0" * (MAX_FILE_BYTES + 1)), "this is no file of rates"),
        (b"0" * (MAX_FILE_BYTES + 1), "this is no file of rates"),
        (b"a,\xff\n", "byte 2 is not UTF-8"),
    ],
)
def test_what_is_no_text_of_rates_is_refused(content: bytes, message: str) -> None:
    """
    A wrong file, a cut download and a zip bomb each get a clear word.
    """
    with pytest.raises(RateImportError) as raised:
        rows(content)

    assert message in str(raised.value)
    assert raised.value.problems[0].line == 0


def test_a_damaged_member_is_refused() -> None:
    """
    A flipped bit in the packed data is found, not read as other rates.
    """
    packed = bytearray(zipped(a_csv=b"1.0299,161.84\n" * 50))
    packed[45] ^= 0xFF

    with pytest.raises(RateImportError, match="damaged or locked"):
        rows(bytes(packed))


def test_a_locked_zip_file_is_refused() -> None:
    """
    We have no password to give.
    """
    packed = bytearray(zipped(a_csv=b"a,b\n"))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(RateImportError, match="damaged or locked"):
        rows(bytes(packed))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """
    The message has the path that was asked for and the system's reason.
    """
    with pytest.raises(RateImportError, match=r"cannot read .*no\.csv: No such file"):
        rows(tmp_path / "no.csv")
