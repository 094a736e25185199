from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from currency import ImportedRate, RateImportError, RateProblem
from currency.importers import read_plain_csv

HEADER = "currency,usd_per_unit,effective_from,as_of,source\n"
TIMES = "2025-01-01T00:00:00Z,2024-12-31T12:00:00Z"


def read(*rows: str) -> list[ImportedRate]:
    """
    Read rows under the right header.
    """
    return read_plain_csv((HEADER + "\n".join(rows) + "\n").encode())


def problems(*rows: str) -> tuple[RateProblem, ...]:
    """
    Give the faults that refuse these rows.
    """
    with pytest.raises(RateImportError) as raised:
        read(*rows)
    return raised.value.problems


def only_problem(*rows: str) -> RateProblem:
    """
    Give the one fault that refuses these rows.
    """
    found = problems(*rows)
    assert len(found) == 1, found
    return found[0]


def test_a_good_file_gives_its_rows_in_utc() -> None:
    """
    Rates are exact, times in UTC, and an empty rate withdraws the currency.
    """
    rates = read(
        "KWD,3.2520,2025-01-01T00:00:00Z,2024-12-31T12:00:00+03:00,Central Bank",
        "",
        'LBP,,2025-01-01t00:00:00.5z,2024-12-31T12:00:00Z,"withdrawn, by ""us"""',
    )

    assert rates == [
        ImportedRate(
            currency_code="KWD",
            usd_per_unit_e12=3_252_000_000_000,
            effective_from=datetime(2025, 1, 1, tzinfo=UTC),
            as_of=datetime(2024, 12, 31, 9, tzinfo=UTC),
            source="Central Bank",
        ),
        ImportedRate(
            currency_code="LBP",
            usd_per_unit_e12=None,
            effective_from=datetime(2025, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC),
            as_of=datetime(2024, 12, 31, 12, tzinfo=UTC),
            source='withdrawn, by "us"',
        ),
    ]


def test_a_file_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """
    A byte order mark and CRLF are what spreadsheets save.
    """
    path = tmp_path / "rates.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + f"KWD,3.2520,{TIMES},x\n").encode())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert [rate.currency_code for rate in read_plain_csv(path)] == ["KWD"]


@pytest.mark.parametrize(
    ("row", "field", "remedy"),
    [
        (f"KWD,1e-5,{TIMES},x", "usd_per_unit", "no exponent"),
        (f"KWD,0.0000000000001,{TIMES},x", "usd_per_unit", "round it to 12"),
        (f"KWD,123456789,{TIMES},x", "usd_per_unit", "at most 8 digits"),
        (f"KWD,0,{TIMES},x", "usd_per_unit", "above zero"),
        (f"KWD,-1,{TIMES},x", "usd_per_unit", "above zero"),
        (f'KWD,"3,25",{TIMES},x', "usd_per_unit", "separators"),
        (f"KWX,1,{TIMES},x", "currency", "three capital letters"),
        (f"kwd,1,{TIMES},x", "currency", "three capital letters"),
        (f"XAU,1,{TIMES},x", "currency", "with a minor unit"),
        (f"USD,1,{TIMES},x", "currency", "always 1: remove the row"),
        (
            "KWD,1,2025-01-01T00:00:00,2024-12-31T12:00:00Z,x",
            "effective_from",
            "has no zone: write 2025-01-01T00:00:00Z",
        ),
        (
            "KWD,1,2025-01-01T00:00:00Z,2024-12-31,x",
            "as_of",
            "no RFC 3339 time: write 2025-01-01T00:00:00Z",
        ),
        (
            "KWD,1,2025-01-01 00:00:00Z,2024-12-31T12:00:00Z,x",
            "effective_from",
            "no RFC 3339 time",
        ),
        (
            "KWD,1,2025-02-30T00:00:00Z,2024-12-31T12:00:00Z,x",
            "effective_from",
            "is no time",
        ),
        (
            "KWD,1,0001-01-01T00:00:00+23:59,2024-12-31T12:00:00Z,x",
            "effective_from",
            "is no time",
        ),
        (f"KWD,1,{TIMES},", "source", "say where the rate is from"),
        (f"KWD,1,{TIMES},  ", "source", "say where the rate is from"),
        (f"KWD,1,{TIMES},a\x07b", "source", "printable"),
        (f"KWD,1,{TIMES},{'x' * 201}", "source", "at most 200"),
        ("KWD,1", "row", "has 2 fields: give 5"),
        (f"KWD,1,{TIMES},x,y", "row", "has 6 fields: give 5"),
        (f'KWD,1,{TIMES},"x"y', "row", "check its quotes"),
    ],
)
def test_a_bad_row_is_named_by_line_field_and_remedy(
    row: str, field: str, remedy: str
) -> None:
    """
    One fault refuses the file, good rows included, and says how to repair it.
    """
    problem = only_problem(f"EUR,1.0850,{TIMES},good", row)

    assert (problem.line, problem.field) == (3, field)
    assert remedy in problem.message


