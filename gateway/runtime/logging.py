"""
Structured logs: one JSON object a line on standard error.

A request is one line, written when it ends, with all that is known about it.  A line
costs microseconds, because it stands beside every call: one processor, orjson, and
a writer that gathers lines.  Everything else that logs in the process (libraries,
warnings, uncaught exceptions) goes through the same chain and the same redaction.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback

from gateway.runtime.clock import utc_now
from gateway.runtime.log_writer import LogWriter
from gateway.runtime.redaction import (
    HARMLESS,
    redact,
    redact_value,
)

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, FilteringBoundLogger, Processor

    from gateway.runtime.settings_groups import LoggingSettings

# psycopg says this of each batch that fails in a pipeline; we report the cause itself.
PIPELINE_WARNING: Final = "error ignored terminating"

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}

# Written by our own code from fixed sets of words, so not worth a search for digits.
_OWN_WORDS: Final = frozenset(
    {"event", "level", "part", "worker", "method", "result", "response_code", "state"}
)


class _Output:
    """
    Where finished lines go; what structlog calls the wrapped logger.

    One object for the life of the process, so that a logger that was made before
    logging was configured writes to the right place.
    """

    writer: LogWriter | None = None

    def info(self, line: bytes) -> None:
        """
        Write a line that may stay in memory for a moment.
        """
        if self.writer is None:
            sys.stderr.buffer.write(line + b"\n")
        else:
            self.writer.write(line)

    def warning(self, line: bytes) -> None:
        """
        Write a line that should be out before anything worse happens.
        """
        if self.writer is None:
            sys.stderr.buffer.write(line + b"\n")
        else:
            self.writer.write(line, urgent=True)

    debug = info
    error = warning
    critical = warning


_OUTPUT: Final = _Output()


class _Direct:
    """
    How lines are written that do not go through structlog.
    """

    is_enabled = False
    always: Final[dict[str, Any]] = {}


# Changed in place, because loggers keep the list that they first saw.
_CHAIN: Final[list[Processor]] = []


def configure_logging(
    settings: LoggingSettings, *, worker: str | None = None, descriptor: int = 2
) -> None:
    """
    Send all logs of this process to standard error as the settings say.

    Once a process, at its start: a logger that was used keeps its level.

    Args:
        settings: Level, format and the bounds of the buffer.
        worker: Name of this process, on every line.
        descriptor: The file to write to.

    """
    close_logging()
    _OUTPUT.writer = LogWriter(
        descriptor,
        flush_interval_ms=settings.flush_interval_ms,
        buffer_limit_bytes=settings.buffer_limit_bytes,
    )
    atexit.unregister(close_logging)
    atexit.register(close_logging)
    _CHAIN[:] = [
        _Completion(worker),
        _json_line if settings.format == "json" else _ConsoleLine(),
    ]
    threshold = _LEVELS[settings.level]
    structlog.configure(
        processors=_CHAIN,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _OUTPUT,
        cache_logger_on_first_use=True,
    )
    _Direct.is_enabled = threshold <= logging.INFO
    _Direct.always.clear()
    if worker is not None:
        _Direct.always["worker"] = worker
    _route_standard_logging(threshold)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def get_logger(name: str) -> FilteringBoundLogger:
    """
    Give a logger; `name` says on each of its lines which part of us wrote it.
    """
    return cast("FilteringBoundLogger", structlog.get_logger(part=name))


def write_line(event: EventDict) -> None:
    """
    Write an info line past structlog, whose way costs more than such a line itself.

    For what is written at every call. The values are plain and our own; text from
    outside comes through `redact`. Before logging is configured nothing is written.
    """
    if _Direct.is_enabled:
        line = {"time": utc_now(), "level": "info", **_Direct.always, **event}
        _OUTPUT.info(_CHAIN[-1](_OUTPUT, "info", line))  # type: ignore[arg-type]


def flush_logging() -> None:
    """
    Write out what is buffered; for the moment before a process ends hard.
    """
    if _OUTPUT.writer is not None:
        _OUTPUT.writer.flush(timeout_s=1)


def close_logging() -> None:
    """
    Write the rest and end the writer's thread; at exit this happens by itself.
    """
    _Direct.is_enabled = False
    writer, _OUTPUT.writer = _OUTPUT.writer, None
    if writer is not None:
        writer.close()


class _Completion:
    """
    Put time, level and process first, and mask the values.
    """

    def __init__(self, worker: str | None) -> None:
        self._always = {} if worker is None else {"worker": worker}

    def __call__(self, logger: object, level: str, event: EventDict) -> EventDict:
        if "exc_info" in event:
            # Frames and messages only: local variables hold requests.
            event = structlog.processors.format_exc_info(logger, level, event)
        line: dict[str, Any] = {
            "time": utc_now(),
            "level": level,
            **self._always,
        }
        for key, value in event.items():
            kind = type(value)
            if kind in HARMLESS or (kind is str and key in _OWN_WORDS):
                line[key] = value
            else:
                line[key] = redact(value) if kind is str else redact_value(value)
        return line


def _json_line(logger: object, level: str, event: EventDict) -> bytes:
    """
    Write an event as JSON; one that JSON cannot hold is written as its text.
    """
    del logger
    try:
        return orjson.dumps(event, option=orjson.OPT_UTC_Z)
    except TypeError:
        text = repr(event).encode("ascii", "backslashreplace").decode()
        return orjson.dumps({"level": level, "event": "odd log line", "text": text})


class _ConsoleLine:
    """
    Write an event as text for a person.
    """

    def __init__(self) -> None:
        self._render = ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=plain_traceback,
            timestamp_key="time",
        )

    def __call__(self, logger: object, level: str, event: EventDict) -> bytes:
        event["time"] = f"{event['time']:%H:%M:%S.%f}"
        text = self._render(cast("Any", logger), level, event)
        return text.encode("utf-8", "backslashreplace")


class _StandardHandler(logging.Handler):
    """
    Take what libraries log through the standard library.
    """

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        if level not in _LEVELS:
            level = "info"
        event: Any = {"event": redact(record.getMessage()), "part": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for processor in _CHAIN:
            event = processor(_OUTPUT, level, event)
        getattr(_OUTPUT, level)(event)


def _demote_pipeline_warning(record: logging.LogRecord) -> bool:
    """
    Make psycopg's warning about a failed pipeline a matter for debugging.
    """
    if record.levelno == logging.WARNING and str(record.msg).startswith(
        PIPELINE_WARNING
    ):
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger().isEnabledFor(logging.DEBUG)
    return True


def _route_standard_logging(threshold: int) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _StandardHandler):
            root.removeHandler(handler)
    root.addHandler(_StandardHandler())
    root.setLevel(threshold)
    # Their debugging lines are about themselves and many a request.
    for name in ("asyncio", "grpc"):
        logging.getLogger(name).setLevel(max(threshold, logging.INFO))
    psycopg = logging.getLogger("psycopg")
    psycopg.removeFilter(_demote_pipeline_warning)
    psycopg.addFilter(_demote_pipeline_warning)
    _capture_warnings()


def _capture_warnings() -> None:
    """
    Log warnings too, whatever became of an earlier capture.

    Who leaves a `catch_warnings` block puts back the hook that he found, while the
    standard library believes that its own still stands and does nothing. So it is told
    to stop first. What a later stop restores is what stands there now, not what stood
    there then.
    """
    shown_by = warnings.showwarning
    logging.captureWarnings(capture=False)
    if shown_by.__module__ != logging.__name__:
        warnings.showwarning = shown_by
    logging.captureWarnings(capture=True)


def _log_uncaught(
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    """
    Log what ends the process; an interrupt from the keyboard is no fault.
    """
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    get_logger("process").critical(
        "uncaught exception", exc_info=(kind, error, traceback)
    )


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        get_logger("process").critical(
            "uncaught exception in a thread",
            thread=arguments.thread.name if arguments.thread else None,
            exc_info=(
                arguments.exc_type,
                arguments.exc_value,
                arguments.exc_traceback,
            ),
        )
