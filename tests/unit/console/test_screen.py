"""
Results go to standard output as they are; everything about them to standard error.
"""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.console.screen import (
    Column,
    Row,
    answer,
    complain,
    progress,
    say,
    show_rows,
    warn,
)

COLUMNS = (
    Column(title="Name", key="name"),
    Column(title="Count", key="count", show=lambda n: f"{n:,}", is_figure=True),
)


def test_results_and_talk_take_different_ways(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    A command can be piped.
    """
    answer("result")
    say("done")
    warn("look")
    complain("no", ["because", "and"])
    captured = capsys.readouterr()

    assert "result\n" == captured.out
    assert "done\nlook\nscrip: no\n  because\n  and\n" == captured.err


def test_text_is_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """
    What a merchant is called is shown as it is.
    """
    odd = "[red]Nile[/red] :smile: [/]"
    answer(odd)
    show_rows([{"name": odd, "count": 1}], COLUMNS, as_json=False)

    assert 2 == capsys.readouterr().out.count(odd)


def test_nothing_is_cut_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A table for a program has each row on one line, however long.
    """
    long = "x" * 500
    rows: list[Row] = [{"name": long, "count": 1_000}, {"name": None, "count": None}]
    show_rows(rows, COLUMNS, as_json=False)
    lines = capsys.readouterr().out.splitlines()

    assert 3 == len(lines)
    assert long in lines[1]
    assert "1,000" in lines[1]


def test_an_empty_listing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """
    As talk: there is no result. As JSON it is an empty list.
    """
    show_rows([], COLUMNS, as_json=False)
    assert ("", "none\n") == capsys.readouterr()
    show_rows([], COLUMNS, as_json=True)
    assert "[]\n" == capsys.readouterr().out


def test_json_has_plain_forms(capsys: pytest.CaptureFixture[str]) -> None:
    """
    ISO 8601, exact decimals, seconds, hexadecimal; letters stay letters.
    """
    row = {
        "at": datetime(2025, 1, 1, tzinfo=UTC),
        "day": date(2025, 1, 1),
        "time": time(4, 0),
        "length": timedelta(hours=36),
        "rate": Decimal("0.000011160700"),
        "sha256": b"\x01\xff",
        "id": UUID(int=1),
        "name": "شركة",
    }
    show_rows([row], (), as_json=True)
    said = capsys.readouterr().out

    assert "شركة" in said
    assert [
        {
            "at": "2025-01-01T00:00:00+00:00",
            "day": "2025-01-01",
            "time": "04:00:00",
            "length": 129_600,
            "rate": "0.000011160700",
            "sha256": "01ff",
            "id": "00000000-0000-0000-0000-000000000001",
            "name": "شركة",
        }
    ] == json.loads(said)
    with pytest.raises(TypeError, match="object has no JSON form"):
        show_rows([{"odd": object()}], (), as_json=True)


def test_progress_is_talk(capsys: pytest.CaptureFixture[str]) -> None:
    """
    It leaves standard output alone.
    """
    with progress("working", 3) as advance:
        advance(1)
        advance(2)

    assert "" == capsys.readouterr().out
