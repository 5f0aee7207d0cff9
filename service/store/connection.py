"""The connection to Redis (a server, a master under Sentinel, a cluster) and the one translation of its failures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.exceptions import RedisClusterException, RedisError

from service.errors import StoreUnavailable
from service.store.address import parse
from service.store.cluster import open_cluster
from service.store.single import open_sentinel, open_single

Client = Any
"""A client of redis-py that answers with bytes (its own types say `bytes | str` everywhere). Its commands travel
together with those of others; `durable_script` makes scripts whose writes a replica has before they answer."""

OPEN = {"": open_single, "sentinel": open_sentinel, "cluster": open_cluster}


def connect(url: str, timeout_ms: int) -> Client:
    """A client whose every answer comes within `timeout_ms` or fails. Nothing is sent before the first command.

    `address.parse` says what URLs there are; raises `ValueError` for any other. After a failover the client finds the
    new master by itself; what it was asked meanwhile has failed.
    """
    address = parse(url)
    return OPEN[address.kind](address, timeout_ms / 1000)


@contextmanager
def guarded() -> Iterator[None]:
    """Turns what Redis and its socket raise into `StoreUnavailable`."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        raise StoreUnavailable from error
