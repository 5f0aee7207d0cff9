"""New calls of a trunk in a second, counted in Redis for all processes."""

from service.store import keys
from service.store.connection import Client, guarded

# Takes one of the new calls of any second. KEYS: times of the last ones (ms of the server's clock), newest first.
# ARGV: most of them in a second. Returns 0, or the ms until there is one.
TAKE = """
local time, most = redis.call('TIME'), tonumber(ARGV[1])
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local first = tonumber(redis.call('LINDEX', KEYS[1], most - 1) or 0)
if now - first < 1000 then return math.min(1000, 1000 - now + first) end
redis.call('LPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], 0, most - 1)
redis.call('PEXPIRE', KEYS[1], 1000)
return 0
"""


class RedisMeter:
    """`Meter` over any second, not over those of a clock: no second of whatever beginning has more."""

    def __init__(self, redis: Client) -> None:
        self._redis, self._take = redis, redis.register_script(TAKE)

    async def take(self, trunk_id: str, per_second: int) -> int:
        with guarded():
            return int(await self._take(keys=[keys.new_calls_of(trunk_id)], args=[per_second]))

    async def give_back(self, trunk_id: str) -> None:
        with guarded():
            await self._redis.lpop(keys.new_calls_of(trunk_id))
