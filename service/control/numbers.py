"""The account's numbers: registered, listed, given back."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from service.calls.ids import of_seed
from service.calls.times import now_ms, rfc3339
from service.control.collections import Collection
from service.control.ports import Page
from service.errors import Fault, NotFound, ValidationFailed
from service.numbers.number import Number


class NumberRegistry:
    """Numbers in `numbers`, unique per E.164; a number may name trunks of `trunks`."""

    def __init__(self, numbers: Collection, trunks: Collection) -> None:
        self._numbers, self._trunks = numbers, trunks

    async def create(
        self,
        number: str,
        friendly_name: str | None,
        trunk_id: str | None,
        webhook_url: str | None,
        seed: str | None = None,
        trunk_ids: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Raises `Conflict` where the number is registered, `ValidationFailed` for unknown trunks. What was made of
        the `seed` is not made again."""
        number_id = of_seed("num", seed)
        if seed and (found := await self._numbers.get(number_id)):
            return shown(found)
        await self._check(trunk_id, trunk_ids)
        made = Number(number_id, number, now_ms(), friendly_name, trunk_id, webhook_url, tuple(trunk_ids))
        await self._numbers.create(asdict(made))
        return shown(asdict(made))

    async def _check(self, trunk_id: str | None, trunk_ids: Sequence[str]) -> None:
        named = {"trunk_id": trunk_id} if trunk_id is not None else {}
        named |= {f"trunk_ids.{place}": each for place, each in enumerate(trunk_ids)}
        faults = [
            Fault(field, each, "the id of a trunk")
            for field, each in named.items()
            if await self._trunks.get(each) is None
        ]
        if trunk_id is not None and trunk_ids:
            faults.append(Fault("trunk_id", trunk_id, "at most one of trunk_id and trunk_ids"))
        if faults:
            raise ValidationFailed(*faults)

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

    async def release(self, trunk_id: str) -> None:
        """Numbers let go of a trunk that is no more: they are what they would be if they had never named it."""
        for number in await self._numbers.all():
            stored: dict[str, Any] | None = number
            while stored and (freed := _without(stored, trunk_id)) != stored:
                if await self._numbers.replace(freed, stored):
                    break
                stored = await self._numbers.get(number["id"])

    async def _stored(self, number_id: str) -> dict[str, Any]:
        found = await self._numbers.get(number_id)
        if found is None:
            raise NotFound
        return found


def _without(number: dict[str, Any], trunk_id: str) -> dict[str, Any]:
    trunk_ids = number.get("trunk_ids") or []
    if number["trunk_id"] != trunk_id and trunk_id not in trunk_ids:
        return number
    kept = None if number["trunk_id"] == trunk_id else number["trunk_id"]
    return {**number, "trunk_id": kept, "trunk_ids": [each for each in trunk_ids if each != trunk_id]}


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """The resource of a stored number."""
    return {
        **document,
        "trunk_ids": list(document.get("trunk_ids") or ()),
        "created_at": rfc3339(document["created_at"]),
    }
