"""Whether Redis answers."""

from redis.asyncio import Redis

from service.errors import StoreUnavailable
from service.store.connection import guarded


class Probe:
    """For readiness: one question, one answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def alive(self) -> bool:
        try:
            with guarded():
                return bool(await self._redis.ping())
        except StoreUnavailable:
            return False
