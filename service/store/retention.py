"""Calls by age, and their deletion."""

from collections.abc import Sequence

from service.calls.ids import lowest
from service.control.ports import Versioned
from service.store import call_document, keys
from service.store.calls import indexes
from service.store.connection import Client, guarded

# KEYS: call, timeline, recordings, then the indexes that it is in. ARGV: id, version.
DELETE = """
if redis.call('HGET', KEYS[1], 'v') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
for i = 3, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
"""


class RedisOldCalls:
    """`OldCalls`."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._delete = redis.register_script(DELETE)

    async def created_before(self, before_ms: int, after: str, limit: int) -> Sequence[Versioned]:
        bottom, top = f"({after}" if after else "-", f"({lowest('call', before_ms)}"
        with guarded():
            ids = await self._redis.zrangebylex(keys.calls_by("all"), bottom, top, start=0, num=limit)
            pipe = self._redis.pipeline(transaction=False)
            for member in ids:
                pipe.hmget(keys.call(member.decode()), ["v", "doc"])
            found = await pipe.execute()
        return [Versioned(call_document.load(document), int(version)) for version, document in found if document]

    async def delete(self, held: Versioned) -> bool:
        entered = [keys.calls_by(field, value) for field, value in indexes(held.call).items()]
        names = [keys.call(held.call.id), keys.timeline(held.call.id), keys.RECORDINGS, *entered]
        with guarded():
            return bool(await self._delete(keys=names, args=[held.call.id, held.version]))
