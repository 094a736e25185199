"""
`scrip clock follow` moves the clock line by line.
"""

from datetime import datetime, timedelta

from gateway.runtime.data_folder import TEST_MARKER
from tests.support.scrip_command import Scrip


def test_the_clock_follows_line_by_line(scrip: Scrip) -> None:
    """
    Each line is in force when it is printed, and the clock goes on from the last.
    """
    lines = "2025-01-01T00:00:00Z\n2025-01-02T09:30:00+03:00\n"

    result = scrip.run("clock", "follow", stdin=lines)
    (row,) = scrip.rows("clock", "show")

    assert 0 == result.exit_code, result.output
    first, last = map(datetime.fromisoformat, result.stdout.split())
    assert "2025-01-01T00:00:0" in first.isoformat()
    assert "2025-01-02T06:30:0" in last.isoformat()
    shown = datetime.fromisoformat(row["now"])
    assert timedelta(0) <= shown - last < timedelta(minutes=1)


def test_a_line_that_is_no_time_ends_it(scrip: Scrip) -> None:
    """
    What was set before stays, and the fault names standard input.
    """
    said = scrip.refused("clock", "follow", stdin="2025-01-01T00:00:00Z\ntomorrow\n")

    assert "standard input: 'tomorrow' is no time" in said
    (row,) = scrip.rows("clock", "show")
    assert row["now"].startswith("2025-01-01T00:0")


def test_the_clock_of_real_money_stays(scrip: Scrip) -> None:
    """
    A folder without the mark is refused before a line is read.
    """
    (scrip.folder / TEST_MARKER).unlink()

    result = scrip.run("clock", "follow", stdin="2025-01-01T00:00:00Z\n")

    assert 1 == result.exit_code
    assert "not marked" in result.stderr
