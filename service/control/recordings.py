"""Brings recordings from the nodes into storage. What is due stands in the store, so that a restart goes on with it."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog

from service.calls.call import Call, Direction, Recording
from service.calls.events import RecordingMissing, RecordingStored
from service.calls.times import now_ms
from service.control import metrics
from service.control.ports import CallStore, RecordingStorage, Switch
from service.control.reactor import Reactor
from service.errors import AsteriskUnavailable, StoreUnavailable

log = structlog.get_logger()

LOOK_SECONDS = 0.2  # pause between looks at what is due
LEASE_MS = 10_000  # what a process has taken and not brought by then is taken again, by any
AGAIN_MS = 3_000  # pause after a failure
AT_ONCE = 8
AWAY_MS = 86_400_000  # a node that is away for this long after the end does not come back with the file
GIVE_UP_MS = 3_600_000  # a node that has had no file for this long after the end has none


def pause_ms(age_ms: int) -> int:
    """How long to wait before the next look, by the time since the call's end."""
    return 50 if age_ms < 1_000 else 250 if age_ms < 10_000 else min(age_ms // 4, 60_000)


class RecordingKeeper:
    """One task that fetches what is due, a few side by side."""

    def __init__(self, store: CallStore, switch: Switch, storage: RecordingStorage, reactor: Reactor) -> None:
        self._store, self._switch, self._storage, self._reactor = store, switch, storage, reactor
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    now, room = now_ms(), AT_ONCE - len(self._busy)
                    for call_id in await self._store.take_recordings(now, now + LEASE_MS, room) if room else ():
                        if call_id not in self._busy:
                            self._busy.add(call_id)
                            group.create_task(self._fetch(call_id))
                except StoreUnavailable:
                    log.warning("recordings wait for the store")
                await asyncio.sleep(LOOK_SECONDS)

    async def _fetch(self, call_id: str) -> None:
        held = None
        try:
            held = await self._store.load(call_id)
            if held is None or held.call.recording is not Recording.PENDING:
                await self._store.postpone_recording(call_id, now_ms() + GIVE_UP_MS)
                return
            await self._bring(held.call)
        except StoreUnavailable:
            pass  # it is due again when its lease has run out
        except AsteriskUnavailable:
            if held is not None and now_ms() - (held.call.ended_at or 0) > AWAY_MS:
                await self._missing(held.call)
            await self._later(call_id)
        except Exception:  # a full disk, a node that answers nonsense: it is tried again for as long as it takes
            log.exception("recording not fetched", call_id=call_id)
            await self._later(call_id)
        finally:
            self._busy.discard(call_id)

    async def _later(self, call_id: str) -> None:
        """Lets others go first."""
        with suppress(StoreUnavailable):
            await self._store.postpone_recording(call_id, now_ms() + AGAIN_MS)

    async def _bring(self, call: Call) -> None:
        age = now_ms() - (call.ended_at or 0)
        with tempfile.TemporaryDirectory(prefix="orbit-") as folder:
            raw = Path(folder) / "call.raw"
            if await self._switch.recording(call, raw):
                # The node writes what it hears from the far end first: that is the callee of a call that we dialled.
                swap = call.direction is Direction.OUTBOUND
                length = await self._storage.keep(call.id, raw, swap)
                stored = await self._reactor.handle(RecordingStored(call_id=call.id, at=now_ms(), duration_ms=length))
                if stored is None or stored.recording is not Recording.READY:
                    raise StoreUnavailable("the recording is not on record")
                await self._switch.drop_recording(call)
                metrics.RECORDINGS.labels("stored").inc()
            elif age > GIVE_UP_MS:
                await self._missing(call)
            else:
                await self._store.postpone_recording(call.id, now_ms() + pause_ms(age))

    async def _missing(self, call: Call) -> None:
        with suppress(StoreUnavailable):
            await self._reactor.handle(RecordingMissing(call_id=call.id, at=now_ms()))
            metrics.RECORDINGS.labels("missing").inc()
            log.warning("recording missing", call_id=call.id)
