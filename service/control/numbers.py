"""The account's numbers: registered, listed, given back."""

from dataclasses import asdict
from typing import Any

from service.calls.ids import of_seed
from service.calls.times import now_ms, rfc3339
from service.control.collections import Collection
from service.control.ports import Page
from service.errors import Fault, NotFound, ValidationFailed
from service.numbers.number import Number


class NumberRegistry:
    """Numbers in `numbers`, unique per E.164; a number may name a trunk of `trunks`."""

    def __init__(self, numbers: Collection, trunks: Collection) -> None:
        self._numbers, self._trunks = numbers, trunks

    async def create(
        self,
        number: str,
        friendly_name: str | None,
        trunk_id: str | None,
        webhook_url: str | None,
        seed: str | None = None,
    ) -> dict[str, Any]:
        """Raises `Conflict` where the number is registered, `ValidationFailed` for an unknown trunk. What was made of
        the `seed` is not made again."""
        number_id = of_seed("num", seed)
        if seed and (found := await self._numbers.get(number_id)):
            return shown(found)
        if trunk_id is not None and await self._trunks.get(trunk_id) is None:
            raise ValidationFailed(Fault("trunk_id", trunk_id, "the id of a trunk"))
        made = Number(number_id, number, now_ms(), friendly_name, trunk_id, webhook_url)
        await self._numbers.create(asdict(made))
        return shown(asdict(made))

    async def get(self, number_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        return shown(await self._stored(number_id))

    async def page(self, cursor: str | None, limit: int) -> Page:
        page = await self._numbers.page(cursor, limit)
        return Page([shown(d) for d in page.items], page.cursor, page.total)

    async def delete(self, number_id: str) -> None:
        """Raises `NotFound`. Calls from the number go on."""
        if not await self._numbers.delete(await self._stored(number_id)):
            raise NotFound

    async def _stored(self, number_id: str) -> dict[str, Any]:
        found = await self._numbers.get(number_id)
        if found is None:
            raise NotFound
        return found


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """The resource of a stored number."""
    return {**document, "created_at": rfc3339(document["created_at"])}
