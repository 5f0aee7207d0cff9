"""Who comes in: the key's document and its token buckets, in one round trip each."""

from dataclasses import dataclass
from typing import Any

import orjson

from service.calls.times import now_ms
from service.store import keys
from service.store.connection import Client, guarded
from service.store.keyring import digest

# Takes one token of a bucket. KEYS: bucket. ARGV: now (ms), tokens a second, burst.
# Returns 1 where there was one, tokens left, ms until the next, ms until the bucket is full.
TAKE = """
local now, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local have = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(have[1] or burst), tonumber(have[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local taken = 0
if tokens >= 1 then tokens = tokens - 1; taken = 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
local wait, full = math.max(0, 1 - tokens) / rate, (burst - tokens) / rate
return {taken, math.floor(tokens), math.ceil(wait * 1000), math.ceil(full * 1000)}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit. `wait_ms` until the next token, `full_ms` until all are back."""

    taken: bool
    remaining: int
    wait_ms: int
    full_ms: int


class Admission:
    """Reads keys and takes tokens."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._take = redis.register_script(TAKE)

    async def key(self, api_key: str) -> dict[str, Any] | None:
        """The document of a key: `id`, `scopes`, `sandbox`; None for an unknown one."""
        with guarded():
            found = await self._redis.hget(keys.API_KEYS, digest(api_key))
        return orjson.loads(found) if found else None

    async def take(self, bucket: str, per_second: float, burst: int) -> Allowance:
        """Takes a token of a bucket that refills by `per_second` up to `burst`."""
        with guarded():
            taken, remaining, wait, full = await self._take(
                keys=[keys.bucket(bucket)], args=[now_ms(), per_second, burst]
            )
        return Allowance(bool(taken), remaining, wait, full)
