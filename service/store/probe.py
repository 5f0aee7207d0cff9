"""Whether Redis answers."""

from service.errors import StoreUnavailable
from service.store.connection import Client, guarded


class Probe:
    """For readiness: one question, one answer."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def alive(self) -> bool:
        try:
            with guarded():
                return bool(await self._redis.ping())
        except StoreUnavailable:
            return False
