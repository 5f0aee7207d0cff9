"""Keeps every node's trunks as the store has them: pushed when one changes, compared when a node comes back, and from
time to time.

What a node holds is derived. Whoever pushes reads the store again afterwards, and goes on until nothing differs: of
two processes that push different versions at once, the later one finds out.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import structlog

from service.control.membership import Lines, Membership
from service.errors import AsteriskUnavailable, StoreUnavailable
from service.trunks.trunk import Trunk

log = structlog.get_logger()

LOOK_SECONDS = 0.5
COMPARE_SECONDS = 15.0
AGAIN_SECONDS = 2.0  # after a node, or the store, has failed
PATIENCE_SECONDS = 2.0  # that a request waits for nodes
ROUNDS = 5  # of push and look again; somebody who writes all the time is caught up with by the next comparison


class Origin(NamedTuple):
    """The addresses and networks that calls come from; not `complete` where a name cannot be looked up now."""

    addresses: tuple[str, ...] = ()
    complete: bool = True


Origins = Mapping[str, Origin]
"""Trunk → where its calls come from."""


class StoredTrunks(Protocol):
    """Trunks as the store has them now."""

    async def all(self) -> list[Trunk]: ...

    async def by_id(self, trunk_id: str) -> Trunk | None: ...


class TrunkNodes(Protocol):
    """The trunks that nodes hold."""

    async def settle(self, node: str, trunks: Sequence[Trunk], origins: Origins, registers: frozenset[str]) -> int:
        """Makes a node hold these trunks and no others, and register those of `registers`; what it holds of a trunk
        whose origins are not known stays. Returns how many objects had to be changed.

        Raises `AsteriskUnavailable`.
        """
        ...

    async def settle_one(
        self, node: str, trunk_id: str, trunk: Trunk | None, origins: Origins, registers: frozenset[str]
    ) -> int:
        """The same for one trunk; None where it is deleted."""
        ...


class OriginBook(Protocol):
    """Looks names up."""

    async def of(self, trunks: Sequence[Trunk]) -> Origins: ...


class TrunkSync:
    """One per process: `apply` after a write of this process, `run` for the nodes that it holds."""

    def __init__(
        self, trunks: StoredTrunks, nodes: TrunkNodes, origins: OriginBook, membership: Membership, lines: Lines
    ) -> None:
        self._trunks, self._nodes, self._origins = trunks, nodes, origins
        self._membership, self._lines = membership, lines
        self._due: dict[str, float] = {}
        self._behind: dict[str, float] = {}
        self._attended: frozenset[str] = frozenset()
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._comparing: dict[str, asyncio.Task[None]] = {}

    async def apply(self, trunk_id: str) -> None:
        """Pushes what the store has of a trunk to every node that is there, and waits for them, `PATIENCE_SECONDS` at
        most: a slow node has it later, one that is away when it comes back. Raises nothing of nodes."""
        nodes = [node for node in self._lines.streams if not self._is_behind(node)]
        tasks = [asyncio.create_task(self._guarded(node, partial(self._apply, node, trunk_id))) for node in nodes]
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
        if found.attended != self._attended:  # registrations may move
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
            async with self._locks.setdefault(node, asyncio.Lock()):
                if not self._is_behind(node):
                    await work()
        except (AsteriskUnavailable, StoreUnavailable) as error:
            log.warning("trunks of a node not settled yet", node=node, error=type(error).__name__)
            now = time.monotonic()
            self._behind[node], self._due[node] = now + AGAIN_SECONDS, now + AGAIN_SECONDS
        except Exception:
            log.exception("trunks of a node not settled", node=node)

    async def _apply(self, node: str, trunk_id: str) -> None:
        for _ in range(ROUNDS):
            trunk = await self._trunks.by_id(trunk_id)
            some = [trunk] if trunk else []
            origins = await self._origins.of(some)
            if not await self._nodes.settle_one(node, trunk_id, trunk, origins, self._registers(node, some)):
                return

    async def _compare(self, node: str) -> None:
        for _ in range(ROUNDS):
            trunks = await self._trunks.all()
            origins = await self._origins.of(trunks)
            changed = await self._nodes.settle(node, trunks, origins, self._registers(node, trunks))
            if not changed:
                return
            log.info("trunks of a node repaired", node=node, objects=changed)

    def _registers(self, node: str, trunks: Iterable[Trunk]) -> frozenset[str]:
        nodes = self._membership.round.attended | {node}
        return frozenset(trunk.id for trunk in trunks if trunk.register and home(trunk.id, nodes) == node)


def home(trunk_id: str, nodes: Iterable[str]) -> str:
    """The one of the nodes that registers a trunk: a carrier sends each call to every place that is registered
    (rendezvous hashing, so that few move when a node comes or goes)."""
    return max(nodes, key=lambda node: hashlib.sha256(f"{trunk_id}@{node}".encode()).digest())
