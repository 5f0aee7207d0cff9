"""What every process knows of trunks' far ends, in memory: a call asks nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from service.calls.times import now_ms
from service.control.ports import OutboxEntry
from service.errors import StoreUnavailable
from service.trunks.health import Health, Record, credentials, health_of, is_down, is_down_from
from service.trunks.trunk import Trunk

log = structlog.get_logger()

LOOK_SECONDS = 0.2  # between looks at what is kept in memory until somebody writes
TRIES = 5  # to write what another process writes at the same time


@dataclass(frozen=True, slots=True)
class Stored:
    """A record and the bytes that the next write must find."""

    record: Record
    raw: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One trunk's record, before and after, and the event that tells of it; None: there is none."""

    trunk_id: str
    before: Stored | None
    after: Record | None
    event: OutboxEntry | None = None


class HealthStore(Protocol):
    """Records of trunks. Methods may raise `StoreUnavailable`."""

    async def all(self) -> Mapping[str, Stored]:
        """Every record; without a question to the store while nobody has written one."""
        ...

    async def write(self, changes: Sequence[Change], node: str = "") -> set[str]:
        """Writes each with its event, or not where its record is another by now: the ids of those are returned.

        With a `node`, only the process that compares with it may write; raises `Fenced` where that is another one.
        """
        ...


class HealthBook:
    """Reads what is stored and keeps it. `run` must run; until then nothing is known, and nothing is down. `trunk`
    reads a trunk as it is now; without it, it is not known whose credentials a call was refused for."""

    def __init__(self, store: HealthStore, trunk: Callable[[str], Awaitable[Trunk | None]] | None = None) -> None:
        self._store, self._trunk = store, trunk
        self._stored: Mapping[str, Stored] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def of(self, trunks: Iterable[Trunk]) -> dict[str, Health]:
        """What each of these trunks shows."""
        return {trunk.id: health_of(trunk, self._record(trunk.id)) for trunk in trunks}

    def down(self, trunk_id: str) -> bool:
        """Whether calls to this trunk would fail."""
        return is_down(self._record(trunk_id), now_ms())

    def down_from(self, trunk_id: str, node: str) -> bool:
        """Whether calls to this trunk would fail through this node alone."""
        return is_down_from(self._record(trunk_id), node, now_ms())

    def called(self, trunk_id: str, refused: bool) -> None:
        """A call showed whether the carrier takes the trunk's credentials."""
        if refused or self._record(trunk_id).refused:
            task = asyncio.create_task(self._called(trunk_id, refused))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(StoreUnavailable):  # what was known last is the best there is
                self._stored = await self._store.all()
            await asyncio.sleep(LOOK_SECONDS)

    def _record(self, trunk_id: str) -> Record:
        stored = self._stored.get(trunk_id)
        return stored.record if stored else Record()

    async def _called(self, trunk_id: str, refused: bool) -> None:
        try:
            trunk = await self._trunk(trunk_id) if self._trunk else None
            if trunk is None:
                return
            of = credentials(trunk) if refused else ""
            for _ in range(TRIES):
                before = (await self._store.all()).get(trunk_id)
                record = before.record if before else Record()
                after = replace(record, refused=of)
                if after == record or not await self._store.write([Change(trunk_id, before, after)]):
                    return
        except StoreUnavailable:
            log.info("whether a trunk's credentials are refused is not stored", trunk=trunk_id)
