"""Turns the events of the outbox into deliveries."""

import asyncio
import time
from collections.abc import Callable

from service.webhooks import metrics
from service.webhooks.plan import targets
from service.webhooks.ports import Outbox
from service.webhooks.roster import Roster

BATCH = 64
BLOCK_MS = 300  # less than the longest wait for one Redis answer
MEASURE_SECONDS = 5.0
GATHER_SECONDS = 0.006  # after a batch: what comes meanwhile goes together


class FanOut:
    """Owns nothing: what is not fanned out is still in the outbox. `wake` is called after each batch."""

    def __init__(
        self, outbox: Outbox, roster: Roster, clock: Callable[[], int], wake: Callable[[], None], block_ms: int
    ) -> None:
        self._outbox, self._roster, self._clock, self._wake = outbox, roster, clock, wake
        self._block_ms = block_ms
        self._measure_at = 0.0

    async def turn(self) -> None:
        """Takes the oldest events, or waits a while for one."""
        if time.monotonic() >= self._measure_at:
            metrics.OUTBOX_DEPTH.set(await self._outbox.depth())
            self._measure_at = time.monotonic() + MEASURE_SECONDS
        batch = await self._outbox.read(BATCH, self._block_ms)
        if not batch:
            return
        subscriptions = await self._roster.fresh()
        plan = [(entry_id, event, targets(event, subscriptions)) for entry_id, event in batch]
        await self._outbox.fan_out(plan, self._clock())
        self._wake()
        await asyncio.sleep(GATHER_SECONDS)
