"""Several workers side by side, all of them replaceable while requests go on."""

import asyncio
import time
from dataclasses import dataclass
from itertools import count

import structlog

from service.fleet.post import Post, Start

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a fleet waits for a worker, in seconds."""

    ready: float = 30.0  # until a successor takes calls
    stop: float = 25.0  # from the request to stop until the kill


class Fleet:
    """`size` posts, each named `<name>-<slot>`. Slots count from 1; a successor has the first that is free."""

    def __init__(self, name: str, size: int, start: Start, patience: Patience = Patience()) -> None:
        self._name, self._size, self._start, self._patience = name, size, start, patience
        self._posts: dict[int, Post] = {}
        self._replacement, self._stop = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Until it was told to stop and every worker is gone."""
        for _ in range(self._size):
            self._open()
        replacing = asyncio.create_task(self._replace_when_told())
        await self._stop.wait()
        replacing.cancel()
        for post in self._posts.values():
            post.give_up(self._patience.stop)
        log.info("stopping", workers=[post.name for post in self._posts.values()])
        await asyncio.gather(*(post.empty() for post in self._posts.values()))

    def replace(self) -> None:
        """Every worker is replaced. Told while that goes on, it is done once more afterwards."""
        self._replacement.set()

    def stop(self) -> None:
        """Every worker is asked to stop. Told twice, they are killed."""
        if self._stop.is_set():
            for post in self._posts.values():
                post.kill()
        self._stop.set()

    def _open(self) -> int:
        slot = next(slot for slot in count(1) if slot not in self._posts)
        self._posts[slot] = Post(f"{self._name}-{slot}", self._start)
        return slot

    async def _close(self, slot: int, seconds: float) -> None:
        self._posts[slot].give_up(seconds)
        await self._posts[slot].empty()
        del self._posts[slot]

    async def _replace_when_told(self) -> None:
        while True:
            await self._replacement.wait()
            self._replacement.clear()
            for slot in tuple(self._posts):
                if not await self._replace(slot):
                    break

    async def _replace(self, slot: int) -> bool:
        """One worker's successor, ready before it is told to stop. Where the successor does not become ready it is
        killed, and the worker stays."""
        begun, old = time.monotonic(), self._posts[slot]
        successor = self._open()
        new = self._posts[successor]
        if not await new.ready(self._patience.ready):
            await self._close(successor, 0)
            log.error("successor not ready, nothing more is replaced", stays=old.name, successor=new.name)
            return False
        await self._close(slot, self._patience.stop)
        log.info("worker replaced", old=old.name, new=new.name, seconds=round(time.monotonic() - begun, 2))
        return True
