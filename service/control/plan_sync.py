"""Keeps what every node's dialplan goes by as the store has it: where numbers lead, what flows say and do, and how
transfers go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from service.control.membership import Lines, Membership
from service.control.node_sync import NodeSync
from service.ivr.flow import Flow
from service.numbers.number import Number
from service.trunks.trunk import Trunk


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it, or a part of it. Of flows, their published versions."""

    flows: Sequence[Flow] = ()
    numbers: Sequence[Number] = ()
    trunks: Sequence[Trunk] = ()


class PlanBook(Protocol):
    """The plan as the store has it now."""

    async def all(self) -> Plan: ...

    async def part(self, kind: str, resource_id: str) -> Plan:
        """What depends on one `flow`, `number` (named by its E.164) or `trunk`; of one that is gone, nothing."""
        ...


class PlanNodes(Protocol):
    """What nodes hold of the plan. Every method may raise `AsteriskUnavailable`."""

    async def bring(self, node: str, part: Plan) -> bool:
        """Brings prompts to a node that it lacks, as far as they come; whether some came."""
        ...

    async def settle(self, node: str, plan: Plan) -> int:
        """Makes a node hold the plan and nothing else; returns how much had to be changed. Asks it which prompts it
        has: a flow that lacks some is as it was."""
        ...

    async def settle_part(self, node: str, kind: str, resource_id: str, part: Plan) -> int:
        """The same for what belongs to one resource."""
        ...


class PlanSync(NodeSync):
    """`Nodes` of the registries."""

    what = "plan"

    def __init__(self, book: PlanBook, nodes: PlanNodes, membership: Membership, lines: Lines) -> None:
        super().__init__(membership, lines)
        self._book, self._nodes = book, nodes
        self._compared: dict[str, Plan] = {}

    async def apply(self, kind: str, resource_id: str) -> None:
        """`Nodes`: every node that can be reached has the resource as it is stored."""
        await self._everywhere(f"{kind}:{resource_id}")

    async def _prepare_one(self, node: str, key: str) -> None:
        kind, _, resource_id = key.partition(":")
        if kind == "flow":
            await self._nodes.bring(node, await self._book.part(kind, resource_id))

    async def _complete_all(self, node: str) -> bool:
        plan = self._compared.pop(node, None)
        return plan is not None and await self._nodes.bring(node, plan)

    async def _settle_one(self, node: str, key: str) -> int:
        kind, _, resource_id = key.partition(":")
        return await self._nodes.settle_part(node, kind, resource_id, await self._book.part(kind, resource_id))

    async def _settle_all(self, node: str) -> int:
        self._compared[node] = await self._book.all()
        return await self._nodes.settle(node, self._compared[node])


class TrunkPlan:
    """`TrunkConfiguration` of two kinds: a trunk's objects, and then how transfers go by it."""

    def __init__(self, *, objects: "Applies", plan: PlanSync) -> None:
        self._objects, self._plan = objects, plan

    async def apply(self, trunk_id: str) -> None:
        await self._objects.apply(trunk_id)
        await self._plan.apply("trunk", trunk_id)


class Applies(Protocol):
    async def apply(self, trunk_id: str) -> None: ...