def test_every_fault_of_a_row_and_of_a_file_is_named() -> None:
    """
    The person repairs the file once, not once for each fault.
    """
    found = problems("KWX,0,tomorrow,2025,", f"EUR,1.0850,{TIMES},x", "BHD")

    assert [(problem.line, problem.field) for problem in found] == [
        (2, "currency"),
        (2, "usd_per_unit"),
        (2, "effective_from"),
        (2, "as_of"),
        (2, "source"),
        (4, "row"),
    ]


def test_the_same_place_twice_is_refused() -> None:
    """
    The same moment in another zone is the same moment; another moment is not.
    """
    problem = only_problem(
        f"KWD,3.2520,{TIMES},x",
        "KWD,3.3000,2025-01-01T03:00:00+03:00,2024-12-31T12:00:00Z,x",
        "KWD,3.3000,2025-01-01T03:00:01+03:00,2024-12-31T12:00:00Z,x",
    )

    assert (problem.line, problem.field) == (3, "effective_from")
    assert "line 2 has a rate of KWD from the same moment" in problem.message


@pytest.mark.parametrize("rows", [50, 51, 5000])
def test_the_number_of_faults_is_bounded(rows: int) -> None:
    """
    A file of another kind gives fifty faults and a word that there are more.
    """
    with pytest.raises(RateImportError) as raised:
        read(*["nonsense"] * rows)

    assert len(raised.value.problems) == 50
    assert raised.value.more == (rows > 50)
    assert ("there are more problems" in str(raised.value)) == (rows > 50)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"currency;usd_per_unit\n", b"KWD,1,a,b,c\n", b"\x00\x01\x02"],
)
def test_another_header_is_refused_with_the_right_one(content: bytes) -> None:
    """
    Columns are never guessed from their order.
    """
    with pytest.raises(RateImportError, match=f"line 1, header: .*{HEADER.strip()}"):
        read_plain_csv(content)


def test_a_file_without_rows_is_refused() -> None:
    """
    Importing nothing and calling it done would hide a mistake.
    """
    with pytest.raises(RateImportError, match="file: has no row of rates"):
        read_plain_csv(HEADER.encode())


def test_the_error_reads_as_a_list() -> None:
    """
    What the command prints: that nothing was imported, then a line for each fault.
    """
    with pytest.raises(RateImportError) as raised:
        read(f"KWD,0,{TIMES},x", f"USD,1,{TIMES},x")

    assert str(raised.value).splitlines() == [
        "nothing was imported",
        (
            "line 2, usd_per_unit: 0.000000000000 is no rate: it lies above zero and "
            "has at most 8 digits before the point"
        ),
        "line 3, currency: USD is the unit and always 1: remove the row",
    ]


def test_a_row_becomes_a_rate_under_its_version() -> None:
    """
    The version comes from the database; all else is the row's.
    """
    (imported,) = read(f"KWD,3.2520,{TIMES},x")
    rate = imported.with_version(7)

    assert rate.version == 7
    assert rate.currency_code == "KWD"
    assert imported.usd_per_unit_e12 == rate.usd_per_unit_e12
    assert imported.effective_from == rate.effective_from
    assert imported.as_of == rate.as_of
    assert imported.source == rate.source
