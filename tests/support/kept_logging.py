"""
What a process does to its logging at its start, undone where the process is a test.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from gateway.runtime.logging import close_logging

# Whose own loggers are changed, besides the root.
_OTHERS: Final = ("asyncio", "grpc", "psycopg")


@contextmanager
def kept_logging() -> Iterator[None]:
    """
    Leave logging as it was, however often it is configured inside.

    Handlers, levels, filters, the hooks of uncaught exceptions, and warnings: these
    belong to pytest, and the next test's would be gone.
    """
    root = logging.getLogger()
    others = [logging.getLogger(name) for name in _OTHERS]
    handlers = list(root.handlers)
    levels = [(logger, logger.level) for logger in (root, *others)]
    filters = [(logger, list(logger.filters)) for logger in others]
    hooks = sys.excepthook, threading.excepthook
    try:
        yield
    finally:
        close_logging()
        root.handlers[:] = handlers
        for logger, level in levels:
            logger.setLevel(level)
        for logger, kept in filters:
            logger.filters[:] = kept
        sys.excepthook, threading.excepthook = hooks
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
