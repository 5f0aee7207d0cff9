"""`PlanBook` over the collections, read from the store each time."""

from service.control.plan_sync import Plan
from service.ivr.flow import Flow, flow_of
from service.numbers.number import Number, number_of
from service.store.documents import Documents
from service.trunks.trunk import Trunk, trunk_of


class RedisPlanBook:
    """A number's rows are found by what it is and not by its id, and trunks depend on one another (one is the default):
    of these kinds, a part is all of them."""

    def __init__(self, flows: Documents, numbers: Documents, trunks: Documents) -> None:
        self._flows, self._numbers, self._trunks = flows, numbers, trunks

    async def all(self) -> Plan:
        flows = [live for document in await self._flows.all() if (live := flow_of(document).live)]
        return Plan(flows, await self._all_numbers(), await self._all_trunks())

    async def part(self, kind: str, resource_id: str) -> Plan:
        if kind == "flow":
            document = await self._flows.get(resource_id)
            live: Flow | None = flow_of(document).live if document else None
            return Plan(flows=[live] if live else [])
        if kind == "number":
            return Plan(numbers=await self._all_numbers())
        return Plan(trunks=await self._all_trunks())

    async def _all_numbers(self) -> list[Number]:
        return [number_of(document) for document in await self._numbers.all()]

    async def _all_trunks(self) -> list[Trunk]:
        return [trunk_of(document) for document in await self._trunks.all()]
