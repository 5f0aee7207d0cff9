"""Which process of the service it hurts most to lose."""

from collections import Counter

from redis.asyncio import Redis

from service.stack.stack import Stack
from service.store import keys


async def busiest(stack: Stack) -> int:
    """The process id of the worker that follows most live calls."""
    async with Redis.from_url(stack.env["ORBIT_REDIS_URL"], decode_responses=True) as redis:
        live, owners, names = [await redis.hgetall(key) for key in (keys.LIVE_APPS, keys.OWNERS, keys.MEMBERS)]
    load: Counter[str] = Counter()
    for app, calls in live.items():
        load[names.get(owners.get(app, ""), "")] += int(calls)
    workers = stack.workers()
    return workers[max(workers, key=lambda name: load[name])]
