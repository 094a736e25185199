"""
Rates and the clock through the `scrip` command.
"""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from gateway.runtime.data_folder import TEST_MARKER
from tests.support.scrip_command import Scrip

HEADER = "currency,usd_per_unit,effective_from,as_of,source"
NEW_YEAR = "2030-01-01T00:00:00Z"


def plain(scrip: Scrip, *rows: str) -> str:
    """
    Write a plain file of rates: `KWD,3.2520,TIME`.
    """
    lines = (f"{row},2029-12-31T12:00:00Z,Central Bank" for row in rows)
    return str(scrip.file("rates.csv", HEADER, *lines))


def load(scrip: Scrip, *rows: str) -> None:
    """
    Load rates that are to be there already.
    """
    scrip.done("rates", "import", plain(scrip, *rows), "--loaded-by", "ann")


def test_an_import_is_one_version(scrip: Scrip) -> None:
    """
    Each import gets the next version; its rows keep rate, moment and source.
    """
    load(scrip, f"KWD,3.2520,{NEW_YEAR}", f"LBP,0.0000111607,{NEW_YEAR}")
    load(scrip, f"KWD,3.3,{NEW_YEAR}", "KWD,,2030-02-01T00:00:00Z")

    rows = scrip.rows("rates", "list", "--all", "--currency", "KWD")
    assert [
        ("3.252000000000", 1, "2030-01-01T00:00:00+00:00"),
        ("3.300000000000", 2, "2030-01-01T00:00:00+00:00"),
        (None, 2, "2030-02-01T00:00:00+00:00"),
    ] == [(row["usd_per_unit"], row["version"], row["effective_from"]) for row in rows]
    (january,) = scrip.rows("rates", "list", "--at", NEW_YEAR, "--currency", "KWD")
    assert 2 == january["version"]
    assert [] == scrip.rows(
        "rates", "list", "--at", "2030-02-01T00:00:00Z", "--currency", "KWD"
    )
    assert [(2, 2, "ann"), (1, 2, "ann")] == [
        (row["version"], row["rates"], row["loaded_by"])
        for row in scrip.rows("rates", "tables")
    ]


def test_a_fault_in_a_file_of_rates_loads_nothing(scrip: Scrip) -> None:
    """
    All faults are told at once, with line and field.
    """
    file = plain(
        scrip,
        f"KWX,3.2520,{NEW_YEAR}",
        f"KWD,0,{NEW_YEAR}",
        f"LBP,0.0000111607,{NEW_YEAR}",
        f"LBP,0.0000111608,{NEW_YEAR}",
        "AED,0.27,2030-01-01",
    )
    said = scrip.refused("rates", "import", file)

    for fault in (
        "nothing was imported",
        "line 2, currency:",
        "line 3, usd_per_unit:",
        "line 5, effective_from: line 4 has a rate of LBP",
        "line 6, effective_from:",
    ):
        assert fault in said
    assert [] == scrip.rows("rates", "tables")


def test_rates_of_the_past_are_refused(scrip: Scrip) -> None:
    """
    What a moment's rate was never changes; all rows at fault are named.
    """
    file = plain(scrip, "KWD,3.2,2020-01-01T00:00:00Z", f"LBP,0.00001,{NEW_YEAR}")
    said = scrip.refused("rates", "import", file)

    assert "would change the past" in said
    assert "KWD from 2020-01-01T00:00:00Z" in said
    assert "LBP" not in said
    assert [] == scrip.rows("rates", "tables")


def test_a_file_begins_when_it_is_told_to(scrip: Scrip) -> None:
    """
    --effective-from wins over the file, unless it has a currency twice.
    """
    once = plain(scrip, "KWD,3.2,2020-01-01T00:00:00Z")
    scrip.done("rates", "import", once, "--effective-from", NEW_YEAR)

    (row,) = scrip.rows("rates", "list", "--all")
    assert "2030-01-01T00:00:00+00:00" == row["effective_from"]
    twice = plain(scrip, "KWD,3.2,2020-01-01T00:00:00Z", f"KWD,3.3,{NEW_YEAR}")
    words = ("rates", "import", twice, "--effective-from", NEW_YEAR)
    assert "the file has KWD more than once" in scrip.refused(*words)


