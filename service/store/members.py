"""Processes in Redis: who is one of them, until when, and whose calls each follows. Every change is one script."""

from collections.abc import Sequence

from service.control.membership import Round
from service.store import keys
from service.store.connection import Client, guarded

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_KEYS = [keys.MEMBERS, keys.ALIVE, keys.OWNERS, keys.HOLDERS, keys.LIVE_APPS]

# ARGV: application, name, lease (ms). One that starts under a name takes the place of those that have it.
JOIN = f"""{_NOW}
local members = redis.call('HGETALL', KEYS[1])
local before = {{}}
for i = 1, #members, 2 do
  if members[i + 1] == ARGV[2] then
    redis.call('ZADD', KEYS[2], 0, members[i])
    before[#before + 1] = members[i]
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[1])
return before
"""

# ARGV: application, lease (ms), count of nodes whose stream this process has, those, then every node.
# KEYS: as of the others, then the live calls of every node.
# Returns 0 for one that is fenced; else those that have left, those overdue, nodes to compare with, nodes that anybody
# alive compares with, live calls of every node, own applications and their live calls.
RENEW = f"""{_NOW}
local me, streams = ARGV[1], tonumber(ARGV[3])
if redis.call('HEXISTS', KEYS[1], me) == 0 then return 0 end
redis.call('ZADD', KEYS[2], now + ARGV[2], me)
local left = redis.call('ZRANGEBYSCORE', KEYS[2], 0, 0)
local overdue = redis.call('ZRANGEBYSCORE', KEYS[2], 1, now)
local held, attended, load, apps = {{}}, {{}}, {{}}, {{}}
local mine = {{}}
for i = 4, 3 + streams do mine[ARGV[i]] = true end
for i = 4 + streams, #ARGV do
  local node = ARGV[i]
  local holder = redis.call('HGET', KEYS[4], node)
  local until_ms = holder and tonumber(redis.call('ZSCORE', KEYS[2], holder) or '0') or 0
  if mine[node] and (holder == me or until_ms <= now) then
    redis.call('HSET', KEYS[4], node, me)
    held[#held + 1] = node
    attended[#attended + 1] = node
  elseif holder == me then
    redis.call('HDEL', KEYS[4], node)
  elseif until_ms > now then
    attended[#attended + 1] = node
  end
  load[#load + 1] = redis.call('SCARD', KEYS[6 + i - 4 - streams])
end
local owners = redis.call('HGETALL', KEYS[3])
for i = 1, #owners, 2 do
  if owners[i + 1] == me then
    apps[#apps + 1] = owners[i]
    apps[#apps + 1] = tonumber(redis.call('HGET', KEYS[5], owners[i]) or '0')
  end
end
return {{left, overdue, held, attended, load, apps}}
"""

# ARGV: application, the dead one's. Fences it and takes its applications, where it has not come back meanwhile. Returns
# 0 for one that is fenced.
ADOPT = f"""{_NOW}
local me, dead = ARGV[1], ARGV[2]
if redis.call('HEXISTS', KEYS[1], me) == 0 then return 0 end
if tonumber(redis.call('ZSCORE', KEYS[2], dead) or '0') > now then return 1 end
redis.call('HDEL', KEYS[1], dead)
redis.call('ZREM', KEYS[2], dead)
local owners = redis.call('HGETALL', KEYS[3])
for i = 1, #owners, 2 do
  if owners[i + 1] == dead then redis.call('HSET', KEYS[3], owners[i], me) end
end
return 1
"""

# ARGV: application, one that it adopted. Forgets the adopted one once it has no call left.
RETIRE = """
if redis.call('HGET', KEYS[3], ARGV[2]) == ARGV[1] and redis.call('HEXISTS', KEYS[5], ARGV[2]) == 0 then
  redis.call('HDEL', KEYS[3], ARGV[2])
end
"""


AWAITS_HEIR = f"""{_NOW}
return redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 and redis.call('ZCOUNT', KEYS[2], '(' .. now, '+inf') > 0
"""


class RedisMembers:
    """What `membership.Members` says."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._join, self._renew, self._adopt, self._retire = map(redis.register_script, (JOIN, RENEW, ADOPT, RETIRE))
        self._awaits_heir = redis.register_script(AWAITS_HEIR)

    async def join(self, app: str, name: str, lease_ms: int) -> list[str]:
        with guarded():
            return _texts(await self._join(keys=_KEYS, args=[app, name, lease_ms]))

    async def renew(self, app: str, lease_ms: int, streams: Sequence[str], nodes: Sequence[str]) -> Round | None:
        with guarded():
            answer = await self._renew(
                keys=[*_KEYS, *map(keys.live_on, nodes)], args=[app, lease_ms, len(streams), *streams, *nodes]
            )
        if answer == 0:
            return None
        left, overdue, held, attended, load, apps = answer
        return Round(
            left=tuple(_texts(left)),
            overdue=tuple(_texts(overdue)),
            held=frozenset(_texts(held)),
            attended=frozenset(_texts(attended)),
            load=dict(zip(nodes, load, strict=True)),
            apps=dict(zip(_texts(apps[::2]), apps[1::2], strict=True)),
        )

    async def adopt(self, app: str, dead: str) -> bool:
        with guarded():
            return bool(await self._adopt(keys=_KEYS, args=[app, dead]))

    async def retire(self, app: str, adopted: str) -> None:
        with guarded():
            await self._retire(keys=_KEYS, args=[app, adopted])

    async def leave(self, app: str) -> None:
        with guarded():
            await self._redis.zadd(keys.ALIVE, {app: 0}, xx=True)

    async def awaits_heir(self, app: str) -> bool:
        with guarded():
            return bool(await self._awaits_heir(keys=_KEYS, args=[app]))


def _texts(members: Sequence[bytes]) -> list[str]:
    return [member.decode() for member in members]
