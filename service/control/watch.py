"""Looks after the nodes: the comparisons that are due, and the calls of a node that nobody reaches any more."""

import asyncio
import time

from service.control.membership import Lines, Membership
from service.control.reconcile import Reconciler

LOOK_SECONDS = 1.0
COMPARE_SECONDS = 15.0  # pause between comparisons with a node whose stream is alive: the safety net under the stream
SETTLED_MS = 2_000  # what is younger, the stream may still bring


class Watch:
    """One per process; of several processes, the one that holds a node compares with it."""

    def __init__(self, reconciler: Reconciler, membership: Membership, lines: Lines, lost_seconds: float) -> None:
        self._reconciler, self._membership, self._lines = reconciler, membership, lines
        self._lost_seconds = lost_seconds
        self._attended: dict[str, float] = {}
        self._compared: dict[str, float] = {}

    async def compare_all(self) -> None:
        """Finds out what became of calls that were just taken over. A node that is away follows when it is back."""
        async with asyncio.TaskGroup() as group:
            for node in self._lines.streams:
                group.create_task(self._reconciler.compare(node))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._membership.valid:
                now = time.monotonic()
                await asyncio.gather(*(self._look(node, now) for node in self._lines.names))

    async def _look(self, node: str, now: float) -> None:
        found = self._membership.round
        if node in found.attended or node not in self._attended:
            self._attended[node] = now
        elif now - self._attended[node] > self._lost_seconds:
            self._attended[node] = now
            await self._reconciler.lost(node)
        if node in found.held and now - self._compared.setdefault(node, now) > COMPARE_SECONDS:
            self._compared[node] = now
            await self._reconciler.compare(node, SETTLED_MS)
