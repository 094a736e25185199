"""
Keep what holds a secret from being printed or carried away.
"""

from typing import NoReturn


class Hidden:
    """
    Refuse copies and pickles, and show nothing but the class.

    A subclass declares `__slots__`, so that there is no `__dict__` for a debugger's
    page or a serializer to print.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} hidden>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """
        Refuse: each process opens the key ring for itself.
        """
        raise TypeError(
            f"{type(self).__name__} holds a secret and is not copied or pickled"
        )
