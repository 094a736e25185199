"""
Functions to be watched.
"""


def outer(number: int) -> int:
    """
    Call another.
    """
    return inner(number) + inner(number + 1)


def inner(number: int) -> int:
    """
    Count on.
    """
    return number + 1


def failing(number: int) -> float:
    """
    Divide, which fails for 0.
    """
    return 1 / number
