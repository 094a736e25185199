"""
One JSON object a line, masked, cheap, whoever logs.
"""

import json
import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.runtime.logging import (
    close_logging,
    configure_logging,
    flush_logging,
    get_logger,
    write_line,
)
from gateway.runtime.settings_groups import LoggingSettings
from tests.support.kept_logging import kept_logging

NUMBER = "6016001234567890"
REQUEST_ID = "0198f0f0-1111-7000-8000-000000000001"

# Measured 7 us on a busy small machine; a CI machine may be slow, not ten times.
CANONICAL_LINE_LIMIT_S = 30e-6


def fail(message: str) -> None:
    """
    Raise an error, beside a variable that is nobody's business.
    """
    hidden = message.replace("6016", "hidden value")
    raise ValueError(message or hidden)


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log_path(tmp_path: Path) -> Iterator[Path]:
    """
    Name a file for the log; leave logging as it was.
    """
    with kept_logging():
        yield tmp_path / "log"


@pytest.fixture
def lines(log_path: Path) -> Iterator[Lines]:
    """
    Configure JSON logs; give what reads them.
    """
    with log_path.open("ab") as file:
        configure_logging(
            LoggingSettings(level="debug"), worker="worker-1", descriptor=file.fileno()
        )

        def read() -> list[dict[str, Any]]:
            flush_logging()
            return [json.loads(line) for line in log_path.read_bytes().splitlines()]

        yield read


def test_a_line_has_time_level_worker_and_what_was_said(lines: Lines) -> None:
    """
    The fixed part comes first, then the event and its values.
    """
    get_logger("rpc").info("rpc", request_id=UUID(REQUEST_ID), duration_ms=1.5)
    (line,) = lines()

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "worker": "worker-1",
        "part": "rpc",
        "event": "rpc",
        "request_id": REQUEST_ID,
        "duration_ms": 1.5,
    }


def test_card_numbers_are_masked_wherever_they_stand(lines: Lines) -> None:
    """
    In values, inside of them, in messages of libraries, in exceptions and warnings.
    """
    log = get_logger("rpc")
    log.warning("odd field", value=NUMBER, deep={"list": [NUMBER]}, raw=NUMBER.encode())
    logging.getLogger("library").warning("got %s", NUMBER)
    try:
        fail(NUMBER)
    except ValueError:
        log.exception("failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old {NUMBER}", stacklevel=1)
    text = json.dumps(lines())

    assert len(lines()) == 4
    assert NUMBER not in text
    assert text.count("****7890") >= 6


def test_warnings_are_logged_after_an_earlier_capture_was_undone(
    log_path: Path,
) -> None:
    """
    A `catch_warnings` block around an earlier configuration put its own hook back.
    """
    settings = LoggingSettings()
    with log_path.open("ab") as file:
        with warnings.catch_warnings():
            configure_logging(settings, descriptor=file.fileno())
        found = warnings.showwarning
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            for _ in range(2):
                configure_logging(settings, descriptor=file.fileno())
                warnings.warn(f"old {NUMBER}", stacklevel=1)
        close_logging()
    first, second = map(json.loads, log_path.read_bytes().splitlines())

    assert {first["part"], second["part"]} == {"py.warnings"}
    assert "UserWarning: old ****7890" in first["event"]
    assert NUMBER not in log_path.read_text()
    assert warnings.showwarning is found


def test_the_end_of_a_capture_restores_who_showed_warnings_before(
    log_path: Path,
) -> None:
    """
    The hook that stood there at the last configuration, not one of a block long left.
    """
    told = []

    def note(message: Warning | str, *_: object, **__: object) -> None:
        told.append(str(message))

    with log_path.open("ab") as file, warnings.catch_warnings():
        with warnings.catch_warnings():
            configure_logging(LoggingSettings(), descriptor=file.fileno())
        warnings.simplefilter("always")
        warnings.showwarning = note
        configure_logging(LoggingSettings(), descriptor=file.fileno())
        warnings.warn("while captured", stacklevel=1)
        configure_logging(LoggingSettings(), descriptor=file.fileno())
        logging.captureWarnings(capture=False)
        warnings.warn("afterwards", stacklevel=1)
        close_logging()

    assert told == ["afterwards"]
    assert len(log_path.read_text().splitlines()) == 1
    assert "while captured" in log_path.read_text()


def test_local_variables_do_not_get_into_the_log(lines: Lines) -> None:
    """
    A traceback shows frames and the message, never what variables held.
    """
    try:
        fail("6016 boom")
    except ValueError:
        get_logger("rpc").exception("failed")
    (line,) = lines()

    assert "ValueError: 6016 boom" in line["exception"]
    assert "in test_local_variables" in line["exception"]
    assert "hidden value" not in line["exception"]


