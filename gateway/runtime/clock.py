"""
The one clock of the machine.

It stamps logs and the like.  Nothing about money looks at it: what a batch calls now is
read in Postgres, after the locks.
"""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """
    Give the machine's time in UTC.
    """
    return datetime.now(UTC)
