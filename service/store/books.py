"""Numbers, trunks and flows as the use cases ask for them, over their collections."""

from service.ivr.flow import Flow, flow_of
from service.numbers.number import Number, number_of
from service.store.documents import Documents
from service.trunks.trunk import Trunk, trunk_of


class RedisNumbers:
    """`NumberBook`. `documents` is the collection that the API reads."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def by_number(self, number: str) -> Number | None:
        found = await self.documents.find(number)
        return number_of(found) if found else None


class RedisTrunks:
    """`TrunkBook`."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def by_id(self, trunk_id: str) -> Trunk | None:
        found = await self.documents.get(trunk_id)
        return trunk_of(found) if found else None

    async def all(self) -> list[Trunk]:
        """Oldest first."""
        return [trunk_of(d) for d in await self.documents.all()]

    async def default(self) -> Trunk | None:
        """The trunk marked so, else the sandbox where there is one."""
        found = await self.documents.flagged("default")
        return trunk_of(found) if found else await self.sandbox()

    async def sandbox(self) -> Trunk | None:
        found = await self.documents.flagged("sandbox")
        return trunk_of(found) if found else None


class RedisFlows:
    """`FlowBook`. `documents` keeps nothing in memory."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def by_id(self, flow_id: str) -> Flow | None:
        found = await self.documents.get(flow_id)
        return flow_of(found) if found else None
