"""Small collections (numbers, trunks, webhooks, keys): a document per id, an order by id, one unique value each."""

from typing import Any

import orjson

from service.control.ports import Page
from service.errors import Conflict, InvalidCursor
from service.store import keys
from service.store.connection import Client, guarded
from service.store.cursor import decode_cursor, encode_cursor

# KEYS: documents, order, unique. ARGV: id, document, unique value and the one before ('' none), the document before
# ('' where it must be new).
PUT = """
local there = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[5] ~= '' and there ~= ARGV[5] then return there and 'changed' or 'gone' end
if ARGV[3] ~= '' then
  local owner = redis.call('HGET', KEYS[3], ARGV[3])
  if owner and owner ~= ARGV[1] then return 'taken' end
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[1])
end
if ARGV[4] ~= '' and ARGV[4] ~= ARGV[3] then redis.call('HDEL', KEYS[3], ARGV[4]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 'ok'
"""

# KEYS: documents, order, unique. ARGV: id, unique value ('' none). The value may be another's by now.
DELETE = """
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] ~= '' and redis.call('HGET', KEYS[3], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[3], ARGV[2]) end
return 1
"""


class Documents:
    """One collection of JSON documents, each with an `id`. `unique` names the field whose value may occur once."""

    def __init__(self, redis: Client, kind: str, prefix: str, unique: str = "") -> None:
        self._redis, self._kind, self._prefix, self._unique = redis, kind, prefix, unique
        self._put, self._delete = redis.register_script(PUT), redis.register_script(DELETE)
        self._keys = [keys.documents(kind), keys.order(kind), keys.unique(kind)]

    async def create(self, document: dict[str, Any]) -> None:
        """Raises `Conflict` where the unique value is taken."""
        await self._write(document, None)

    async def replace(self, document: dict[str, Any], before: dict[str, Any]) -> bool:
        """Replaces `before`; False where another is stored by now, or none. Raises `Conflict` where the new unique
        value is taken."""
        return await self._write(document, before)

    async def _write(self, document: dict[str, Any], before: dict[str, Any] | None) -> bool:
        value = str(document[self._unique]) if self._unique else ""
        value_before = str(before[self._unique]) if before and self._unique else ""
        with guarded():
            answer = await self._put(
                keys=self._keys,
                args=[
                    document["id"],
                    orjson.dumps(document),
                    value,
                    value_before,
                    orjson.dumps(before) if before else "",
                ],
            )
        if answer == b"taken":
            raise Conflict(f"{self._unique} {value} is taken.")
        return bool(answer == b"ok")

    async def get(self, document_id: str) -> dict[str, Any] | None:
        with guarded():
            found = await self._redis.hget(keys.documents(self._kind), document_id)
        return orjson.loads(found) if found else None

    async def find(self, value: str) -> dict[str, Any] | None:
        """The document with this unique value."""
        with guarded():
            owner = await self._redis.hget(keys.unique(self._kind), value)
        return await self.get(owner.decode()) if owner else None

    async def delete(self, document: dict[str, Any]) -> bool:
        """False where it was gone already."""
        value = str(document[self._unique]) if self._unique else ""
        with guarded():
            return bool(await self._delete(keys=self._keys, args=[document["id"], value]))

    async def all(self) -> list[dict[str, Any]]:
        """Every document, oldest first. For collections that are small by nature."""
        with guarded():
            found = await self._redis.hvals(keys.documents(self._kind))
        return sorted((orjson.loads(d) for d in found), key=lambda d: str(d["id"]))

    async def page(self, cursor: str | None, limit: int) -> Page:
        """One page, newest first. Raises `InvalidCursor`."""
        after = decode_cursor(cursor, self._prefix) if cursor is not None else None
        if cursor is not None and after is None:
            raise InvalidCursor
        with guarded():
            pipe = self._redis.pipeline(transaction=False)
            pipe.zrevrangebylex(keys.order(self._kind), f"({after}" if after else "+", "-", start=0, num=limit + 1)
            pipe.zcard(keys.order(self._kind))
            ids, total = await pipe.execute()
            found = await self._redis.hmget(keys.documents(self._kind), ids[:limit]) if ids else []
        more = len(ids) > limit
        return Page(
            [orjson.loads(d) for d in found if d], encode_cursor(ids[limit - 1].decode()) if more else None, total
        )
