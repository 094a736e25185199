"""
Tell Redis of all open holds: at the start, after it lost them, and now and then.
"""

import asyncio
from contextlib import suppress

from gateway.engine.clerk_ports import (
    ClerkObserver,
    Expiries,
    HoldBook,
    Loaded,
    OpenHold,
    Page,
)
from gateway.engine.ports import BooksUnavailableError

PAGE_HOLDS = 1_000
RETRY_S = 1.0


class ExpiryLoader:
    """
    Load page by page beside the clerk's turns, one load at a time.

    A load that fails, or that another clerk has begun, is looked at again after a
    pause. What is loaded is loaded again every `reload_s`: what was dropped on the way,
    or found no room, is then there.
    """

    def __init__(
        self,
        book: HoldBook,
        expiries: Expiries,
        observer: ClerkObserver,
        *,
        reload_s: float,
    ) -> None:
        self._book = book
        self._expiries = expiries
        self._observer = observer
        self._reload_s = reload_s
        self._task: asyncio.Task[None] | None = None
        self._next_load_s = 0.0
        self._next_reload_s: float | None = None

    def see(self, loaded: Loaded) -> None:
        """
        Hear what Redis knows, and begin to load if it is time to.
        """
        now_s = asyncio.get_running_loop().time()
        if self._task is not None and not self._task.done():
            return
        if loaded is Loaded.LOST and now_s >= self._next_load_s:
            self._begin(Page.FIRST)
        elif loaded is Loaded.ALL:
            if self._next_reload_s is None:
                self._next_reload_s = now_s + self._reload_s
            elif now_s >= self._next_reload_s:
                self._begin(Page.MORE)

    async def stop(self) -> None:
        """
        End a load that is under way; another clerk begins it again.
        """
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _begin(self, page: Page) -> None:
        loop = asyncio.get_running_loop()
        self._next_load_s = loop.time() + RETRY_S
        self._next_reload_s = loop.time() + self._reload_s
        self._task = loop.create_task(self._load(page), name="expiries")

    async def _load(self, page: Page) -> None:
        began_s = asyncio.get_running_loop().time()
        try:
            count = await self._load_pages(page)
        except BooksUnavailableError as error:
            self._observer.books_away(error)
            return
        except Exception as error:  # noqa: BLE001 - the clerk goes on with the books
            self._observer.alarm("loading the expiries failed", error)
            return
        if count is not None:
            seconds = asyncio.get_running_loop().time() - began_s
            self._observer.loaded(count, seconds)

    async def _load_pages(self, page: Page) -> int | None:
        """
        Load to the end; None where Redis did not take a page.
        """
        count = 0
        last: OpenHold | None = None
        while True:
            holds = await self._book.holds_until(None, after=last, limit=PAGE_HOLDS)
            if not await self._expiries.load(holds, page):
                return None
            count += len(holds)
            if len(holds) < PAGE_HOLDS:
                break
            last = holds[-1]
            if page is Page.FIRST:
                page = Page.NEXT
        if page is not Page.MORE and not await self._expiries.load((), Page.LAST):
            return None
        return count