def test_a_jump_needs_somebody_else(scrip: Scrip) -> None:
    """
    More than 10 % against the rate before takes a second person, and a real one.
    """
    load(scrip, f"KWD,3.0,{NEW_YEAR}", f"AED,0.27,{NEW_YEAR}")
    jump = plain(
        scrip, "KWD,3.31,2030-01-02T00:00:00Z", "AED,0.28,2030-01-02T00:00:00Z"
    )
    words = ("rates", "import", jump, "--loaded-by", "Ann Lee")

    said = scrip.refused(*words)
    assert "--approved-by: these move by more than 10 %" in said
    assert "KWD from 2030-01-02T00:00:00Z" in said
    assert "+10.33 %" in said
    assert "AED" not in said
    alone = scrip.refused(*words, "--approved-by", " ann  LEE ")
    assert "--approved-by: ann  LEE loads the rates" in alone
    assert [1] == [row["version"] for row in scrip.rows("rates", "tables")]
    scrip.done(*words, "--approved-by", "Bo Ek")
    assert ["Bo Ek", None] == [
        row["approved_by"] for row in scrip.rows("rates", "tables")
    ]


def test_a_jump_hides_neither_in_the_import_nor_behind_a_withdrawal(
    scrip: Scrip,
) -> None:
    """
    Each row is compared with the last rate before it, wherever that stands.
    """
    load(scrip, f"KWD,3.0,{NEW_YEAR}")
    load(scrip, "KWD,3.2,2030-01-02T00:00:00Z", "KWD,3.4,2030-01-03T00:00:00Z")
    file = plain(scrip, "KWD,,2030-01-04T00:00:00Z", "KWD,30.0,2030-01-05T00:00:00Z")

    said = scrip.refused("rates", "import", file)
    assert "KWD from 2030-01-05T00:00:00Z: 3.400000000000 becomes 30.0000" in said


def test_the_database_knows_the_rule_of_two(scrip: Scrip) -> None:
    """
    Whoever comes past the command cannot approve himself either.
    """
    with pytest.raises(psycopg.errors.CheckViolation, match="second_person"):
        scrip.execute(
            "insert into rate_table (source, loaded_by, approved_by) "
            "values ('x', 'ann', 'ann')"
        )


def test_the_limit_of_a_jump_is_a_setting(scrip: Scrip) -> None:
    """
    SCRIP_MAX_RATE_JUMP_PERCENT says what may pass.
    """
    load(scrip, f"KWD,3.0,{NEW_YEAR}")
    wide = {**scrip.environment, "SCRIP_MAX_RATE_JUMP_PERCENT": "50"}
    file = plain(scrip, "KWD,4.4,2030-01-02T00:00:00Z")

    scrip.refused("rates", "import", file)
    result = scrip.runner.invoke(scrip.application, ["rates", "import", file], env=wide)
    assert 0 == result.exit_code, result.output


def test_the_official_rates_are_loaded(scrip: Scrip) -> None:
    """
    The packaged pegs and samples are in force from the moment given.
    """
    scrip.done("rates", "official", "--effective-from", NEW_YEAR)

    rates = {
        row["currency"]: row["usd_per_unit"]
        for row in scrip.rows("rates", "list", "--at", NEW_YEAR)
    }
    assert "0.272294077604" == rates["AED"]
    assert {"AED", "QAR", "BHD", "JOD", "OMR", "SAR", "KWD", "EGP", "LBP"} == set(rates)


def test_official_rates_without_a_moment_hold_at_once(scrip: Scrip) -> None:
    """
    At once is as soon as the books allow: within a few seconds.
    """
    scrip.done("rates", "official")
    (row, *_) = scrip.query("select effective_from - scrip_clock() as lead from rate")

    assert row["lead"] < timedelta(seconds=4)


