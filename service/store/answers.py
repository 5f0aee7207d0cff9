"""First answers to idempotency keys. Of many requests with one key exactly one acts; the rest get its answer."""

import hashlib
from dataclasses import dataclass

from service.store import keys
from service.store.connection import Client, guarded

# KEYS: answer. ARGV: fingerprint, seed, lease (s). Claims the key, or tells what is there.
BEGIN = """
local have = redis.call('HMGET', KEYS[1], 'print', 'seed', 'status', 'body', 'lease')
if have[1] and have[1] ~= ARGV[1] then return {'mismatch'} end
if have[3] then return {'done', have[3], have[4]} end
local now = tonumber(redis.call('TIME')[1])
if have[1] and tonumber(have[5]) > now then return {'pending'} end
local seed = have[2] or ARGV[2]
redis.call('HSET', KEYS[1], 'print', ARGV[1], 'seed', seed, 'lease', now + tonumber(ARGV[3]))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'mine', seed}
"""

# KEYS: answer. ARGV: fields and values. A claim that a failover has lost is not made anew: it would never expire.
CHANGE = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
"""

LEASE_SECONDS = 5  # a request that takes longer may be repeated beside itself: the seed makes both find the same call


@dataclass(frozen=True, slots=True)
class Claim:
    """`state` is mine, pending, done or mismatch. `seed` stays the same when a claim is taken over from a dead process,
    so that what it made is found again; `status` and `body` are the kept answer."""

    state: str
    seed: str = ""
    status: int = 0
    body: bytes = b""


class Answers:
    """The kept answers, each for `hours`."""

    def __init__(self, redis: Client, hours: int) -> None:
        self._redis, self._seconds = redis, hours * 3600
        self._begin, self._change = redis.register_script(BEGIN), redis.register_script(CHANGE)

    def _name(self, key_id: str, key: str) -> str:
        return keys.answer(key_id, hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest())

    async def begin(self, key_id: str, key: str, fingerprint: str, seed: str) -> Claim:
        with guarded():
            state, *rest = await self._begin(
                keys=[self._name(key_id, key)], args=[fingerprint, seed, LEASE_SECONDS, self._seconds]
            )
        if state == b"done":
            return Claim("done", status=int(rest[0]), body=rest[1])
        return Claim(state.decode(), seed=rest[0].decode() if rest else "")

    async def keep(self, key_id: str, key: str, status: int, body: bytes) -> None:
        with guarded():
            await self._change(keys=[self._name(key_id, key)], args=["status", status, "body", body])

    async def release(self, key_id: str, key: str) -> None:
        """Gives the claim up with its seed kept: the next request with this key acts again."""
        with guarded():
            await self._change(keys=[self._name(key_id, key)], args=["lease", 0])
