from __future__ import annotations

import io
import tracemalloc
import zipfile
import zlib
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


def zipped(method: int = zipfile.ZIP_DEFLATED, **files: bytes) -> bytes:
    """
    Pack files; `_` in a keyword stands for the point.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
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


def outcome(content: bytes) -> list[Row] | str:
    """
    Read all rows without any fault, or give what is said against the file.
    """
    log = ProblemLog()
    try:
        found = list(read_rows(content, log))
        log.raise_if_any()
    except RateImportError as error:
        (problem,) = error.problems
        assert problem.field in {"file", "row"}
        assert ": " in problem.message
        return problem.message
    return found


RATES = b"Date,USD,KWD\n" + b"".join(
    b"2025-01-%02d,1.0%03d,0.3%03d\n" % (day, day * 37 % 1000, day * 91 % 1000)
    for day in range(1, 20)
)
METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


@pytest.mark.parametrize("method", METHODS)
def test_a_zip_file_damaged_anywhere_never_gives_other_rows(method: str) -> None:
    """
    Each byte turned in three ways, each length: the same rows, or a clear refusal.
    """
    content = zipped(METHODS[method], rates_csv=RATES)
    damaged = [content[:length] for length in range(len(content))]
    for at in range(len(content)):
        for turn in (0x01, 0x80, 0xFF):
            changed = bytearray(content)
            changed[at] ^= turn
            damaged.append(bytes(changed))
    told = [(each, outcome(each)) for each in damaged]
    # Without its first bytes it is no zip file but text: that is the importer's to see.
    read = [
        found
        for each, found in told
        if not isinstance(found, str) and each.startswith(b"PK\x03\x04")
    ]
    refused = [found for _, found in told if isinstance(found, str)]

    assert all(found == rows(RATES) for found in read)
    assert len(refused) > len(content)
    assert any("fetch it again" in message for message in refused)
    assert not any("()" in message for message in refused)


@pytest.mark.parametrize("method", ["bzip2", "lzma"])
def test_a_zip_file_whose_size_cannot_be_bounded_is_refused(method: str) -> None:
    """
    These unpack whole before a byte is given, and a few of theirs become a million.
    """
    content = zipped(METHODS[method], rates_csv=b"0" * 100_000)

    with pytest.raises(RateImportError, match=r"pack it with deflate") as raised:
        rows(content)

    assert raised.value.problems[0].field == "file"


def test_a_zip_bomb_is_not_unpacked_beyond_the_bound() -> None:
    """
    Ten times the bound in a small file, whatever its headers say: little memory.
    """
    content = zipped(rates_csv=b"0" * (10 * MAX_FILE_BYTES))
    tracemalloc.start()
    try:
        with pytest.raises(RateImportError, match="this is no file of rates"):
            rows(content)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(content) < MAX_FILE_BYTES / 50
    assert peak_bytes < 4 * MAX_FILE_BYTES


def test_the_cause_of_a_refusal_is_kept() -> None:
    """
    Who looks for the reason finds what the library said.
    """
    packed = bytearray(zipped(a_csv=b"1.0299,161.84\n" * 50))
    packed[35] ^= 0xFF

    with pytest.raises(RateImportError, match="fetch it again") as raised:
        rows(bytes(packed))

    assert isinstance(raised.value.__cause__, zlib.error)
    assert str(raised.value.__cause__) in str(raised.value)


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
