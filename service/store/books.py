"""Numbers and trunks as the use cases ask for them, over their collections."""

from dataclasses import asdict
from typing import Any

from service.numbers.number import Number
from service.store.documents import Documents
from service.trunks.trunk import Trunk


class RedisNumbers:
    """`NumberBook`. `documents` is the collection that the API reads."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def by_number(self, number: str) -> Number | None:
        found = await self.documents.find(number)
        return number_of(found) if found else None


def number_of(document: dict[str, Any]) -> Number:
    """The number of a stored document; unknown fields are passed over."""
    return Number(**{k: v for k, v in document.items() if k in Number.__dataclass_fields__})


class RedisTrunks:
    """`TrunkBook`."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def by_id(self, trunk_id: str) -> Trunk | None:
        found = await self.documents.get(trunk_id)
        return trunk_of(found) if found else None

    async def default(self) -> Trunk | None:
        """The trunk marked so, else the sandbox where there is one."""
        trunks = [trunk_of(d) for d in await self.documents.all()]
        return next((t for t in trunks if t.default), None) or next((t for t in trunks if t.sandbox), None)

    async def sandbox(self) -> Trunk | None:
        return next((t for d in await self.documents.all() if (t := trunk_of(d)).sandbox), None)

    async def add(self, trunk: Trunk) -> None:
        """Raises `Conflict` where the name is taken."""
        await self.documents.create(asdict(trunk))


def trunk_of(document: dict[str, Any]) -> Trunk:
    """The trunk of a stored document; unknown fields are passed over."""
    return Trunk(**{k: v for k, v in document.items() if k in Trunk.__dataclass_fields__})
