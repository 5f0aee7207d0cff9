"""The account's flows: made, shown, changed, deleted; and their prompts ordered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Protocol

from service.calls.ids import of_seed
from service.calls.times import now_ms
from service.control.collections import Collection
from service.control.flow_check import FlowCheck, Speaks, rules_of
from service.control.flow_view import menu, present_flow
from service.control.ports import Nodes, Page
from service.errors import Fault, InUse, NotFound, ValidationFailed
from service.ivr.flow import KEYS, Action, Flow, Status, flow_of
from service.ivr.simulate import Walk, inputs_of, walk

NAMED = 10  # users of a flow that an error names


class Numbers(Protocol):
    """The numbers that lead to flows."""

    async def routed_to(self, kind: str, target: str) -> list[str]:
        """Those, E.164, whose calls go to this target, as the store has them now."""
        ...


class Orders(Protocol):
    """Who makes prompts."""

    async def announce(self, flow_id: str, version: int) -> None:
        """Notes in the store that a version is about to be written, so that its prompts are made whatever becomes of
        this process."""
        ...

    def begin(self, flow_id: str, version: int) -> None:
        """It is written. Returns at once."""
        ...


class Sound(Protocol):
    """A prompt that nodes can play, by the hash that names it."""

    @property
    def hash(self) -> str: ...


class Sounds(Speaks, Protocol):
    """Keeps uploaded audio."""

    async def keep(self, data: bytes) -> Sound:
        """Raises an `OrbitError` where it is none, or cannot be kept now."""
        ...


Change = Callable[[Flow], Awaitable[Flow]]


class FlowRegistry:
    """Flows in `flows`; `fresh` is the same collection, read from the store each time. A write waits for no speech."""

    def __init__(
        self,
        flows: Collection,
        fresh: Collection,
        numbers: Numbers,
        check: FlowCheck,
        speaker: Sounds,
        orders: Orders,
        nodes: Nodes,
    ) -> None:
        self._flows, self._fresh, self._numbers, self._check = flows, fresh, numbers, check
        self._speaker, self._orders, self._nodes = speaker, orders, nodes

    async def faults(self, named: Mapping[str, Any], flow_id: str | None = None) -> list[Fault]:
        """What is wrong with these fields, for a new flow or with those that a flow has. What is no value of its kind
        is passed over. Raises `NotFound`."""
        flow = flow_of(await self._stored(flow_id)) if flow_id else _NEW
        told = {*named, *(other for name in named for other in _BOUND.get(name, ()))}
        found = await self._check.faults({**_fields(flow), **named})
        return [fault for fault in found if fault.field.partition(".")[0] in told] or await self._circle(flow, named)

    async def _circle(self, flow: Flow, named: Mapping[str, Any]) -> list[Fault]:
        try:
            changed = _changed(flow, named)
        except (AttributeError, KeyError, TypeError, ValueError):  # fields that are told one by one
            return []
        if not flow.id or len(changed.options) > len(KEYS):  # nothing leads to one that is new
            return []
        well = all(isinstance(option.target, str | None) for option in changed.options)
        return await self._check.circle(changed) if well else []

    async def create(self, named: Mapping[str, Any], seed: str | None = None) -> dict[str, Any]:
        """A flow of fields in which `faults` finds nothing. What was made of the `seed` is not made again."""
        flow_id, now = of_seed("ivr", seed), now_ms()
        if seed and (found := await self._flows.get(flow_id)):
            return self._shown(flow_of(found))
        flow = _changed(replace(_NEW, id=flow_id, created_at=now, updated_at=now), named)
        await self._orders.announce(flow_id, flow.version)
        await self._flows.create(asdict(flow))
        if gone := await self._gone(flow):
            await self._flows.delete(asdict(flow))
            raise ValidationFailed(*gone)
        self._orders.begin(flow_id, flow.version)
        return self._shown(flow)

    async def get(self, flow_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        return self._shown(flow_of(await self._stored(flow_id)))

    async def page(self, cursor: str | None, limit: int) -> Page:
        page = await self._flows.page(cursor, limit)
        return Page([self._shown(flow_of(document)) for document in page.items], page.cursor, page.total)

    async def update(self, flow_id: str, named: Mapping[str, Any]) -> dict[str, Any]:
        """Replaces what is named; the next caller hears it once its prompts are made. Raises `NotFound`, and
        `ValidationFailed` where it does not fit what another request has changed meanwhile."""

        async def change(flow: Flow) -> Flow:
            changed = _changed(flow, named)
            if found := await rules_of(_fields(changed)) or await self._check.circle(changed):
                raise ValidationFailed(*found)
            return changed

        return await self._change(flow_id, change)

    async def upload(self, flow_id: str, audio: bytes) -> dict[str, Any]:
        """The greeting is this audio file from now on. Raises `NotFound`, and what `Sounds.keep` raises."""
        await self._stored(flow_id)
        sound = await self._speaker.keep(audio)

        async def change(flow: Flow) -> Flow:
            return replace(flow, greeting_audio=sound.hash, greeting_url=None)

        return await self._change(flow_id, change)

    async def speak(self, flow_id: str) -> dict[str, Any]:
        """The greeting is spoken from now on. Raises `NotFound`."""

        async def change(flow: Flow) -> Flow:
            return replace(flow, greeting_audio=None, greeting_url=None)

        return await self._change(flow_id, change)

    async def _change(self, flow_id: str, change: Change) -> dict[str, Any]:
        """Writes what `change` makes of a flow, as its next version. One that failed is tried again."""
        while True:
            stored = await self._stored(flow_id)
            before = flow_of(stored)
            changed = await change(before)
            if changed == before and before.status is not Status.FAILED:
                return self._shown(before)
            fresh = replace(changed, status=Status.PREPARING, error=None, prompts={})
            flow = replace(fresh, version=before.version + 1, updated_at=now_ms())
            await self._orders.announce(flow_id, flow.version)
            if await self._flows.replace(asdict(flow), stored):
                break
        if gone := await self._gone(flow) or await self._check.circle(flow):
            await self._put_back(stored, flow.version, lambda each: self._flows.replace(each, asdict(flow)))
            raise ValidationFailed(*gone)
        self._orders.begin(flow_id, flow.version)
        return self._shown(flow)

    async def _gone(self, flow: Flow) -> list[Fault]:
        """Menus that were deleted while this one came to lead to them: who deletes a flow looks for such after that,
        too, so that one of the two sees the other."""
        return [
            Fault(f"menu.options.{place}.target", option.target, "the id of a flow")
            for place, option in enumerate(flow.options)
            if option.target in flow.leads_to and await self._fresh.get(option.target or "") is None
        ]

    async def delete(self, flow_id: str) -> None:
        """Callers who are in the menu go on. Raises `NotFound`, and `InUse` where a number or a flow leads to it."""
        await self._free(flow_id)
        stored = await self._fresh.get(flow_id)
        if stored is None or not await self._flows.delete(stored):
            raise NotFound
        try:
            await self._free(flow_id)
        except InUse:  # since somebody has come to lead to it
            await self._put_back(stored, stored["version"], self._flows.create)
            raise
        finally:
            await self._nodes.apply("flow", flow_id)

    async def _put_back(self, stored: dict[str, Any], over: int, write: Callable[[dict[str, Any]], Any]) -> None:
        """Writes a flow as it was. One that is preparing becomes a version above `over`: whoever has seen the other
        state has dropped the order for its own."""
        if stored["status"] != Status.PREPARING:
            await write(stored)
            return
        again = {**stored, "version": over + 1}
        await self._orders.announce(again["id"], again["version"])
        await write(again)
        self._orders.begin(again["id"], again["version"])

    async def _free(self, flow_id: str) -> None:
        """Raises `InUse` where a number or another flow leads to this one."""
        numbers = await self._numbers.routed_to("ivr", flow_id)
        flows = [
            f"{document['name']} ({document['id']})"
            for document in await self._fresh.naming(flow_id)
            if document["id"] != flow_id and any(_leads(each, flow_id) for each in (document, document["published"]))
        ]
        if not numbers and not flows:
            return
        raise InUse(
            f"Calls come to this flow by {_listed([*numbers, *flows])}.",
            *(Fault("id", each, "no number that leads to it") for each in numbers),
            *(Fault("id", each, "no flow that leads to it") for each in flows),
        )

    async def simulate(self, flow_id: str, keys: str) -> tuple[Flow, Walk]:
        """The flow and the way of a caller through the newest versions. Raises `NotFound` and `ValidationFailed`."""
        flow = flow_of(await self._stored(flow_id))
        others = await self._check.reached(flow)
        return flow, walk(flow, inputs_of(keys), {**others, flow.id: flow})

    async def _stored(self, flow_id: str) -> dict[str, Any]:
        found = await self._flows.get(flow_id)
        if found is None:
            raise NotFound
        return found

    def _shown(self, flow: Flow) -> dict[str, Any]:
        return present_flow(flow, self._speaker.voice(flow.language))


_NEW = Flow("", "", 0)
_PLAIN = (
    "name",
    "greeting",
    "language",
    "timeout_seconds",
    "max_retries",
    "fallback_action",
    "fallback_target",
    "greeting_url",
    "invalid_prompt",
)
_BOUND = {"fallback_action": ("fallback_target",), "fallback_target": ("menu",), "language": ("menu",)}
"""Fields in which a fault shows that another one has made."""


def _fields(flow: Flow) -> dict[str, Any]:
    """What can be set of a flow, as JSON has it."""
    return {**{name: getattr(flow, name) for name in _PLAIN}, "menu": {"options": menu(flow)}}


def _changed(flow: Flow, named: Mapping[str, Any]) -> Flow:
    given = {name: named[name] for name in _PLAIN if name in named}
    if "menu" in named:
        given["options"] = named["menu"]["options"]
    if given.get("greeting_url", flow.greeting_url) != flow.greeting_url:
        given["greeting_audio"] = None  # of another place
    return flow_of({**asdict(flow), **given})


def _leads(document: dict[str, Any] | None, flow_id: str) -> bool:
    """Whether a key of a stored version leads to a flow."""
    options = document["options"] if document else ()
    return any(option["action"] == Action.IVR and option["target"] == flow_id for option in options)


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
