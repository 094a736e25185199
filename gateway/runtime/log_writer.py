"""
Write log lines without ever making a request wait for the log.

Lines gather in memory and a thread writes them.  When whoever reads our standard
error stands still, or the disk is full, lines are dropped and counted: the money
path goes on, and the next line that gets through says how many are missing.
"""

from __future__ import annotations

import os
import select
import stat
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

URGENT_TIMEOUT_S: Final = 0.1
CLOSE_TIMEOUT_S: Final = 2.0

# A pipe that is ready takes at least this much in one piece, without waiting and
# without mixing it with what another worker writes at the same time.
_PIPE_PIECE_BYTES: Final = select.PIPE_BUF
_FILE_PIECE_BYTES: Final = 64 * 1024
_FULL_ENOUGH_BYTES: Final = 64 * 1024


class LogWriter:
    """
    A bounded buffer of lines in front of a file descriptor.
    """

    def __init__(
        self, descriptor: int, *, flush_interval_ms: int, buffer_limit_bytes: int
    ) -> None:
        """
        Start the thread that writes.
        """
        self._descriptor = descriptor
        self._interval_s = flush_interval_ms / 1000
        self._limit_bytes = buffer_limit_bytes
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._piece_bytes = _FILE_PIECE_BYTES if is_file else _PIPE_PIECE_BYTES
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._lines: list[bytes] = []
        self._size_bytes = 0
        self._dropped_lines = 0
        self._buffer_lock = threading.Lock()
        self._output_lock = threading.Lock()
        self._has_lines = threading.Event()
        self._is_full_or_closed = threading.Event()
        self._closed = False
        self._thread = threading.Thread(
            target=self._run, name="log-writer", daemon=True
        )
        self._thread.start()

    @property
    def dropped_lines(self) -> int:
        """
        Count the lines lost since the last one that told of such a loss.
        """
        return self._dropped_lines

    def write(self, line: bytes, *, urgent: bool = False) -> None:
        """
        Take one line without its end; an urgent one is out when this returns.

        Urgent waits for a reader that stands still, but only `URGENT_TIMEOUT_S`.
        """
        with self._buffer_lock:
            if self._size_bytes + len(line) >= self._limit_bytes:
                self._dropped_lines += 1
                return
            was_empty = not self._lines
            self._lines.append(line)
            self._size_bytes += len(line) + 1
        if urgent or self._closed:
            self.flush(timeout_s=URGENT_TIMEOUT_S)
        elif was_empty:
            self._has_lines.set()
        elif self._size_bytes > _FULL_ENOUGH_BYTES:
            self._is_full_or_closed.set()

    def flush(self, *, timeout_s: float) -> None:
        """
        Write what is buffered, or what of it can be written in this time.
        """
        deadline_s = time.monotonic() + timeout_s
        if not self._output_lock.acquire(timeout=timeout_s):
            return
        try:
            self._flush_now(deadline_s)
        finally:
            self._output_lock.release()

    def close(self) -> None:
        """
        End the thread and write the rest; later lines are written at once.
        """
        if self._closed:
            return
        self._closed = True
        self._has_lines.set()
        self._is_full_or_closed.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        self.flush(timeout_s=CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._closed:
            self._has_lines.wait()
            self._is_full_or_closed.wait(self._interval_s)
            self._has_lines.clear()
            self._is_full_or_closed.clear()
            self.flush(timeout_s=CLOSE_TIMEOUT_S / 2)
            if self._lines and not self._closed:
                self._has_lines.set()

    def _flush_now(self, deadline_s: float) -> None:
        with self._buffer_lock:
            lines, self._lines, self._size_bytes = self._lines, [], 0
            dropped, self._dropped_lines = self._dropped_lines, 0
        notice = [b'{"event":"log lines dropped","lines":%d}' % dropped]
        has_notice = dropped > 0
        written, is_broken = self._output(notice * has_notice + lines, deadline_s)
        rest = lines[max(0, written - has_notice) :]
        lost = 0 if written else dropped
        with self._buffer_lock:
            size_bytes = sum(map(len, rest)) + len(rest)
            if is_broken or self._size_bytes + size_bytes > self._limit_bytes:
                lost += len(rest)
            else:
                self._lines = rest + self._lines
                self._size_bytes += size_bytes
            self._dropped_lines += lost

    def _output(self, lines: list[bytes], deadline_s: float) -> tuple[int, bool]:
        """
        Write in large pieces; tell how many lines are out and if the file is broken.
        """
        written = 0
        for piece, count in _pieces(lines, self._piece_bytes):
            rest = memoryview(piece)
            while rest:
                wait_s = deadline_s - time.monotonic()
                if not self._poll.poll(max(0, wait_s) * 1000):
                    return written, False
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except OSError:
                    # Full disk or closed pipe; the next line that gets out tells.
                    return written, True
            written += count
        return written, False


def _pieces(lines: list[bytes], limit_bytes: int) -> Iterator[tuple[bytes, int]]:
    """
    Join whole lines up to the limit, so that no piece ends inside of one.
    """
    piece: list[bytes] = []
    size_bytes = 0
    for line in lines:
        if piece and size_bytes + len(line) + 1 > limit_bytes:
            yield b"\n".join(piece) + b"\n", len(piece)
            piece, size_bytes = [], 0
        piece.append(line)
        size_bytes += len(line) + 1
    if piece:
        yield b"\n".join(piece) + b"\n", len(piece)
