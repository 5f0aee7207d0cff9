"""The outbox in Redis: a stream that holds exactly the events that are not fanned out yet, and what they become.

Every process reads it from its beginning, and whoever is first with an entry takes it out. So what has been taken is
always the oldest part of the stream: the lanes get their events in order, however many processes there are and
whichever of them dies. A consumer group would hand neighbouring events of a call to processes that race each other.
"""

from collections.abc import Sequence

from service.control.ports import OutboxEntry
from service.store import keys
from service.store.connection import Client, guarded
from service.store.lanes import KEEP_MS
from service.store.scripts import script

MOST = 10_000  # deliveries listed per endpoint; older ones are forgotten once they are finished

Planned = tuple[str, OutboxEntry, Sequence[tuple[str, str, str]]]


class RedisOutbox:
    """What `webhooks.ports.Outbox` says; `most` bounds the list of each endpoint's deliveries."""

    def __init__(self, redis: Client, most: int = MOST) -> None:
        self._redis, self._most = redis, most
        self._fan_out = script(redis, "fan_out")

    async def read(self, count: int, block_ms: int) -> list[tuple[str, OutboxEntry]]:
        with guarded():
            answer = await self._redis.xread({keys.OUTBOX: "0"}, count=count, block=block_ms)
        streams = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer or []]
        # RESP 3 wraps each stream's entries in one more list.
        rows = [row for entries in streams for row in (entries[0] if isinstance(entries[0], list) else entries)]
        return [(entry_id.decode(), _event(fields)) for entry_id, fields in rows]

    async def fan_out(self, batch: Sequence[Planned], now: int) -> None:
        args: list[str | bytes | int] = [now, self._most, KEEP_MS]
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


def _event(fields: dict[bytes, bytes]) -> OutboxEntry:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    return OutboxEntry(text(b"id"), text(b"type"), text(b"resource"), text(b"url"), fields.get(b"body", b""))
