"""A Redis Cluster: commands go to the node that has their key's slot; those for one node travel together."""

import asyncio
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, ClusterPipeline
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import TimeoutError as NoAnswer

from service.store import metrics
from service.store.address import Address
from service.store.pipe import KEY_AT, Lane, Scripting, ready
from service.store.replication import Replication
from service.store.single import CONNECTIONS, timeouts


def open_cluster(address: Address, seconds: float) -> "PipedCluster":
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    return PipedCluster(seconds, startup_nodes=nodes, ssl=address.tls, **address.options, **timeouts(seconds))


class PipedCluster(Scripting, RedisCluster):  # type: ignore[misc]
    """Calls go on while a shard that they do not need is away."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(max_connections=CONNECTIONS, require_full_coverage=False, **options)
        self._seconds = seconds
        self._lanes: dict[tuple[str, bool], tuple[ClusterNode, Lane]] = {}

    async def execute_command(self, *args: Any, durable: bool = False, **options: Any) -> Any:
        async with asyncio.timeout(self._seconds):
            if args[0] not in KEY_AT or "target_nodes" in options:
                return await super().execute_command(*args, **options)
            try:
                answer = await self._ask(args, durable)
            except (AskError, TryAgainError) as moving:  # while a slot moves: the client itself knows where to go
                if isinstance(moving, MovedError):  # it had moved again
                    raise
                metrics.WRITES_UNREPLICATED.inc(durable)
                return await super().execute_command(*args, **options)
        options.pop("keys", None)
        callback = self.response_callbacks.get(args[0])
        return callback(answer, **options) if callback else answer

    async def _ask(self, args: tuple[Any, ...], durable: bool) -> Any:
        """Where the slot has moved, learns where to and asks there."""
        try:
            return await (await self._lane(args, durable)).ask(args)
        except MovedError:
            self._initialize = True
            return await (await self._lane(args, durable)).ask(args)
        except (ConnectionLost, NoAnswer, ClusterDownError, SlotNotCoveredError):
            self._initialize = True  # there may be another master by the next command
            raise

    async def _lane(self, args: tuple[Any, ...], durable: bool) -> Lane:
        if self._initialize:
            await self.initialize()
        node = self.nodes_manager.get_node_from_slot(self.keyslot(args[KEY_AT[args[0]]]))
        known, lane = self._lanes.get((node.name, durable), (None, None))
        if lane is None or known is not node:
            lane = Lane(NodeLine(node), self._seconds, Replication() if durable else None)
            self._lanes[node.name, durable] = node, lane
        return lane

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> "BoundedClusterPipeline":  # noqa: ARG002
        pipe = BoundedClusterPipeline(self, transaction)  # type: ignore[abstract]
        pipe.seconds = self._seconds
        return pipe


class BoundedClusterPipeline(ClusterPipeline):
    """A pipeline that is carried out within `seconds`."""

    seconds = 1.0

    async def execute(self, *args: Any, **options: Any) -> list[Any]:
        async with asyncio.timeout(self.seconds):
            return await super().execute(*args, **options)


class NodeLine:
    """Connections of one node."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node

    async def lend(self) -> Any:
        connection = self._node.acquire_connection()
        try:
            await ready(connection)
        except BaseException:
            self._node.release(connection)
            raise
        return connection

    def take_back(self, connection: Any) -> None:
        self._node.release(connection)
