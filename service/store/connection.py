"""The connection to Redis and the one translation of its failures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError

from service.errors import StoreUnavailable

Client = Any
"""A `redis.asyncio.Redis` that answers with bytes: its own types say `bytes | str` everywhere."""


def connect(url: str, timeout_ms: int) -> Client:
    """A client whose every answer comes within `timeout_ms` or fails. Nothing is sent before the first command."""
    seconds = timeout_ms / 1000
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=256,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # Once more where a connection that lay idle turns out closed; never after a time-out.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),
    )
    return Redis.from_pool(pool)


@contextmanager
def guarded() -> Iterator[None]:
    """Turns what Redis and its socket raise into `StoreUnavailable`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailable from error
