"""
What the adapter tells about itself, for metrics.
"""

from enum import StrEnum


class LiveEvent(StrEnum):
    """
    Names given to `on_event`, once for each time it happens.
    """

    BREAKER_OPENED = "breaker_opened"
    BREAKER_CLOSED = "breaker_closed"
    CALL_FAILED = "call_failed"
    FUNCTIONS_LOADED = "functions_loaded"
    ADMITTED_LOCALLY = "admitted_locally"
    PUBLISH_FAILED = "publish_failed"
    SNAPSHOT_DROPPED = "snapshot_dropped"
    FAILED_LOOKUP_DROPPED = "failed_lookup_dropped"
    READ_FAILED = "read_failed"
    EXPIRY_DROPPED = "expiry_dropped"
