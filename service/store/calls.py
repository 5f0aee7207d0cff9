"""Calls in Redis: one document each, sorted indexes, a timeline, and the outbox, written together or not at all."""

from collections.abc import Iterable, Sequence

from service.calls.call import Call, Direction, Recording
from service.calls.ids import lowest
from service.control.ports import CallFilter, OutboxEntry, Page, Versioned
from service.errors import ConcurrencyLimitExceeded, Fenced, InvalidCursor, TrunkFull
from service.store import call_document, keys
from service.store.connection import Client, guarded
from service.store.cursor import decode_cursor, encode_cursor

# KEYS: call, timeline, outbox, live, recordings, members, the node's live, live of applications, the trunk's live to
#       enter, that to leave, then the indexes to enter, then those to leave.
# ARGV: expected version, document, id, change of the live calls (1, 0, -1), recording due (ms, 0 none, -1 done), most
#       live calls (0 any number), who writes ('' anybody may), the call's application, most live calls of the trunk to
#       enter (0 any number, -1 none is entered), whether one is left (1, 0), count to enter, count of timeline rows,
#       those rows, then id/type/resource/url/body of each outbox entry.
# Returns 1, 0 for another version, -1 where there are too many live calls, -2 for a writer who is fenced, -3 where the
# trunk is full.
WRITE = """
if ARGV[7] ~= '' and redis.call('HEXISTS', KEYS[6], ARGV[7]) == 0 then return -2 end
local have = tonumber(redis.call('HGET', KEYS[1], 'v') or '0')
if have ~= tonumber(ARGV[1]) then return 0 end
local id, live, most = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[6])
local by = tonumber(ARGV[9])
if most > 0 and redis.call('SCARD', KEYS[4]) >= most then return -1 end
if by > 0 and redis.call('SCARD', KEYS[9]) >= by then return -3 end
if by >= 0 then redis.call('SADD', KEYS[9], id) end
if ARGV[10] == '1' then redis.call('SREM', KEYS[10], id) end
redis.call('HSET', KEYS[1], 'v', have + 1, 'doc', ARGV[2])
if live ~= 0 then
  local change = live > 0 and 'SADD' or 'SREM'
  redis.call(change, KEYS[4], id)
  redis.call(change, KEYS[7], id)
  if redis.call('HINCRBY', KEYS[8], ARGV[8], live) <= 0 then redis.call('HDEL', KEYS[8], ARGV[8]) end
end
local due = tonumber(ARGV[5])
if due > 0 then redis.call('ZADD', KEYS[5], due, id) elseif due < 0 then redis.call('ZREM', KEYS[5], id) end
local enter = tonumber(ARGV[11])
for i = 11, #KEYS do
  if i < 11 + enter then redis.call('ZADD', KEYS[i], 0, id) else redis.call('ZREM', KEYS[i], id) end
end
local rows = tonumber(ARGV[12])
for i = 13, 12 + rows do redis.call('RPUSH', KEYS[2], ARGV[i]) end
for i = 13 + rows, #ARGV, 5 do
  redis.call('XADD', KEYS[3], '*', 'id', ARGV[i], 'type', ARGV[i + 1], 'resource', ARGV[i + 2], 'url', ARGV[i + 3],
    'body', ARGV[i + 4])
end
return 1
"""