def test_the_history_of_the_bank_follows_the_shifted_clock(scrip: Scrip) -> None:
    """
    With the clock before the first day, each working day has its rate from 16:00.
    """
    words = ("rates", "history", "--currency", "TRY", "--first", "2025-01-02")
    assert "would change the past" in scrip.refused(*words, "--last", "2025-01-31")
    scrip.done("clock", "shift", "--to", "2024-12-31T00:00:00Z")
    scrip.done(*words, "--last", "2025-01-31")

    days = scrip.rows("rates", "list", "--all")
    assert 22 == len(days)
    assert {"2025-01-02T15:00:00+00:00"} == {
        row[name] for row in days[:1] for name in ("effective_from", "as_of")
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "rates history --currency TRY --first 2025-02-01 --last 2025-01-01",
            "--last: 2025-01-01 lies before --first",
        ),
        (
            "rates history --currency AED --first 2025-01-01 --last 2025-01-31",
            "the bank quotes no 'AED'",
        ),
        (
            "rates history --currency TRY --first 2025-13-01 --last 2025-01-31",
            "Invalid value for '--first': '2025-13-01' is no day",
        ),
        (
            "rates official --effective-from 2030-01-01T00:00:00",
            "'2030-01-01T00:00:00' has no zone",
        ),
        ("rates import none.csv", "cannot read none.csv"),
        ("rates import none.csv --day 2025-01-01", "add --ecb"),
        ("rates rule --currency KWD", "--max-age: say how old"),
        ("rates rule --currency KWD --max-age 7d --no-max-age", "not both"),
        ("rates rule --currency KWD --max-age 7", "'7' is no length of time"),
        ("rates rule --currency KWD --max-age -1d", "more than nothing"),
        ("rates list --at yesterday", "'yesterday' is no time"),
        ("clock shift", "--to, --by: give one of the two"),
        ("clock shift --to 2025-01-01T00:00Z --by 1d", "give one of the two"),
        ("clock shift --by soon", "'soon' is no length of time"),
    ],
)
def test_what_cannot_be_read_is_refused(scrip: Scrip, words: str, said: str) -> None:
    """
    The option is named with the remedy.
    """
    assert said in scrip.refused(*words.split())


def test_a_day_of_the_banks_file_is_loaded(scrip: Scrip) -> None:
    """
    Of a history the newest day is taken, or the one asked for.
    """
    file = scrip.file(
        "eurofxref-hist.csv",
        "Date,USD,JPY,TRY,",
        "2029-12-31,1.1000,150.00,44.000,",
        "2029-12-28,1.0000,150.00,43.000,",
    )
    scrip.done("rates", "import", file, "--ecb", "--effective-from", NEW_YEAR)
    scrip.done(
        *("rates", "import", file, "--ecb", "--day", "2029-12-28", "--currency", "TRY"),
        *("--effective-from", "2030-01-02T00:00:00Z"),
    )

    rows = scrip.rows("rates", "list", "--all")
    assert {("EUR", "1.100000000000", 1), ("TRY", "0.025000000000", 1)} <= {
        (row["currency"], row["usd_per_unit"], row["version"]) for row in rows
    }
    assert [("TRY", "0.023255813953")] == [
        (row["currency"], row["usd_per_unit"]) for row in rows if row["version"] == 2
    ]


def test_how_old_a_rate_may_be(scrip: Scrip) -> None:
    """
    A rule is set, changed and taken back.
    """
    load(scrip, f"KWD,3.0,{NEW_YEAR}")
    ages = []
    for words in ("--max-age 7d", "--max-age 36h", "--no-max-age"):
        scrip.done("rates", "rule", "--currency", "KWD", *words.split())
        (row,) = scrip.rows("rates", "list", "--all")
        ages.append(row["max_age_s"])

    assert [7 * 86_400, 36 * 3_600, None] == ages


def test_the_clock_is_shifted_and_goes_on(scrip: Scrip) -> None:
    """
    It is set to a moment, moved by a length, and shown with how far it is off.
    """
    scrip.done("clock", "shift", "--to", "2025-01-01T00:00:00Z")
    said = scrip.done("clock", "shift", "--by", "1d12h")

    (row,) = scrip.rows("clock", "show")
    now = datetime.fromisoformat(row["now"])
    assert timedelta(0) <= now - datetime(2025, 1, 2, 12, tzinfo=UTC)
    assert now - datetime(2025, 1, 2, 12, tzinfo=UTC) < timedelta(minutes=1)
    assert "the clock went back" not in said
    assert "the clock went back" in scrip.done("clock", "shift", "--by", "-1d")


def test_the_clock_of_real_money_stays(scrip: Scrip) -> None:
    """
    Without the mark in the data folder nothing moves.
    """
    (scrip.folder / TEST_MARKER).unlink()
    result = scrip.run("clock", "shift", "--by", "1d")

    assert 1 == result.exit_code
    assert "is not marked for tests or a demo" in result.stderr
    (row,) = scrip.query("select shift from clock_offset")
    assert timedelta(0) == row["shift"]
