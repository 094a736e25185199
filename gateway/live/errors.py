"""
How a call to Redis fails. None of these leaves this package.
"""


class LiveError(Exception):
    """
    A call did not succeed; the cause stays on `__cause__`.
    """


class RedisLostError(LiveError):
    """
    No connection, or it broke: the call may have been executed.
    """


class RedisSlowError(LiveError):
    """
    No answer in time: the call may have been executed, or may still be.
    """


class RedisRefusedError(LiveError):
    """
    The server answered with an error.
    """
