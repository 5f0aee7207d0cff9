"""Forgets ended calls after a time, with all that belongs to them."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from service.calls.call import Recording
from service.calls.times import now_ms
from service.control.ports import Versioned
from service.errors import StoreUnavailable

log = structlog.get_logger()

DAY_MS = 86_400_000
BATCH = 100  # calls looked at in one go
PAUSE_SECONDS = 0.1  # between two batches
SWEEP_SECONDS = 60.0  # between two sweeps, more or less: processes should not meet


class OldCalls(Protocol):
    """Calls by age."""

    async def created_before(self, before_ms: int, after: str, limit: int) -> Sequence[Versioned]:
        """The oldest calls that were created before this time, of those whose id comes after `after`."""
        ...

    async def delete(self, held: Versioned) -> bool:
        """Deletes a call, its timeline and its index entries; False where it has changed meanwhile."""
        ...


class Recordings(Protocol):
    """Finished recordings."""

    async def delete(self, recording_id: str) -> None:
        """No error where there is none."""
        ...


class Retention:
    """Any number of processes may run it: a deletion names the version that was looked at, and to delete a recording
    twice is no error. A process that finds nothing old asks one question a sweep."""

    def __init__(
        self, calls: OldCalls, recordings: Recordings, days: float, clock: Callable[[], int] = now_ms
    ) -> None:
        self._calls, self._recordings, self._clock = calls, recordings, clock
        self._keep_ms = round(days * DAY_MS)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if deleted := await self.sweep():
                    log.info("old calls deleted", count=deleted)
            except StoreUnavailable:
                log.warning("retention waits for the store")
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311

    async def sweep(self) -> int:
        """Deletes what is old enough, oldest first; returns how many. A call that has not ended, or whose recording is
        on its way, stays, however old it is."""
        limit, after, deleted = self._clock() - self._keep_ms, "", 0
        while held := await self._calls.created_before(limit, after, BATCH):
            for each in held:
                deleted += await self._forget(each, limit)
            if len(held) < BATCH:
                break
            after = held[-1].call.id
            await asyncio.sleep(PAUSE_SECONDS)
        return deleted

    async def _forget(self, held: Versioned, limit: int) -> bool:
        call = held.call
        if call.ended_at is None or call.ended_at >= limit or call.recording is Recording.PENDING:
            return False
        try:
            if call.recording is not Recording.NONE:  # first: without its call, nobody would find the file again
                await self._recordings.delete(call.id)
        except OSError as error:
            log.warning("recording not deleted", call_id=call.id, error=str(error))
            return False
        return await self._calls.delete(held)
