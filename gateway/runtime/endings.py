"""
How tasks of a process end, and what came first.
"""

import asyncio
from typing import Any


async def ended_before(work: asyncio.Task[Any], stop: asyncio.Event) -> bool:
    """
    Wait for work to end, however it does; False means that a stop came before.
    """
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
    is_done = work.done()
    for task in (stopped, work):
        task.cancel()
    if not is_done:
        await asyncio.wait([work])
    return is_done


def why_ended(task: asyncio.Task[Any]) -> BaseException | None:
    """
    Give what a task that is done ended with, if it was an error.
    """
    return None if task.cancelled() else task.exception()
