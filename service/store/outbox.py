"""The outbox in Redis: a stream that every process reads as one consumer group, and the deliveries that come of it."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from service.control.ports import OutboxEntry
from service.store import keys
from service.store.connection import guarded
from service.store.lanes import KEEP_MS
from service.store.scripts import script

MOST = 10_000  # deliveries listed per endpoint; older ones are forgotten once they are finished

Read = list[tuple[str, OutboxEntry]]
Planned = tuple[str, OutboxEntry, Sequence[tuple[str, str, str]]]


class RedisOutbox:
    """`process` names this consumer; it must differ between processes and stay the same over restarts."""

    def __init__(self, redis: Redis, process: str, most: int = MOST) -> None:
        self._redis, self._process, self._most = redis, process, most
        self._fan_out = script(redis, "fan_out")

    async def read(self, count: int, block_ms: int) -> Read:
        return await self._read(">", count, block_ms)

    async def unfinished(self, count: int) -> Read:
        return await self._read("0", count, None)

    async def abandoned(self, idle_ms: int, count: int) -> Read:
        with guarded():
            await self._group()
            answer = await self._redis.xautoclaim(
                keys.OUTBOX, keys.OUTBOX_GROUP, self._process, idle_ms, start_id="0-0", count=count
            )
        return _entries(answer[1])

    async def fan_out(self, batch: Sequence[Planned], now: int) -> None:
        args: list[str | bytes | int] = [keys.OUTBOX_GROUP, now, self._most, KEEP_MS]
        for entry_id, event, targets in batch:
            args += [entry_id, event.id, event.type, event.resource, event.body, len(targets)]
            args += [part for target in targets for part in target]
        with guarded():
            await self._fan_out(keys=[keys.OUTBOX], args=args)

    async def add(self, event: OutboxEntry, targets: Sequence[tuple[str, str, str]], now: int) -> None:
        await self.fan_out([("", event, targets)], now)

    async def depth(self) -> int:
        with guarded():
            return int(await self._redis.xlen(keys.OUTBOX))

    async def _read(self, start: str, count: int, block_ms: int | None) -> Read:
        with guarded():
            try:
                answer = await self._redis.xreadgroup(
                    keys.OUTBOX_GROUP, self._process, {keys.OUTBOX: start}, count=count, block=block_ms
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self._group()
                return []
        streams: Any = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer or []]
        return _entries([entry for entries in streams for entry in entries])

    async def _group(self) -> None:
        try:
            await self._redis.xgroup_create(keys.OUTBOX, keys.OUTBOX_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def _entries(rows: Sequence[Any]) -> Read:
    return [(entry_id.decode(), _event(fields)) for entry_id, fields in rows]


def _event(fields: dict[bytes, bytes]) -> OutboxEntry:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    return OutboxEntry(text(b"id"), text(b"type"), text(b"resource"), text(b"url"), fields.get(b"body", b""))
