"""
What the engine tells of itself, for metrics and logs.
"""

from typing import Protocol


class Observer(Protocol):
    """
    Hears what happens. Must be quick and must not raise.
    """

    def batch_done(self, size: int, seconds: float) -> None:
        """
        Hear that a batch was answered.
        """

    def restarted(self, why: str) -> None:
        """
        Hear that a batch was rolled back and started again.
        """

    def halved(self, size: int) -> None:
        """
        Hear that a batch failed on an item's fault and is being halved.
        """

    def put_aside(self, count: int) -> None:
        """
        Hear that so many wait for cards that another transaction keeps.
        """

    def commit_unknown(self, size: int) -> None:
        """
        Hear that a commit's outcome was lost and is being found out.
        """

    def alarm(self, message: str, error: BaseException) -> None:
        """
        Hear of a fault of ours: somebody must look.
        """
