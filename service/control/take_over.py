"""What is done when this process has adopted the calls of one that is gone: nothing that it was doing is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from service.control.watch import Watch
from service.errors import StoreUnavailable

log = structlog.get_logger()

AGAIN_SECONDS = 0.3


class TakeOver:
    """`release` makes due what a dead process was sending; `watch` finds out what became of its calls."""

    def __init__(self, release: Callable[[str], Awaitable[None]], watch: Watch) -> None:
        self._release, self._watch = release, watch
        self._dead: set[str] = set()
        self._told = asyncio.Event()

    def adopted(self, dead: set[str]) -> None:
        """Takes the processes' applications; the work is done by `run`."""
        self._dead |= dead
        self._told.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            self._watch.look_again()
            while self._dead:
                await self._finish(self._dead.pop())
            await self._watch.compare_all()

    async def _finish(self, dead: str) -> None:
        try:
            await self._release(dead)
        except StoreUnavailable:
            self._dead.add(dead)
            await asyncio.sleep(AGAIN_SECONDS)
