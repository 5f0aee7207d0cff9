"""What nodes hold is derived from the store: pushed when something changes, compared when a node comes back, and from
time to time.

Whoever pushes reads the store again afterwards, and goes on until nothing differs: of two processes that push different
versions at once, the later one finds out.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar

import structlog

from service.control.membership import Lines, Membership
from service.errors import AsteriskUnavailable, StoreUnavailable

log = structlog.get_logger()

LOOK_SECONDS = 0.5
COMPARE_SECONDS = 15.0
SHARE = 50  # a comparison that takes long comes so much more seldom: at most 1/50 of the time goes into them
AGAIN_SECONDS = 2.0  # after a node, or the store, has failed
PATIENCE_SECONDS = 2.0  # that a request waits for nodes
ROUNDS = 5  # of push and look again; somebody who writes all the time is caught up with by the next comparison


class NodeSync(ABC):
    """One per process and kind: `_everywhere` after a write of this process, `run` for the nodes that it holds."""

    what: ClassVar[str]  # for the log

    def __init__(self, membership: Membership, lines: Lines) -> None:
        self._membership, self._lines = membership, lines
        self._due: dict[str, float] = {}
        self._behind: dict[str, float] = {}
        self._attended: frozenset[str] = frozenset()
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._comparing: dict[str, asyncio.Task[None]] = {}

    @abstractmethod
    async def _settle_one(self, node: str, key: str) -> int:
        """Makes a node hold one thing as the store has it; how much had to be changed."""

    @abstractmethod
    async def _settle_all(self, node: str) -> int:
        """The same for all things, and no others."""

    async def _prepare_one(self, node: str, key: str) -> None:  # noqa: B027 (most need none)
        """What takes long, and holds up nothing else for this node."""

    async def _complete_all(self, node: str) -> bool:
        """The same for all things, after they are settled as far as they can be; whether more of them can be now."""
        del node
        return False

    async def _everywhere(self, key: str) -> None:
        """Pushes what the store has of a thing to every node that is there, and waits for them, `PATIENCE_SECONDS` at
        most: a slow node has it later, one that is away when it comes back. Raises nothing of nodes."""
        nodes = [node for node in self._lines.streams if not self._is_behind(node)]
        tasks = [asyncio.create_task(self._guarded(node, partial(self._apply, node, key))) for node in nodes]
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)

    async def connected(self, node: str) -> None:
        """A node's event stream is there (again): whoever holds it compares at once."""
        self._due.pop(node, None)
        self._behind.pop(node, None)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                if self._membership.valid:
                    self._look(time.monotonic())
        finally:
            for task in (*self._tasks, *self._comparing.values()):
                task.cancel()

    def _look(self, now: float) -> None:
        found = self._membership.round
        if found.attended != self._attended:
            self._attended = found.attended
            self._due.clear()
        for node in found.held:
            done = node not in self._comparing or self._comparing[node].done()
            if done and now >= self._due.get(node, now):
                self._due[node] = now + COMPARE_SECONDS
                self._comparing[node] = asyncio.create_task(self._guarded(node, partial(self._compare, node)))

    def _is_behind(self, node: str) -> bool:
        """Whether a node has just failed to take something: all that is new comes to it by the next comparison."""
        if time.monotonic() >= self._behind.get(node, 0):
            return False
        self._due.pop(node, None)
        return True

    async def _guarded(self, node: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except (AsteriskUnavailable, StoreUnavailable) as error:
            log.warning("a node is not settled yet", what=self.what, node=node, why=str(error) or type(error).__name__)
            now = time.monotonic()
            self._behind[node], self._due[node] = now + AGAIN_SECONDS, now + AGAIN_SECONDS
        except Exception:
            log.exception("a node is not settled", what=self.what, node=node)

    async def _apply(self, node: str, key: str) -> None:
        for _ in range(ROUNDS):
            await self._prepare_one(node, key)
            async with self._locks.setdefault(node, asyncio.Lock()):
                if self._is_behind(node) or not await self._settle_one(node, key):
                    return

    async def _compare(self, node: str) -> None:
        took = 0.0
        for _ in range(ROUNDS):
            async with self._locks.setdefault(node, asyncio.Lock()):
                began = time.monotonic()
                changed = 0 if self._is_behind(node) else await self._settle_all(node)
                took += time.monotonic() - began
            if changed:
                log.info("a node is repaired", what=self.what, node=node, changed=changed)
            if not await self._complete_all(node) and not changed:
                break
        if node in self._due:
            self._due[node] = max(self._due[node], time.monotonic() + took * SHARE)
