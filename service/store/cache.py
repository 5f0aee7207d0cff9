"""What was read of small collections, kept in the process until somebody writes there.

Who writes publishes the collection's kind in the same script. Nothing is kept while the subscription is not proven
alive, and what is not there is never kept: a key that was made a moment ago works.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from redis.exceptions import RedisClusterException, RedisError

from service.store import keys
from service.store.connection import Client

log = structlog.get_logger()

MOST = 10_000  # values of one collection
PULSE_SECONDS = 1.0
LONGEST_SECONDS = 30.0  # a message that a cluster's bus has lost is noticed by nobody
SILENCE_SECONDS = 2.5  # without an answer to a ping, the subscription is dead
AGAIN_SECONDS = 0.3


class Cache:
    """`run` listens; until it does, every read goes to Redis. A change elsewhere counts here as soon as its message has
    come, where it gets lost after `LONGEST_SECONDS` at the latest; an own change, that was told by `drop`, at once."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._kept: dict[str, dict[str, Any]] = {}
        self._heard_at = float("-inf")

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._heard_at < SILENCE_SECONDS

    async def get(self, kind: str, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """The value of this name, as `read` brings it."""
        if not self.alive:
            return await read()
        kept = self._kept.setdefault(kind, {})
        if name in kept:
            return kept[name]
        value = await read()
        # After a change, or a gap in the subscription, `kept` is not this collection's any more.
        if value and self.alive and self._kept.get(kind) is kept:
            if len(kept) >= MOST:
                del kept[next(iter(kept))]
            kept[name] = value
        return value

    def drop(self, kind: str) -> None:
        self._kept.pop(kind, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await self._listen(channel)
            except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
                log.info("changes are not heard; every read goes to the store", error=type(error).__name__)
            finally:
                self._forget()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self, channel: Any) -> None:
        async with asyncio.timeout(SILENCE_SECONDS):
            await channel.subscribe(keys.CHANGED)
        asked_at = subscribed_at = emptied_at = time.monotonic()
        while True:
            message = await channel.get_message(timeout=PULSE_SECONDS)
            now = time.monotonic()
            if message is None:
                pass
            elif message["type"] == "message":
                self.drop(message["data"].decode())
            elif message["type"] == "subscribe":
                self._forget()
                self._heard_at = now
            elif message["type"] == "pong":
                self._heard_at = now
            if now - max(self._heard_at, subscribed_at) > SILENCE_SECONDS:
                raise TimeoutError
            if now - emptied_at >= LONGEST_SECONDS:
                emptied_at = now
                self._kept.clear()
            if now - asked_at >= PULSE_SECONDS:
                asked_at = now
                async with asyncio.timeout(SILENCE_SECONDS):
                    await channel.ping()

    def _forget(self) -> None:
        self._kept.clear()
        self._heard_at = float("-inf")
