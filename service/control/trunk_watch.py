"""Watches trunks' far ends through the nodes that this process holds, and tells of changes, each one once.

A node's news only say that it is time to look; what is so, its list says. The state and its event are written together,
against the record that was read: of two processes that find the same change, one writes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import orjson
import structlog

from service.calls.ids import mint
from service.calls.times import now_ms, rfc3339
from service.control import metrics
from service.control.membership import Membership
from service.control.ports import OutboxEntry
from service.control.trunk_health import Change, HealthStore, Stored
from service.errors import AsteriskUnavailable, Fenced, StoreUnavailable
from service.trunks.health import (
    AGAIN_MS,
    Health,
    Record,
    Seen,
    alike,
    announced,
    asked,
    health_of,
    in_doubt,
    looked,
    to_ask,
)
from service.trunks.trunk import Trunk

log = structlog.get_logger()

HELD_SECONDS = 0.5  # between looks at which nodes this process holds
ALL_SECONDS = 15.0  # the longest pause between looks at a node's trunks; then times are stored too
GATHER_SECONDS = 0.2  # news of this time are one look
ASKED_AT_ONCE = 50  # of trunks that a node has not asked yet, and of those in doubt; the others wait for the next look
LOGGED = 10  # trunks named in one line
BREATH = 50  # trunks looked at in one go


class Contacts(Protocol):
    """What nodes know of the far ends. Methods may raise `AsteriskUnavailable`."""

    def listen(self, heard: Callable[[str], None]) -> None:
        """`heard` gets the node's name when something changed there, or it can be asked again."""
        ...

    async def look(self, node: str) -> Mapping[str, Seen]:
        """Endpoint → what the node knows."""
        ...

    async def ask(self, node: str, endpoint: str) -> bool:
        """Has the node ask the far end now; False where it does not. The answer shows in `look`, and is news where it
        is another than before."""
        ...


class TrunkWatch:
    """One per process. `trunks` reads all trunks, `show` makes the resource as the API shows it."""

    def __init__(
        self,
        contacts: Contacts,
        store: HealthStore,
        trunks: Callable[[], Awaitable[Sequence[Trunk]]],
        membership: Membership,
        show: Callable[[Trunk, Health], dict[str, Any]],
    ) -> None:
        self._contacts, self._store, self._trunks, self._show = contacts, store, trunks, show
        self._membership = membership
        self._news: dict[str, asyncio.Event] = {}
        contacts.listen(self._heard)

    def _heard(self, node: str) -> None:
        if node in self._news:
            self._news[node].set()

    async def run(self) -> None:
        """Until cancelled."""
        following: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                held = self._membership.round.held if self._membership.valid else frozenset()
                for node in following.keys() - held:
                    following.pop(node).cancel()
                for node in held - following.keys():
                    following[node] = asyncio.create_task(self._follow(node))
                await asyncio.sleep(HELD_SECONDS)
        finally:
            for task in following.values():
                task.cancel()

    async def _follow(self, node: str) -> None:
        news = self._news[node] = asyncio.Event()
        stored_at = 0.0
        while True:
            news.clear()
            now = time.monotonic()
            whole = now - stored_at >= ALL_SECONDS - 1
            try:
                pause = await self.look(node, whole)
                stored_at = now if whole else stored_at
            except (AsteriskUnavailable, StoreUnavailable) as error:
                log.info("trunks of a node not looked at", node=node, error=type(error).__name__)
                pause = 2.0
            except Exception:
                log.exception("trunks of a node not looked at", node=node)
                pause = ALL_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await news.wait()
            await asyncio.sleep(GATHER_SECONDS)

    async def look(self, node: str, whole: bool = True) -> float:
        """Looks once and stores what is new; `whole`: also times alone. Returns the seconds until the next look at the
        latest."""
        seen, trunks, stored = await self._contacts.look(node), await self._trunks(), await self._store.all()
        attended = self._membership.round.attended | {node}
        now = now_ms()
        after: dict[str, Record] = {}
        due, doubts = [], False
        async for trunk in _in_breaths(trunks):
            found = seen.get(trunk.endpoint) if trunk.enabled else None
            record = looked(_record(stored.get(trunk.id)), node, found, trunk.enabled, attended, now)
            after[trunk.id] = record
            if found is not None:
                doubts = doubts or in_doubt(record.sightings[node])
                if to_ask(record.sightings[node], found):
                    due.append(trunk)
        asking = await self._ask(node, due[:ASKED_AT_ONCE])
        for trunk_id in asking:
            after[trunk_id] = asked(after[trunk_id], node, now_ms())
        changes = []
        async for trunk in _in_breaths(trunks):
            old = stored.get(trunk.id)
            before = _record(old)
            if not alike(before, after[trunk.id]) or (whole and after[trunk.id] != before):
                changes.append(self._change(trunk, old, after[trunk.id], now))
        changes += [Change(trunk_id, stored[trunk_id], None) for trunk_id in stored.keys() - after.keys()]
        late = await self._write(changes, node) if changes else set()
        if late or 0 < len(asking) < len(due):
            return 0.0
        return AGAIN_MS / 1000 if doubts else ALL_SECONDS

    async def _ask(self, node: str, trunks: Sequence[Trunk]) -> set[str]:
        """Has the node ask these, as far as it is there; returns the ids of those that it asks."""
        asking: set[str] = set()
        with suppress(AsteriskUnavailable):  # the next look tells
            for trunk in trunks:
                if await self._contacts.ask(node, trunk.endpoint):
                    asking.add(trunk.id)
        return asking

    async def _write(self, changes: Sequence[Change], node: str) -> set[str]:
        try:
            late = await self._store.write(changes, node)
        except Fenced:
            return set()  # another process compares with this node by now, and looks
        told: dict[str, list[str]] = {}
        for change in changes:
            if change.event and change.trunk_id not in late:
                told.setdefault(change.event.type.removeprefix("trunk."), []).append(change.trunk_id)
        for state, trunks in told.items():
            log.info(f"trunks {state}", node=node, count=len(trunks), trunks=trunks[:LOGGED])
            metrics.TRUNK_CHANGES.labels(state).inc(len(trunks))
        return late

    def _change(self, trunk: Trunk, old: Stored | None, after: Record, now: int) -> Change:
        told = announced(after)
        if told is None:
            return Change(trunk.id, old, after)
        event_id, kind = mint("evt", now), f"trunk.{told.state}"
        body = orjson.dumps(
            {
                "id": event_id,
                "type": kind,
                "created_at": rfc3339(now),
                "sequence": told.sequence,
                "data": self._show(trunk, health_of(trunk, told)),
            }
        )
        return Change(trunk.id, old, told, OutboxEntry(event_id, kind, trunk.id, "", body))


async def _in_breaths(trunks: Iterable[Trunk]) -> AsyncIterator[Trunk]:
    """Calls do not wait for all of them."""
    for count, trunk in enumerate(trunks, 1):
        if count % BREATH == 0:
            await asyncio.sleep(0)
        yield trunk


def _record(stored: Stored | None) -> Record:
    return stored.record if stored else Record()
