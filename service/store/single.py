"""One Redis server, found by its address or by asking sentinels who the master is."""

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost

from service.store.address import Address
from service.store.pipe import KEY_AT, Lane, Scripting, ready
from service.store.replication import Replication

CONNECTIONS = 256


def open_single(address: Address, seconds: float) -> "PipedRedis":
    [(host, port)] = address.hosts
    pool = BlockingConnectionPool(
        **{**address.options, "host": host, "port": port, **timeouts(seconds)},
        connection_class=SSLConnection if address.tls else Connection,
        max_connections=CONNECTIONS,
        timeout=seconds,
    )
    return PipedRedis(pool, seconds)


def open_sentinel(address: Address, seconds: float) -> "PipedRedis":
    patience = seconds / (len(address.hosts) + 1)  # a sentinel that gives no answer leaves time for the others
    tls = {name: value for name, value in address.options.items() if name.startswith("ssl")}
    quick = {**timeouts(patience), "retry": Retry(NoBackoff(), 0)}
    sentinels: Any = Sentinel(  # type: ignore[no-untyped-call]
        address.hosts, sentinel_kwargs={**tls, "ssl": address.tls, **address.sentinel_options, **quick}
    )
    options = {**address.options, **timeouts(seconds), "max_connections": CONNECTIONS, "ssl": address.tls}
    master = sentinels.master_for(address.master, **options)
    master.auto_close_connection_pool = False
    return PipedRedis(master.connection_pool, seconds, sentinels)


def timeouts(seconds: float) -> dict[str, Any]:
    """Once more where a connection that lay idle turns out closed; never after a time-out."""
    retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds, "retry": retry}


class PipedRedis(Scripting, Redis):  # type: ignore[misc]
    """Owns `pool` and `sentinels`."""

    def __init__(self, pool: Any, seconds: float, sentinels: Sentinel | None = None) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self._seconds, self._sentinels = seconds, sentinels
        line = PoolLine(pool)
        self._lanes = Lane(line, seconds), Lane(line, seconds, Replication())

    async def execute_command(self, *args: Any, durable: bool = False, **options: Any) -> Any:
        if args[0] not in KEY_AT:
            async with asyncio.timeout(self._seconds):
                return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        answer = await self._lanes[durable].ask(args)
        options.pop("keys", None)
        callback = self.response_callbacks.get(args[0])
        return callback(answer, **options) if callback else answer

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "BoundedPipeline":
        pipe = BoundedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.seconds = self._seconds
        return pipe

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        if self._sentinels:
            await self._sentinels.aclose()


class BoundedPipeline(Pipeline):
    """A pipeline that is carried out within `seconds`."""

    seconds = 1.0

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with asyncio.timeout(self.seconds):
            return await super().execute(raise_on_error)


class PoolLine:
    """Connections of a pool that stay taken from it."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._free: list[Any] = []

    async def lend(self) -> Any:
        connection = self._free.pop() if self._free else await self._pool.get_connection()
        try:
            await ready(connection)
        except BaseException:
            self._free.append(connection)
            raise
        return connection

    def take_back(self, connection: Any) -> None:
        self._free.append(connection)
