"""Lanes in Redis: the deliveries to one endpoint about one resource, in order, worked on under a lease."""

import itertools
import secrets
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from service.control.ports import OutboxEntry
from service.store import keys
from service.store.connection import Client, guarded
from service.store.scripts import script

KEEP_MS = 7 * 24 * 3600 * 1000  # a finished delivery is kept for so long


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery at the head of its lane, leased to this process. `event.url` is where it goes."""

    id: str
    endpoint: str
    status: str
    attempts: int
    created_at: int
    untried: bool
    lease: str
    event: OutboxEntry


class Leased(Protocol):
    """What names a delivery under a lease."""

    @property
    def id(self) -> str: ...
    @property
    def lease(self) -> str: ...


class RedisLanes:
    """`lease_ms` must be longer than one request takes. Processes' clocks may differ by less than what it is longer.
    `process` names the holder of the leases, a new name at each start; a `member` that was taken over gets none."""

    def __init__(self, redis: Client, lease_ms: int, process: str = "", *, member: bool = False) -> None:
        self._lease_ms = lease_ms
        self._claim, self._settle = script(redis, "claim"), script(redis, "settle")
        self._release = script(redis, "release")
        self._name, self._count = process or secrets.token_hex(8), itertools.count()
        self._redis, self._missed = redis, set[str]()
        self._member = self._name if member else ""

    async def claim(
        self, now: int, each: int, total: int, busy: Mapping[str, int]
    ) -> tuple[Sequence[Claimed], int | None]:
        under_way = [part for pair in busy.items() for part in pair]
        with guarded():
            next_due, records = await self._claim(
                keys=[keys.OUTBOX, keys.MEMBERS],
                args=[now, now + self._lease_ms, self._lease(), each, total, self._member, *under_way],
            )
        return [_claimed(record) for record in records], int(float(next_due)) if next_due else None

    async def settle(
        self, held: Leased, now: int, status: str, due: int, fields: Mapping[str, str | int], go_on: bool
    ) -> Claimed | None:
        next_lease = self._lease() if go_on else ""
        stored = [part for pair in fields.items() for part in pair]
        with guarded():
            following = await self._settle(
                keys=[keys.OUTBOX],
                args=[held.id, held.lease, now, status, due, KEEP_MS, next_lease, now + self._lease_ms, *stored],
            )
        return _claimed(following) if following else None

    async def release(self, process: str, now: int) -> None:
        """Makes what a dead process holds due at once."""
        with guarded():
            await self._release(keys=[keys.OUTBOX], args=[process, now])

    async def sweep(self, in_hand: Set[str], now: int) -> None:
        with guarded():
            held = {each.decode() for each in await self._redis.smembers(keys.leased_by(self._name))} - in_hand
            lost, self._missed = held & self._missed, held - self._missed
            if lost:
                await self._release(keys=[keys.OUTBOX], args=[self._name, now, *lost])

    def _lease(self) -> str:
        """A new token each time: an outcome under an old lease counts no more, not even this process's own."""
        return f"{self._name}:{next(self._count)}"


def _claimed(flat: Sequence[bytes]) -> Claimed:
    record = dict(zip(flat[::2], flat[1::2], strict=True))

    def text(name: bytes) -> str:
        return record[name].decode("utf-8", "replace")

    return Claimed(
        id=text(b"id"),
        endpoint=text(b"endpoint"),
        status=text(b"status"),
        attempts=int(record[b"attempts"]),
        created_at=int(record[b"created_at"]),
        untried=b"duration_ms" not in record,
        lease=text(b"lease"),
        event=OutboxEntry(
            text(b"event_id"), text(b"event_type"), text(b"resource_id"), text(b"url"), record.get(b"body", b"")
        ),
    )
