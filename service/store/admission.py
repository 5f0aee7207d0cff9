"""Who comes in: the key's document and its token buckets."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.calls.times import now_ms
from service.store import keys
from service.store.cache import Cache
from service.store.connection import Client, guarded
from service.store.keyring import digest

# Takes tokens of a bucket. KEYS: bucket. ARGV: now (ms), tokens a second, burst, most tokens.
# Returns how many were taken, tokens left, ms until the next, ms until the bucket is full.
TAKE = """
local now, rate, burst, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local have = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(have[1] or burst), tonumber(have[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local taken = math.min(most, math.floor(tokens))
tokens = tokens - taken
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
local wait, full = math.max(0, 1 - tokens) / rate, (burst - tokens) / rate
return {taken, math.floor(tokens), math.ceil(wait * 1000), math.ceil(full * 1000)}
"""

SHARE = 20  # of a bucket's burst, a process takes so much in advance: one in twenty
LEASES = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit. `wait_ms` until the next token, `full_ms` until all are back."""

    taken: bool
    remaining: int
    wait_ms: int
    full_ms: int


@dataclass(slots=True)
class Lease:
    """Tokens that this process took in advance: `left` of them. `in_bucket` were left in Redis at the time `at`; where
    there was none, there is none before `empty_until`."""

    left: int = 0
    in_bucket: int = 0
    at: int = 0
    empty_until: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Admission:
    """Reads keys and takes tokens.

    A bucket whose burst is 40 or more is taken from in advance, a twentieth of it at a time: so many more requests than
    the limit may come through per process, and so many fewer while another process holds them. Smaller ones are exact.
    """

    def __init__(self, redis: Client, cache: Cache | None = None) -> None:
        self._redis = redis
        self._cache = cache or Cache(redis)  # one that does not run keeps nothing
        self._take = redis.register_script(TAKE)
        self._leases: OrderedDict[str, Lease] = OrderedDict()

    async def key(self, api_key: str) -> dict[str, Any] | None:
        """The document of a key: `id`, `scopes`, `sandbox`; None for an unknown one."""
        name = digest(api_key)
        with guarded():
            found = await self._cache.get("keys", name, lambda: self._redis.hget(keys.API_KEYS, name))
        return orjson.loads(found) if found else None

    async def take(self, bucket: str, per_second: float, burst: int) -> Allowance:
        """Takes a token of a bucket that refills by `per_second` up to `burst`."""
        most = burst // SHARE
        if most < 2:
            taken, remaining, wait, full = await self._ask(bucket, per_second, burst, 1)
            return Allowance(bool(taken), remaining, wait, full)
        lease = self._leases.setdefault(bucket, Lease())
        self._leases.move_to_end(bucket)
        if len(self._leases) > LEASES:
            self._leases.popitem(last=False)
        async with lease.turn:
            now = now_ms()
            if not lease.left and now >= lease.empty_until:
                lease.left, lease.in_bucket, wait, _ = await self._ask(bucket, per_second, burst, most)
                lease.at = now
                lease.empty_until = now + wait if not lease.left else 0
        taken = lease.left > 0
        lease.left -= taken
        refilled = lease.in_bucket + max(0, now - lease.at) * per_second / 1000
        remaining = min(burst, int(refilled) + lease.left)
        return Allowance(
            taken, remaining, max(0, lease.empty_until - now), round((burst - remaining) / per_second * 1000)
        )

    async def _ask(self, bucket: str, per_second: float, burst: int, most: int) -> list[int]:
        with guarded():
            answer: list[int] = await self._take(keys=[keys.bucket(bucket)], args=[now_ms(), per_second, burst, most])
        return answer
