"""The account's trunks: made, shown, changed, deleted; and every node told."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Protocol

from service.calls.ids import of_seed
from service.calls.times import now_ms
from service.control.collections import Collection
from service.control.loops import LoopCheck
from service.control.ports import Page
from service.control.trunk_view import present_trunk
from service.errors import Conflict, Fault, InUse, NotFound, ValidationFailed
from service.trunks import rules
from service.trunks.health import Health
from service.trunks.trunk import Trunk, trunk_of
from service.trunks.uri import parse_termination

BUILT_IN = "the sandbox trunk is built in: nothing but its name and default can be set"
OF_SANDBOX = ("name", "default")


class LiveCalls(Protocol):
    """Which calls have not ended."""

    async def live_on_trunk(self, trunk_id: str) -> int:
        """How many are on a trunk."""
        ...


class TrunkConfiguration(Protocol):
    """What the nodes hold of trunks."""

    async def apply(self, trunk_id: str) -> None:
        """Every node that can be reached has the trunk as it is stored, or no more. Raises nothing of nodes."""
        ...


class HealthView(Protocol):
    """What is known of far ends."""

    def of(self, trunks: Sequence[Trunk]) -> Mapping[str, Health]:
        """By the trunk's id; every trunk has one."""
        ...


class Numbers(Protocol):
    """The numbers that name trunks."""

    async def release(self, trunk_id: str) -> None:
        """Takes a trunk out of every number."""
        ...


class TrunkRegistry:
    """Trunks in `trunks`: names are unique, and one at most is the default."""

    def __init__(
        self,
        trunks: Collection,
        numbers: Numbers,
        calls: LiveCalls,
        health: HealthView,
        configuration: TrunkConfiguration,
        loops: LoopCheck,
    ) -> None:
        self._trunks, self._numbers, self._calls = trunks, numbers, calls
        self._health, self._configuration, self._loops = health, configuration, loops

    async def faults(self, named: Mapping[str, Any], trunk_id: str | None = None) -> list[Fault]:
        """What is wrong with these fields together, for a new trunk or with those that a trunk has. What is no value of
        its kind is passed over. Raises `NotFound`."""
        trunk = await self.trunk(trunk_id) if trunk_id else _NEW
        given = {name: value for name, value in named.items() if name in _SETTABLE}
        if trunk.sandbox:
            return [Fault(name, None, BUILT_IN) for name in given if name not in OF_SANDBOX]
        found = rules.faults({**asdict(trunk), **given})
        uri = given.get("termination_uri")
        if isinstance(uri, str) and parse_termination(uri) and (expected := await self._loops.fault(uri)):
            found.append(Fault("termination_uri", uri, expected))
        return found

    async def create(self, named: Mapping[str, Any], seed: str | None = None) -> dict[str, Any]:
        """A trunk of fields in which `faults` finds nothing. What was made of the `seed` is not made again. Raises
        `Conflict` where the name is taken."""
        trunk_id, now = of_seed("trunk", seed), now_ms()
        found = await self._trunks.get(trunk_id) if seed else None
        if found:
            trunk = trunk_of(found)
        else:
            trunk = _changed(replace(_NEW, id=trunk_id, created_at=now, updated_at=now), named)
            await self._trunks.create(asdict(trunk))
        await self._configuration.apply(trunk_id)
        return await self._shown(trunk)

    async def get(self, trunk_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        return await self._shown(await self.trunk(trunk_id))

    async def trunk(self, trunk_id: str) -> Trunk:
        """Raises `NotFound`."""
        return trunk_of(await self._stored(trunk_id))

    async def page(self, cursor: str | None, limit: int) -> Page:
        page = await self._trunks.page(cursor, limit)
        trunks = [await self._effective(trunk_of(document)) for document in page.items]
        health = self._health.of(trunks)
        return Page([present_trunk(trunk, health[trunk.id]) for trunk in trunks], page.cursor, page.total)

    async def update(self, trunk_id: str, named: Mapping[str, Any]) -> dict[str, Any]:
        """Replaces what is named; the next call goes by it, live ones stay as they are. Raises `NotFound`, `Conflict`,
        and `ValidationFailed` where it does not fit what another request has changed meanwhile."""
        while True:
            stored = await self._stored(trunk_id)
            before = trunk_of(stored)
            trunk = _changed(before, named)
            if not trunk.sandbox and (found := rules.faults(asdict(trunk))):
                raise ValidationFailed(*found)
            if trunk == before:
                break
            trunk = replace(trunk, updated_at=now_ms())
            if await self._trunks.replace(asdict(trunk), stored):
                break
        await self._configuration.apply(trunk_id)
        return await self._shown(trunk)

    async def delete(self, trunk_id: str, force: bool) -> None:
        """Numbers let go of the trunk first, so that none names one that is gone; by `force` also one with live calls,
        which go on to their end. Raises `NotFound`, `InUse`, and `Conflict` for the sandbox."""
        stored = await self._stored(trunk_id)
        if trunk_of(stored).sandbox:
            raise Conflict("The sandbox trunk is built in and cannot be deleted.")
        if not force:
            await self._close(stored)
        await self._numbers.release(trunk_id)
        if not await self._trunks.delete(stored):
            raise NotFound
        await self._configuration.apply(trunk_id)

    async def _close(self, stored: dict[str, Any]) -> None:
        """Switches a trunk off that has no live calls, and looks again: none can have come while nobody looked. Raises
        `InUse`; then the trunk is as it was."""
        await self._idle(stored["id"])
        while not await self._trunks.replace(closed := {**stored, "enabled": False}, stored):
            stored = await self._stored(stored["id"])
        try:
            await self._idle(stored["id"])
        except InUse:
            await self._trunks.replace(stored, closed)
            await self._configuration.apply(stored["id"])
            raise

    async def _idle(self, trunk_id: str) -> None:
        """Raises `InUse` where a trunk has live calls."""
        if live := await self._calls.live_on_trunk(trunk_id):
            raise InUse(
                f"Live calls of the trunk: {live}. With ?force=true it is deleted, and they go on to their end."
            )

    async def _stored(self, trunk_id: str) -> dict[str, Any]:
        found = await self._trunks.get(trunk_id)
        if found is None:
            raise NotFound
        return found

    async def _shown(self, trunk: Trunk) -> dict[str, Any]:
        trunk = await self._effective(trunk)
        return present_trunk(trunk, self._health.of([trunk])[trunk.id])

    async def _effective(self, trunk: Trunk) -> Trunk:
        """The sandbox is the default while no other trunk is."""
        if trunk.sandbox and not any(document.get("default") for document in await self._trunks.all()):
            return replace(trunk, default=True)
        return trunk


_NEW = Trunk("", "", 0)
_SETTABLE = {field.name for field in fields(Trunk)} - {"id", "created_at", "updated_at", "sandbox"}


def _changed(trunk: Trunk, named: Mapping[str, Any]) -> Trunk:
    given = {name: value for name, value in named.items() if name in _SETTABLE}
    if "origination_uris" in given:
        given["origination_uris"] = given["origination_uris"] or ()
    return trunk_of({**asdict(trunk), **given})
