"""Keeps every node's trunks as the store has them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from service.control.membership import Lines, Membership
from service.control.node_sync import NodeSync
from service.trunks.trunk import Trunk


class Origin(NamedTuple):
    """The addresses and networks that calls come from; not `complete` where a name cannot be looked up now."""

    addresses: tuple[str, ...] = ()
    complete: bool = True


Origins = Mapping[str, Origin]
"""Trunk → where its calls come from."""


class StoredTrunks(Protocol):
    """Trunks as the store has them now."""

    async def all(self) -> list[Trunk]: ...

    async def by_id(self, trunk_id: str) -> Trunk | None: ...


class TrunkNodes(Protocol):
    """The trunks that nodes hold."""

    async def settle(self, node: str, trunks: Sequence[Trunk], origins: Origins, registers: frozenset[str]) -> int:
        """Makes a node hold these trunks and no others, and register those of `registers`; what it holds of a trunk
        whose origins are not known stays. Returns how many objects had to be changed.

        Raises `AsteriskUnavailable`.
        """
        ...

    async def settle_one(
        self, node: str, trunk_id: str, trunk: Trunk | None, origins: Origins, registers: frozenset[str]
    ) -> int:
        """The same for one trunk; None where it is deleted."""
        ...


class OriginBook(Protocol):
    """Looks names up."""

    async def of(self, trunks: Sequence[Trunk]) -> Origins: ...


class TrunkSync(NodeSync):
    """Registrations move with the nodes that are there."""

    what = "trunks"

    def __init__(
        self, trunks: StoredTrunks, nodes: TrunkNodes, origins: OriginBook, membership: Membership, lines: Lines
    ) -> None:
        super().__init__(membership, lines)
        self._trunks, self._nodes, self._origins = trunks, nodes, origins

    async def apply(self, trunk_id: str) -> None:
        """`TrunkConfiguration`."""
        await self._everywhere(trunk_id)

    async def _settle_one(self, node: str, key: str) -> int:
        trunk = await self._trunks.by_id(key)
        some = [trunk] if trunk else []
        origins = await self._origins.of(some)
        return await self._nodes.settle_one(node, key, trunk, origins, self._registers(node, some))

    async def _settle_all(self, node: str) -> int:
        trunks = await self._trunks.all()
        origins = await self._origins.of(trunks)
        return await self._nodes.settle(node, trunks, origins, self._registers(node, trunks))

    def _registers(self, node: str, trunks: Iterable[Trunk]) -> frozenset[str]:
        nodes = self._membership.round.attended | {node}
        return frozenset(trunk.id for trunk in trunks if trunk.register and home(trunk.id, nodes) == node)


def home(trunk_id: str, nodes: Iterable[str]) -> str:
    """The one of the nodes that registers a trunk: a carrier sends each call to every place that is registered
    (rendezvous hashing, so that few move when a node comes or goes)."""
    return max(nodes, key=lambda node: hashlib.sha256(f"{trunk_id}@{node}".encode()).digest())
