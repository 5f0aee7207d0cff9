"""One place in a fleet, under a name: whoever ends there by itself is followed by another of the same name."""

import asyncio
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from service.fleet.worker import Worker

log = structlog.get_logger()

FENCED = 75  # exit status of a worker that found its calls taken over by another
BACK_OFF = (0.0, 0.0, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before the next start, by how many in a row died young
YOUNG = 10.0  # seconds

Start = Callable[[str], Awaitable[Worker]]


class Post:
    """Held by one worker after the other from its making until it is given up."""

    def __init__(self, name: str, start: Start) -> None:
        self.name = name
        self._start = start
        self._worker: Worker | None = None
        self._first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._seconds = 0.0
        self._kept = asyncio.create_task(self._keep())

    async def ready(self, seconds: float) -> bool:
        """Whether the first worker takes calls within that time; false at once where it ends."""
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self._first), seconds)
        return False

    def give_up(self, seconds: float) -> None:
        """Asks its worker to stop; after `seconds` it is killed."""
        self._seconds = seconds
        self._over.set()

    async def empty(self) -> None:
        """Returns once the last worker of a post that was given up is gone."""
        await asyncio.wait((self._kept,))
        self._kept.result()

    def kill(self) -> None:
        if self._worker:
            self._worker.kill()

    async def _keep(self) -> None:
        young = 0
        while not self._over.is_set():
            begun = time.monotonic()
            try:
                self._worker = await self._start(self.name)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            else:
                why = ending(await self._hold(self._worker))
            self._known(False)
            young = young + 1 if time.monotonic() - begun < YOUNG else 0
            if not self._over.is_set():
                pause = BACK_OFF[min(young, len(BACK_OFF) - 1)]
                log.warning("worker ended", worker=self.name, why=why, next_in_seconds=pause)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), pause)

    async def _hold(self, worker: Worker) -> int:
        """Its exit status, once it has ended, by itself or because the post was given up."""
        log.info("worker started", worker=worker.name, pid=worker.pid)
        begun = time.monotonic()
        ended, ready, over = map(asyncio.ensure_future, (worker.ended(), worker.ready.wait(), self._over.wait()))
        await asyncio.wait((ended, ready, over), return_when=FIRST_COMPLETED)
        if ready.done():
            log.info("worker ready", worker=worker.name, pid=worker.pid, seconds=round(time.monotonic() - begun, 2))
            self._known(True)
            await asyncio.wait((ended, over), return_when=FIRST_COMPLETED)
        if not ended.done():
            await worker.end(self._seconds)
        for waiting in (ready, over):
            waiting.cancel()
        return await ended

    def _known(self, ready: bool) -> None:
        if not self._first.done():
            self._first.set_result(ready)


def ending(status: int) -> str:
    """How a process ended, in words."""
    if status < 0:
        return f"signal {-status}"
    return "fenced: another has its calls" if status == FENCED else f"status {status}"
