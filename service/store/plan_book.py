"""`PlanBook` over the collections, read from the store each time."""

import asyncio
from typing import Any

from service.control.plan_sync import Plan
from service.ivr.flow import Flow, flow_of
from service.numbers.number import number_of
from service.store.documents import Documents
from service.trunks.trunk import Trunk, trunk_of


class RedisPlanBook:
    """A number is named by what it is. Trunks depend on one another (one is the default): a part is all of them."""

    def __init__(self, flows: Documents, numbers: Documents, trunks: Documents) -> None:
        self._flows, self._numbers, self._trunks = flows, numbers, trunks

    async def all(self) -> Plan:
        flows = await self._flows.all()
        numbers = await self._numbers.all()
        trunks = await self._all_trunks()
        return await asyncio.to_thread(_plan, flows, numbers, trunks)

    async def part(self, kind: str, resource_id: str) -> Plan:
        if kind == "flow":
            document = await self._flows.get(resource_id)
            live: Flow | None = flow_of(document).live if document else None
            return Plan(flows=[live] if live else [])
        if kind == "number":
            found = await self._numbers.find(resource_id)
            return Plan(numbers=[number_of(found)] if found else [])
        return Plan(trunks=await self._all_trunks())

    async def _all_trunks(self) -> list[Trunk]:
        return [trunk_of(document) for document in await self._trunks.all()]


def _plan(flows: list[dict[str, Any]], numbers: list[dict[str, Any]], trunks: list[Trunk]) -> Plan:
    return Plan([live for each in flows if (live := flow_of(each).live)], [number_of(each) for each in numbers], trunks)
