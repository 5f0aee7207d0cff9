"""Looks after the nodes: the comparisons that are due, and the calls of a node that nobody reaches any more."""

import asyncio
import time
from collections.abc import Iterable

from service.control.membership import Lines, Membership
from service.control.reconcile import Reconciler

LOOK_SECONDS = 0.5
COMPARE_SECONDS = 15.0  # pause between comparisons with a node whose stream is alive: the safety net under the stream
AGAIN_SECONDS = 1.5, 6.0  # after a take-over: for what was too young to be judged then
SETTLED_MS = 2_000  # what is younger, the stream may still bring


class Watch:
    """One per process; of several processes, the one that holds a node compares with it."""

    def __init__(self, reconciler: Reconciler, membership: Membership, lines: Lines, lost_seconds: float) -> None:
        self._reconciler, self._membership, self._lines = reconciler, membership, lines
        self._lost_seconds = lost_seconds
        self._attended: dict[str, float] = {}
        self._compared: dict[str, float] = {}
        self._again: list[float] = []

    def look_again(self) -> None:
        """Calls were taken over: what is too young to be judged now is looked at a little later."""
        self._again += [time.monotonic() + seconds for seconds in AGAIN_SECONDS]

    async def compare_all(self) -> None:
        """Finds out what became of calls that were just taken over. A node that is away follows when it is back."""
        await self._compare(self._lines.streams, 0)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._membership.valid:
                self._attended.clear()  # nobody can tell now who reaches which node
            else:
                now, found = time.monotonic(), self._membership.round
                due = {n for n in found.held if now - self._compared.setdefault(n, now) > COMPARE_SECONDS}
                if self._again and now >= self._again[0]:
                    del self._again[0]
                    due.update(self._lines.streams)
                self._compared.update(dict.fromkeys(due, now))
                await self._compare(due, SETTLED_MS)
                for node in self._lines.names:
                    await self._mourn(node, now)

    async def _compare(self, nodes: Iterable[str], settled_ms: int) -> None:
        await asyncio.gather(*(self._reconciler.compare(node, settled_ms) for node in nodes))

    async def _mourn(self, node: str, now: float) -> None:
        if node in self._membership.round.attended or node not in self._attended:
            self._attended[node] = now
        elif now - self._attended[node] > self._lost_seconds:
            self._attended[node] = now
            await self._reconciler.lost(node)