# KEYS: recordings. ARGV: now, until when those that are taken are left alone (ms), most of them.
TAKE_RECORDINGS = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
return due
"""

WALK = 10_000  # ids that a list with several filters looks at
STEP = 1_000  # of them in one round trip
_INDEXED = ("status", "from", "to", "direction", "agent_id")


def indexes(call: Call) -> dict[str, str]:
    """Index → value of every sorted set that a call is in."""
    values = {
        "all": "",
        "status": call.status,
        "from": call.from_,
        "to": call.to,
        "direction": call.direction,
        "agent_id": call.agent_id,
    }
    return {field: value for field, value in values.items() if value is not None}


class RedisCalls:
    """`CallStore` on Redis, and the reads of the API. `writer` is this process's application: once another process has
    taken over, it writes no more. `max_live` bounds outbound calls; 0 does not."""

    def __init__(self, redis: Client, max_live: int = 0, writer: str = "") -> None:
        self._redis, self._max_live, self._writer = redis, max_live, writer
        self._write = redis.durable_script(WRITE)
        self._take_recordings = redis.register_script(TAKE_RECORDINGS)

    async def load(self, call_id: str) -> Versioned | None:
        with guarded():
            version, document = await self._redis.hmget(keys.call(call_id), ["v", "doc"])
        return Versioned(call_document.load(document), int(version)) if document else None

    async def write(
        self, call: Call, version: int, before: Call | None, timeline: Sequence[bytes], outbox: Sequence[OutboxEntry]
    ) -> bool:
        new, old = indexes(call), indexes(before) if before else {}
        enter = [keys.calls_by(f, v) for f, v in new.items() if old.get(f) != v]
        leave = [keys.calls_by(f, v) for f, v in old.items() if new.get(f) != v]
        pending = call.recording is Recording.PENDING
        was_pending = before is not None and before.recording is Recording.PENDING
        due = (call.ended_at or 0) if pending and not was_pending else -1 if was_pending and not pending else 0
        live = 0 if before and before.ended == call.ended else -1 if call.ended else 1
        by, was_by = _trunk(call), _trunk(before)
        events = [part for e in outbox for part in (e.id, e.type, e.resource, e.url, e.body)]
        with guarded():
            done = await self._write(
                keys=[
                    keys.call(call.id),
                    keys.timeline(call.id),
                    keys.OUTBOX,
                    keys.LIVE,
                    keys.RECORDINGS,
                    keys.MEMBERS,
                    keys.live_on(call.leg.node),
                    keys.LIVE_APPS,
                    keys.live_by(by),
                    keys.live_by(was_by),
                    *enter,
                    *leave,
                ],
                args=[
                    version,
                    call_document.dump(call),
                    call.id,
                    live,
                    due,
                    self._max_live if version == 0 and call.direction is Direction.OUTBOUND else 0,
                    self._writer,
                    call.leg.app,
                    call.leg.max_channels if by and by != was_by else -1,
                    int(was_by not in ("", by)),
                    len(enter),
                    len(timeline),
                    *timeline,
                    *events,
                ],
            )
        if done == -2:
            raise Fenced
        if done == -1:
            raise ConcurrencyLimitExceeded(retry_after=1)
        if done == -3:
            raise TrunkFull(retry_after=1)
        return bool(done)

    async def live_ids(self, node: str) -> set[str]:
        with guarded():
            return {member.decode() for member in await self._redis.smembers(keys.live_on(node))}

    async def live_on_trunk(self, trunk_id: str) -> int:
        """How many calls of a trunk have not ended, of both directions."""
        with guarded():
            return int(await self._redis.scard(keys.live_by(trunk_id)))

    async def take_recordings(self, now_ms: int, until_ms: int, limit: int) -> list[str]:
        with guarded():
            members = await self._take_recordings(keys=[keys.RECORDINGS], args=[now_ms, until_ms, limit])
        return [member.decode() for member in members]

    async def postpone_recording(self, call_id: str, until_ms: int) -> None:
        with guarded():
            await self._redis.zadd(keys.RECORDINGS, {call_id: until_ms}, xx=True)

    async def timeline(self, call_id: str) -> list[bytes]:
        """The rows of a call's timeline, oldest first, as they were written."""
        with guarded():
            return list(await self._redis.lrange(keys.timeline(call_id), 0, -1))

    async def page(self, narrow: CallFilter, cursor: str | None, limit: int) -> Page:
        """One page of calls, newest first. Raises `InvalidCursor`."""
        top = "+"
        if narrow.created_before is not None:
            top = "(" + lowest("call", narrow.created_before)
        bottom = "[" + lowest("call", narrow.created_after) if narrow.created_after is not None else "-"
        chosen = {f: v for f in _INDEXED if (v := getattr(narrow, "from_" if f == "from" else f)) is not None}
        names = [keys.calls_by(f, v) for f, v in chosen.items()] or [keys.calls_by("all")]
        after = decode_cursor(cursor, "call") if cursor is not None else None
        if cursor is not None and after is None:
            raise InvalidCursor
        start = min(top, "(" + after, key=_lex) if after else top
        resume: bytes | None = None
        with guarded():
            if len(names) == 1:
                ids, total = await self._one_index(names[0], start, top, bottom, limit + 1)
            else:
                ids, total, resume = await self._several(names, start, top, bottom, limit + 1)
            documents = await self._documents(ids[:limit])
        last = ids[limit - 1] if len(ids) > limit else resume
        return Page(
            [call_document.load(d) for d in documents if d], encode_cursor(last.decode()) if last else None, total
        )

    async def _one_index(self, name: str, start: str, top: str, bottom: str, count: int) -> tuple[list[bytes], int]:
        pipe = self._redis.pipeline(transaction=False)
        pipe.zrevrangebylex(name, start, bottom, start=0, num=count)
        pipe.zlexcount(name, bottom, top)
        ids, total = await pipe.execute()
        return ids, total

    async def _several(
        self, names: list[str], start: str, top: str, bottom: str, count: int
    ) -> tuple[list[bytes], int, bytes | None]:
        """Walks the smallest index and keeps what the others have too; no further than `WALK` ids a request. The last
        value is where to go on, where that was not far enough.

        The total is exact up to `WALK` ids of the smallest index, above that it counts to `WALK` at most.
        """
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.zlexcount(name, bottom, top)
        sizes = await pipe.execute()
        (size, smallest), *rest = sorted(zip(sizes, names, strict=True))
        others = [name for _, name in rest]
        if size <= WALK:
            found, _ = await self._walk(smallest, others, top, bottom, WALK)
            after = found if start == top else [m for m in found if m < start[1:].encode()]
            return after[:count], len(found), None
        found, resume = await self._walk(smallest, others, start, bottom, count)
        return found[:count], int(await self._redis.zintercard(len(names), names, limit=WALK)), resume

    async def _walk(
        self, smallest: str, others: list[str], start: str, bottom: str, count: int
    ) -> tuple[list[bytes], bytes | None]:
        """The first `count` ids from `start` down that are in all indexes; the last one looked at where they are fewer
        because `WALK` was reached."""
        found: list[bytes] = []
        looked = 0
        while looked < WALK and len(found) < count:
            ids = await self._redis.zrevrangebylex(smallest, start, bottom, start=0, num=STEP)
            if not ids:
                return found, None
            pipe = self._redis.pipeline(transaction=False)
            for name in others:
                pipe.zmscore(name, ids)
            scores = await pipe.execute()
            found += [m for m, *marks in zip(ids, *scores, strict=True) if None not in marks]
            looked += len(ids)
            start = "(" + ids[-1].decode()
        return found, None if len(found) >= count else start[1:].encode()

    async def _documents(self, ids: Iterable[bytes]) -> list[bytes | None]:
        pipe = self._redis.pipeline(transaction=False)
        for member in ids:
            pipe.hget(keys.call(member.decode()), "doc")
        return list(await pipe.execute())


def _trunk(call: Call | None) -> str:
    """The trunk that a call takes a channel of; empty for none."""
    return "" if call is None or call.ended else call.trunk_id or ""


def _lex(bound: str) -> str:
    """Orders bounds of a range; `+` is above all ids."""
    return "~" if bound == "+" else bound[1:]
