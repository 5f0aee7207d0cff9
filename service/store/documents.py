"""Small collections (numbers, trunks, webhooks, keys): a document per id, an order by id, one unique value each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from service.control.ports import Page
from service.errors import Conflict, Fault, InvalidCursor
from service.store import keys
from service.store.cache import Cache
from service.store.connection import Client, guarded
from service.store.cursor import decode_cursor, encode_cursor

# KEYS: documents, order, unique. ARGV: id, document, unique value and the one before ('' none), the document before
# ('' where it must be new), the channel of changes, the collection's kind, the flag that one at most may have ('' none)
# as it is written when it is set, and when it is not.
PUT = """
local there = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[5] ~= '' and there ~= ARGV[5] then return there and 'changed' or 'gone' end
if ARGV[3] ~= '' then
  local owner = redis.call('HGET', KEYS[3], ARGV[3])
  if owner and owner ~= ARGV[1] then return 'taken' end
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[1])
end
if ARGV[4] ~= '' and ARGV[4] ~= ARGV[3] then redis.call('HDEL', KEYS[3], ARGV[4]) end
if ARGV[8] ~= '' and string.find(ARGV[2], ARGV[8], 1, true) then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.find(all[i + 1], ARGV[8], 1, true) then
      redis.call('HSET', KEYS[1], all[i], (string.gsub(all[i + 1], ARGV[8], ARGV[9])))
    end
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 'ok'
"""

# KEYS: documents, order, unique. ARGV: id, unique field ('' none; its value may have changed by now), channel, kind.
DELETE = """
local there = redis.call('HGET', KEYS[1], ARGV[1])
if not there then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] ~= '' then redis.call('HDEL', KEYS[3], cjson.decode(there)[ARGV[2]]) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
"""


class Documents:
    """One collection of JSON documents, each with an `id`. `unique` names the field whose value may occur once, `sole`
    a flag that at most one has: who gets it takes it from the others. Where there is a `cache`, only pages are read
    from Redis each time."""

    def __init__(
        self, redis: Client, kind: str, prefix: str, unique: str = "", sole: str = "", cache: Cache | None = None
    ) -> None:
        self._redis, self._kind, self._prefix, self._unique = redis, kind, prefix, unique
        self._sole = (_flag(sole, True), _flag(sole, False)) if sole else ("", "")
        self._cache = cache or Cache(redis)  # one that does not run keeps nothing
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
        expected = orjson.dumps(before) if before else ""
        args = (document["id"], orjson.dumps(document), value, value_before, expected)
        answer = await self._change(self._put, args, self._sole)
        if answer == b"taken":
            raise Conflict(f"{self._unique} {value} is taken.", Fault(self._unique, value, "one that is not taken"))
        return bool(answer == b"ok")

    async def get(self, document_id: str) -> dict[str, Any] | None:
        return await self._read(f"id:{document_id}", lambda: self._by_id(document_id))

    async def find(self, value: str) -> dict[str, Any] | None:
        """The document with this unique value."""
        return await self._read(f"value:{value}", lambda: self._by_value(value))

    async def flagged(self, field: str) -> dict[str, Any] | None:
        """The oldest document in which this flag is set."""
        return await self._read(f"flag:{field}", lambda: self._by_flag(_flag(field, True).encode()))

    async def delete(self, document: dict[str, Any]) -> bool:
        """False where it was gone already."""
        return bool(await self._change(self._delete, (document["id"], self._unique)))

    async def all(self) -> list[dict[str, Any]]:
        """Every document, oldest first. For collections that are small by nature."""
        return await self._parsed(b"")

    async def naming(self, text: str) -> list[dict[str, Any]]:
        """Those in which a text stands, such as an id, oldest first: the others are not parsed."""
        return await self._parsed(orjson.dumps(text)[1:-1])

    async def _parsed(self, part: bytes) -> list[dict[str, Any]]:
        with guarded():
            found = await self._cache.get(self._kind, "all", self._values)
        return sorted((orjson.loads(d) for d in found if part in d), key=lambda d: str(d["id"]))

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

    async def _change(
        self, script: Callable[..., Awaitable[Any]], args: Sequence[str | bytes], more: Sequence[str] = ()
    ) -> Any:
        try:
            with guarded():
                return await script(keys=self._keys, args=[*args, keys.CHANGED, self._kind, *more])
        finally:
            self._cache.drop(self._kind)

    async def _read(self, name: str, read: Callable[[], Awaitable[Any]]) -> dict[str, Any] | None:
        with guarded():
            found = await self._cache.get(self._kind, name, read)
        return orjson.loads(found) if found else None

    async def _by_id(self, document_id: str) -> Any:
        return await self._redis.hget(keys.documents(self._kind), document_id)

    async def _by_value(self, value: str) -> Any:
        owner = await self._redis.hget(keys.unique(self._kind), value)
        return await self._by_id(owner.decode()) if owner else None

    async def _by_flag(self, flag: bytes) -> Any:
        found = [orjson.loads(d) for d in await self._values() if flag in d]
        return orjson.dumps(min(found, key=lambda d: str(d["id"]), default=None))  # that there is none is kept too

    async def _values(self) -> Any:
        return await self._redis.hvals(keys.documents(self._kind))


def _flag(field: str, value: bool) -> str:
    """A flag as it stands in a document that orjson wrote, and nowhere else: a quote within a text has a backslash
    before it. The id is always a document's first field."""
    return f',"{field}":{orjson.dumps(value).decode()}'
