"""Deliveries as the API shows them, newest first, and their replay."""

from typing import Any

from service.calls.times import rfc3339
from service.control.ports import Page
from service.errors import Conflict, InvalidCursor, NotFound
from service.store import keys
from service.store.connection import Client, guarded
from service.store.cursor import decode_cursor, encode_cursor
from service.store.scripts import script


class RedisDeliveries:
    """What an API user sees of the deliveries to a webhook."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._replay = script(redis, "replay")

    async def page(self, webhook_id: str, cursor: str | None, limit: int) -> Page:
        """One page, newest first. Raises `InvalidCursor`."""
        after = decode_cursor(cursor, "dlv") if cursor is not None else None
        if cursor is not None and after is None:
            raise InvalidCursor
        found: list[dict[str, Any]] = []
        while True:
            ids, records, total = await self._read(webhook_id, after, limit + 1 - len(found))
            found += [_document(record) for record in records if record]
            if not ids or len(found) > limit:
                break
            after = ids[-1]
        more = len(found) > limit
        return Page(found[:limit], encode_cursor(found[limit - 1]["id"]) if more else None, total)

    async def _read(self, webhook_id: str, after: str | None, count: int) -> tuple[list[str], list[Any], int]:
        """Ids below `after`, their records, and how many there are; ids whose record has expired are dropped."""
        index = keys.deliveries(webhook_id)
        with guarded():
            top = f"({after}" if after else "+"
            found = await self._redis.zrevrangebylex(index, top, "-", start=0, num=count)
            ids = [member.decode() for member in found]
            pipe = self._redis.pipeline(transaction=False)
            for delivery_id in ids:
                pipe.hgetall(keys.delivery(delivery_id))
            records = await pipe.execute()
            gone = [each for each, record in zip(ids, records, strict=True) if not record]
            if gone:
                await self._redis.zrem(index, *gone)
            return ids, records, int(await self._redis.zcard(index))

    async def get(self, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        with guarded():
            record = await self._redis.hgetall(keys.delivery(delivery_id))
        if not record or record[b"endpoint"].decode() != webhook_id:
            raise NotFound
        return _document(record)

    async def replay(self, webhook_id: str, delivery_id: str, now: int) -> None:
        """Sends a dead delivery anew, or a retrying one at once, with all its attempts before it again.

        Event id and delivery id stay. Raises `NotFound`, and `Conflict` for one that is delivered or on its way.
        """
        with guarded():
            answer = await self._replay(keys=[keys.OUTBOX], args=[delivery_id, webhook_id, now])
        if answer == b"missing":
            raise NotFound
        if answer == b"conflict":
            raise Conflict("Only a delivery that failed can be replayed.")


def _document(record: dict[bytes, bytes]) -> dict[str, Any]:
    def text(name: str) -> str | None:
        return record.get(name.encode(), b"").decode("utf-8", "replace") or None

    def number(name: str) -> int | None:
        return int(found) if (found := text(name)) else None

    endpoint = text("endpoint") or ""
    return {
        "id": text("id"),
        "webhook_id": endpoint if endpoint.startswith("wh_") else None,
        "event_id": text("event_id"),
        "event_type": text("event_type"),
        "resource_id": text("resource_id"),
        "url": text("url"),
        "status": text("status"),
        "attempts": number("attempts"),
        "next_attempt_at": rfc3339(number("next_attempt_at")),
        "response_status": number("response_status"),
        "error": text("error"),
        "created_at": rfc3339(number("created_at")),
        "delivered_at": rfc3339(number("delivered_at")),
    }