def test_what_json_cannot_hold_is_logged_all_the_same(lines: Lines) -> None:
    """
    Logging never raises: unknown types by their repr, half characters as escapes.
    """
    get_logger("rpc").info("odd", kind=object, number=2**70, half="\ud800")
    get_logger("rpc").info("plain", kind=object)
    odd, plain = lines()

    assert "\\ud800" in odd["text"]
    assert plain["kind"] == "<class 'object'>"


def test_levels_below_the_threshold_are_not_written(log_path: Path) -> None:
    """
    Neither ours nor the libraries'.
    """
    with log_path.open("ab") as file:
        configure_logging(LoggingSettings(level="error"), descriptor=file.fileno())
        log = get_logger("rpc")
        log.warning("ours")
        log.error("written")
        logging.getLogger("library").warning("theirs")
        close_logging()

    (line,) = log_path.read_text().splitlines()
    assert json.loads(line)["event"] == "written"


def test_psycopgs_pipeline_warning_is_for_debugging(lines: Lines) -> None:
    """
    It is said of every failed batch, whose real error is logged; others pass.
    """
    psycopg = logging.getLogger("psycopg")
    psycopg.warning("error ignored terminating %r: %s", "pipeline", "aborted")
    psycopg.warning("something else")

    assert [("debug", True), ("warning", False)] == [
        (line["level"], line["event"].startswith("error ignored")) for line in lines()
    ]


def test_psycopgs_pipeline_warning_is_silent_above_debug(log_path: Path) -> None:
    """
    At the usual level it is not written at all.
    """
    with log_path.open("ab") as file:
        configure_logging(LoggingSettings(), descriptor=file.fileno())
        logging.getLogger("psycopg").warning("error ignored terminating %r", "x")
        close_logging()

    assert log_path.read_bytes() == b""


def test_the_console_format_is_for_people(log_path: Path) -> None:
    """
    Text with the values behind the event, masked as well, without local variables.
    """
    with log_path.open("ab") as file:
        settings = LoggingSettings(format="console")
        configure_logging(settings, worker="worker-1", descriptor=file.fileno())
        try:
            fail(NUMBER)
        except ValueError:
            get_logger("rpc").exception("failed", number=NUMBER)
        close_logging()
    text = log_path.read_text()

    assert "failed" in text
    assert "number=****7890" in text
    assert "ValueError: ****7890" in text
    assert NUMBER not in text


PROGRAM = """
import sys, threading
from gateway.runtime.logging import configure_logging, get_logger
from gateway.runtime.settings_groups import LoggingSettings
configure_logging(LoggingSettings(flush_interval_ms=10_000))
get_logger("process").info("buffered")
def fail():
    raise RuntimeError("in a thread")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
if sys.argv[1] == "interrupt":
    raise KeyboardInterrupt
raise RuntimeError("at the end")
"""


def test_what_ends_the_process_is_logged_and_nothing_is_lost() -> None:
    """
    Uncaught exceptions are lines like any other; the buffer is written at exit.
    """
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "error"],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    events = [json.loads(line)["event"] for line in result.stderr.splitlines()]

    assert result.returncode == 1
    assert events == [
        "buffered",
        "uncaught exception in a thread",
        "uncaught exception",
    ]


def test_an_interrupt_from_the_keyboard_is_no_fault() -> None:
    """
    Ctrl-C is not reported as a failure of the process.
    """
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "interrupt"],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )

    assert b'"uncaught exception"' not in result.stderr
    assert b"KeyboardInterrupt" in result.stderr


def test_a_line_past_structlog_looks_like_the_others(lines: Lines) -> None:
    """
    It has time, level and process first, and what it was given.
    """
    write_line({"event": "call", "method": "Redeem", "replayed": False})
    (line,) = lines()

    assert list(line) == ["time", "level", "worker", "event", "method", "replayed"]
    assert (line["level"], line["worker"]) == ("info", "worker-1")


def test_a_line_past_structlog_keeps_the_threshold(log_path: Path) -> None:
    """
    Where info is not written, and where nothing is configured, it is not either.
    """
    write_line({"event": "before"})
    with log_path.open("ab") as file:
        configure_logging(LoggingSettings(level="warning"), descriptor=file.fileno())
        write_line({"event": "below"})
        close_logging()
    write_line({"event": "after"})

    assert log_path.read_bytes() == b""


def test_a_canonical_line_costs_microseconds(lines: Lines) -> None:
    """
    It stands beside every call, so it must not be a cost of its own.
    """
    log = get_logger("rpc")
    calls = 200
    best_s = 1.0
    for _ in range(10):
        started_s = time.perf_counter()
        for _ in range(calls):
            log.info(
                "rpc",
                method="Redeem",
                request_id=REQUEST_ID,
                terminal_id=REQUEST_ID,
                result="APPROVED",
                response_code="00",
                replayed=False,
                duration_ms=12.345,
                batch_items=64,
            )
        best_s = min(best_s, (time.perf_counter() - started_s) / calls)

    assert best_s < CANONICAL_LINE_LIMIT_S
    assert len(lines()) == 10 * calls
