"""The account's numbers: registered, routed, listed, given back; and every node told."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from service.calls.ids import of_seed
from service.calls.times import now_ms, rfc3339
from service.control.collections import Collection
from service.control.ports import Nodes, Page
from service.control.route_check import RouteCheck
from service.errors import Fault, NotFound, ValidationFailed
from service.numbers.change import changed
from service.numbers.number import Number, number_of
from service.numbers.route import Route, RouteType


class NumberRegistry:
    """Numbers in `numbers`, unique per E.164. `fresh` is the same collection, read from the store each time; `trunks`
    are those that a number may name."""

    def __init__(
        self, numbers: Collection, fresh: Collection, trunks: Collection, check: RouteCheck, nodes: Nodes
    ) -> None:
        self._numbers, self._fresh, self._trunks = numbers, fresh, trunks
        self._check, self._nodes = check, nodes

    async def faults(self, named: Mapping[str, Any], number_id: str | None = None) -> list[Fault]:
        """What is wrong with these fields, for a new number or with those that a number has. What is no value of its
        kind is passed over. Raises `NotFound`."""
        before = number_of(await self._stored(number_id)) if number_id else None
        return await self._faults(before, changed(before or _NEW, named), named)

    async def _faults(self, before: Number | None, number: Number, named: Mapping[str, Any]) -> list[Fault]:
        found = []
        if before and number.number != before.number:
            expected = f"{before.number}: it stays; register the other one as a number of its own"
            found.append(Fault("number", number.number, expected))
        told = {"trunk_id": number.trunk_id} if number.trunk_id else {}
        told |= {f"trunk_ids.{place}": each for place, each in enumerate(number.trunk_ids)}
        found += [
            Fault(field, each, "the id of a trunk")
            for field, each in told.items()
            if field.partition(".")[0] in named and await self._trunks.get(each) is None
        ]
        if number.trunk_id and number.trunk_ids:
            found.append(Fault("trunk_id", number.trunk_id, "at most one of trunk_id and trunk_ids"))
        if {"route", "trunk_id", "trunk_ids"} & named.keys():
            found += await self._check.faults(number)
        return found

    async def create(self, named: Mapping[str, Any], seed: str | None = None) -> dict[str, Any]:
        """A number of fields in which `faults` finds nothing. What was made of the `seed` is not made again. Raises
        `Conflict` where the number is registered."""
        number_id = of_seed("num", seed)
        found = await self._numbers.get(number_id) if seed else None
        if found:
            number = number_of(found)
        else:
            number = changed(replace(_NEW, id=number_id, created_at=now_ms()), named)
            await self._numbers.create(asdict(number))
        try:
            if fault := await self._gone(number):
                await self._numbers.delete(asdict(number))
                raise ValidationFailed(fault)
        finally:
            await self._nodes.apply("number", number.number)
        return shown(number)

    async def get(self, number_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        return shown(number_of(await self._stored(number_id)))

    async def page(self, cursor: str | None, limit: int) -> Page:
        page = await self._numbers.page(cursor, limit)
        return Page([shown(number_of(d)) for d in page.items], page.cursor, page.total)

    async def update(self, number_id: str, named: Mapping[str, Any]) -> dict[str, Any]:
        """Replaces what is named; the next call goes by it, live ones stay as they are. Raises `NotFound`, and
        `ValidationFailed` where it does not fit what another request has changed meanwhile."""
        while True:
            stored = await self._stored(number_id)
            before = number_of(stored)
            number = changed(before, named)
            if found := await self._faults(before, number, named):
                raise ValidationFailed(*found)
            if number == before or await self._numbers.replace(asdict(number), stored):
                break
        try:
            if number.route != before.route and (fault := await self._gone(number)):
                await self._undo(number, stored)
                raise ValidationFailed(fault)
        finally:
            await self._nodes.apply("number", number.number)
        return shown(number)

    async def _gone(self, number: Number) -> Fault | None:
        """A flow that was deleted while a number came to name it, or a way back that another request has made: who
        does that looks again after it, too, so that one of the two sees the other."""
        leads_on = number.route is not None and number.route.type in (RouteType.IVR, RouteType.NUMBER)
        return next(iter(await self._check.faults(number)), None) if leads_on else None

    async def _undo(self, number: Number, before: dict[str, Any]) -> None:
        """The number as it was; where another request has changed it since, its route as it was."""
        stored: dict[str, Any] | None = asdict(number)
        while stored and number_of(stored).route == number.route:
            earlier = before if number_of(stored) == number else {**stored, "route": before.get("route")}
            if await self._numbers.replace(earlier, stored):
                return
            stored = await self._fresh.get(number.id)

    async def delete(self, number_id: str) -> None:
        """Raises `NotFound`. Calls from and to the number go on."""
        stored = await self._stored(number_id)
        if not await self._numbers.delete(stored):
            raise NotFound
        await self._nodes.apply("number", stored["number"])

    async def release(self, trunk_id: str) -> None:
        """Numbers let go of a trunk that is no more: they are what they would be if they had never named it."""
        for number in await self._numbers.all():
            stored: dict[str, Any] | None = number
            while stored and (freed := _without(stored, trunk_id)) != stored:
                if await self._numbers.replace(freed, stored):
                    await self._nodes.apply("number", number["number"])
                    break
                stored = await self._numbers.get(number["id"])

    async def routed_to(self, kind: str, target: str) -> list[str]:
        """The numbers, E.164, whose calls go to this target."""
        route = Route(RouteType(kind), target)
        return [number.number for number in map(number_of, await self._fresh.naming(target)) if number.route == route]

    async def _stored(self, number_id: str) -> dict[str, Any]:
        found = await self._numbers.get(number_id)
        if found is None:
            raise NotFound
        return found


_NEW = Number("", "", 0)


def _without(number: dict[str, Any], trunk_id: str) -> dict[str, Any]:
    trunk_ids = number.get("trunk_ids") or []
    if number["trunk_id"] != trunk_id and trunk_id not in trunk_ids:
        return number
    kept = None if number["trunk_id"] == trunk_id else number["trunk_id"]
    return {**number, "trunk_id": kept, "trunk_ids": [each for each in trunk_ids if each != trunk_id]}


def shown(number: Number) -> dict[str, Any]:
    """The resource of a number."""
    return {**asdict(number), "trunk_ids": list(number.trunk_ids), "created_at": rfc3339(number.created_at)}
