"""
The log never makes a request wait, and says what it lost.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.runtime.log_writer import LogWriter, _pieces

LIMIT_BYTES = 64 * 1024
LINE = b"x" * 1000


class Pipe:
    """
    A pipe whose reader we are.
    """

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.got = b""

    def read(self) -> bytes:
        """
        Take all that is there; give all that ever was.
        """
        while True:
            try:
                part = os.read(self.reader, 1 << 20)
            except BlockingIOError:
                return self.got
            if not part:
                return self.got
            self.got += part


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """
    Give a pipe and close what is left of it.
    """
    made = Pipe()
    yield made
    for descriptor in (made.reader, made.writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.fixture
def open_writer() -> Iterator[Callable[..., LogWriter]]:
    """
    Make writers and close them afterwards.
    """
    writers: list[LogWriter] = []

    def make(descriptor: int, flush_interval_ms: int = 10_000) -> LogWriter:
        writers.append(
            LogWriter(
                descriptor,
                flush_interval_ms=flush_interval_ms,
                buffer_limit_bytes=LIMIT_BYTES,
            )
        )
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


def until(condition: Callable[[], bool]) -> bool:
    """
    Wait for a thread's work.
    """
    deadline_s = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.002)
    return condition()


def test_lines_wait_in_memory_and_leave_together(
    pipe: Pipe, open_writer: Callable[..., LogWriter]
) -> None:
    """
    An ordinary line is written by the thread after the interval, in order.
    """
    writer = open_writer(pipe.writer, flush_interval_ms=20)
    writer.write(b"one")
    writer.write(b"two")

    assert until(lambda: pipe.read() == b"one\ntwo\n")


def test_an_urgent_line_is_out_at_once_with_all_before_it(
    pipe: Pipe, open_writer: Callable[..., LogWriter]
) -> None:
    """
    A warning is in the pipe when the call returns, behind the lines before it.
    """
    writer = open_writer(pipe.writer)
    writer.write(b"one")
    writer.write(b"two", urgent=True)

    assert pipe.read() == b"one\ntwo\n"


def test_closing_writes_the_rest_and_later_lines_at_once(
    pipe: Pipe, open_writer: Callable[..., LogWriter]
) -> None:
    """
    Nothing is lost at the end, nor what is logged after it.
    """
    writer = open_writer(pipe.writer)
    writer.write(b"last")
    writer.close()
    assert pipe.read() == b"last\n"
    writer.write(b"later")

    assert pipe.read() == b"last\nlater\n"


def test_a_reader_that_stands_still_costs_lines_not_time(
    pipe: Pipe, open_writer: Callable[..., LogWriter]
) -> None:
    """
    With the pipe full, writes return; the first line that gets out tells the loss.
    """
    writer = open_writer(pipe.writer, flush_interval_ms=1)
    lines = 400
    started_s = time.monotonic()
    for _ in range(lines):
        writer.write(LINE)
    writer.write(b"urgent", urgent=True)
    took_s = time.monotonic() - started_s
    assert until(lambda: b"lines dropped" in pipe.read())
    writer.write(b"end", urgent=True)
    assert until(lambda: pipe.read().endswith(b"end\n"))
    got = pipe.got

    assert took_s < 2
    notices = [
        int(line.rpartition(b":")[2].rstrip(b"}"))
        for line in got.splitlines()
        if b"log lines dropped" in line
    ]
    written = got.count(LINE + b"\n")
    # The urgent one waited behind those that could not leave, or was dropped too.
    assert lines + 1 == written + got.count(b"urgent\n") + sum(notices)
    assert notices


def test_a_closed_pipe_is_no_error(
    pipe: Pipe, open_writer: Callable[..., LogWriter]
) -> None:
    """
    When nobody reads any more the path goes on; the loss is counted.
    """
    writer = open_writer(pipe.writer)
    os.close(pipe.reader)
    writer.write(b"one", urgent=True)
    writer.write(b"two", urgent=True)

    assert writer.dropped_lines == 2


def test_pieces_end_with_a_line() -> None:
    """
    Two workers on one pipe do not mix lines: what is written at once ends with one.
    """
    lines = [b"%d " % number + LINE for number in range(9)] + [b"y" * 5000, b"z"]
    pieces = list(_pieces(lines, 4096))

    assert all(piece.endswith(b"\n") for piece, _ in pieces)
    assert b"\n".join(lines) + b"\n" == b"".join(piece for piece, _ in pieces)
    assert [4, 4, 1, 1, 1] == [count for _, count in pieces]
    assert [size for size in (len(piece) for piece, _ in pieces) if size > 4096] == [
        5001
    ]


def test_a_file_gets_all_lines(
    tmp_path: Path, open_writer: Callable[..., LogWriter]
) -> None:
    """
    More than a buffer's worth reaches a file without a loss.
    """
    path = tmp_path / "log"
    with path.open("ab") as file:
        writer = open_writer(file.fileno())
        for _ in range(40):
            writer.write(LINE)
        writer.flush(timeout_s=1)
        for _ in range(40):
            writer.write(LINE)
        writer.close()

    assert (LINE + b"\n") * 80 == path.read_bytes()
