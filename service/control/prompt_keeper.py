"""Makes the prompts of flows and brings each version to its callers once all are made.

Whoever writes a version of a flow has noted an order for it first, a small document that is there until the version is
active, failed or past. An order names until when it is somebody's: it passes on to whoever looks after that, so that a
process that dies leaves nothing undone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import structlog

from service.calls.times import now_ms
from service.control.collections import Collection
from service.control.flows import Sound, Sounds
from service.control.ports import Nodes
from service.errors import OrbitError, StoreUnavailable
from service.ivr.flow import Flow, Status, flow_of

log = structlog.get_logger()

LOOK_SECONDS = 2.0
HELD_MS = 6000  # that an order is somebody's without being renewed
FORGOTTEN_MS = 60_000  # an order whose version has never been written is dropped
AT_ONCE = 16  # flows; their texts take turns with the engine
PAUSES_MS = (2000, 5000, 10_000, 30_000, 60_000, 300_000)  # after failures that can pass

Fetch = Callable[[str], Awaitable[bytes]]


class Speaker(Sounds, Protocol):
    """Makes prompts. Raises an `OrbitError`: below status 500 one that will come again, else one that can pass."""

    async def render(self, text: str, language: str) -> Sound: ...


@dataclass(frozen=True, slots=True)
class Order:
    """Prompts of a version of a flow that are to be made. Times in ms since 1970; `until` it is somebody's, or waits
    after so many `failures`."""

    id: str
    flow_id: str
    version: int
    at: int
    until: int
    failures: int = 0


class PromptKeeper:
    """One per process. `orders` and `flows` are read from the store each time. `fetch` brings what a URL leads to, and
    raises as `Speaker` does."""

    def __init__(self, flows: Collection, orders: Collection, speaker: Speaker, fetch: Fetch, nodes: Nodes) -> None:
        self._flows, self._orders, self._speaker, self._fetch, self._nodes = flows, orders, speaker, fetch, nodes
        self._newest: dict[str, int] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._free = asyncio.Semaphore(AT_ONCE)

    async def announce(self, flow_id: str, version: int) -> None:
        now = now_ms()
        await self._orders.create(asdict(Order(f"{flow_id}.{version}", flow_id, version, now, now + HELD_MS)))

    def begin(self, flow_id: str, version: int) -> None:
        """Of many versions, those before the newest are left as they are."""
        self._newest[flow_id] = max(version, self._newest.get(flow_id, 0))
        if flow_id not in self._tasks:
            self._tasks[flow_id] = asyncio.create_task(self._all_of(flow_id))

    async def run(self) -> None:
        """Takes up what others have left. Until cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except StoreUnavailable as error:
                    log.info("prompts to make are not known now", error=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in list(self._tasks.values()):
                task.cancel()

    async def _look(self) -> None:
        now = now_ms()
        for document in await self._orders.all():
            order = Order(**document)
            if order.until <= now and order.flow_id not in self._tasks:
                await self._take(order, document)

    async def _take(self, order: Order, document: dict[str, Any]) -> None:
        stored = await self._flows.get(order.flow_id)
        version = stored["version"] if stored else 0
        if version < order.version:  # is about to be written, or never was
            if order.at + FORGOTTEN_MS < now_ms():
                await self._orders.delete(document)
        elif version > order.version:
            await self._orders.delete(document)
        elif await self._orders.replace({**document, "until": now_ms() + HELD_MS}, document):
            self.begin(order.flow_id, order.version)

    async def _all_of(self, flow_id: str) -> None:
        """Makes the newest version, and again while a newer one has come."""
        try:
            async with self._free:
                while version := self._newest.get(flow_id):
                    renewing = asyncio.create_task(self._renew(f"{flow_id}.{version}"))
                    try:
                        await self._make(flow_id, version)
                    finally:
                        renewing.cancel()
                    if self._newest.get(flow_id) == version:
                        del self._newest[flow_id]
        finally:
            self._tasks.pop(flow_id, None)

    async def _renew(self, order_id: str) -> None:
        while True:
            await asyncio.sleep(HELD_MS / 3000)
            try:
                await self._hold(order_id, HELD_MS)
            except StoreUnavailable:
                continue

    async def _hold(self, order_id: str, ms: int, failed: bool = False) -> None:
        """Keeps an order from others for so long."""
        if document := await self._orders.get(order_id):
            failures = document["failures"] + failed
            await self._orders.replace({**document, "until": now_ms() + ms, "failures": failures}, document)

    async def _make(self, flow_id: str, version: int) -> None:
        order_id = f"{flow_id}.{version}"
        try:
            if await self._activate(flow_id, version):
                await self._orders.delete({"id": order_id})
        except StoreUnavailable as error:
            log.warning("prompts wait for the store", flow=flow_id, error=type(error).__name__)
        except OrbitError as error:
            log.warning("prompts not made", flow=flow_id, version=version, why=str(error))
            await self._failed(flow_id, version, error)
        except Exception:
            log.exception("prompts not made", flow=flow_id, version=version)
            await self._failed(flow_id, version, OrbitError("The prompts could not be made; it is tried again."))

    async def _failed(self, flow_id: str, version: int, error: OrbitError) -> None:
        """Callers keep the version before. What can pass is tried again."""
        with suppress(StoreUnavailable):
            await self._note(flow_id, version, error)

    async def _note(self, flow_id: str, version: int, error: OrbitError) -> None:
        for_good = error.status < 500
        status = Status.FAILED if for_good else Status.PREPARING
        await self._write(flow_id, version, lambda flow: replace(flow, status=status, error=str(error)))
        order = await self._orders.get(f"{flow_id}.{version}")
        if order and for_good:
            await self._orders.delete(order)
        elif order:
            await self._hold(order["id"], PAUSES_MS[min(order["failures"], len(PAUSES_MS) - 1)], failed=True)

    async def _activate(self, flow_id: str, version: int) -> bool:
        """Whether the order is done with: the version is active, or past."""
        flow = await self._current(flow_id, version)
        if flow and flow.greeting_url and not flow.greeting_audio:
            sound = await self._speaker.keep(await self._fetch(flow.greeting_url))
            flow = await self._write(flow_id, version, lambda each: replace(each, greeting_audio=sound.hash))
        prompts: dict[str, str] = {}
        for text in flow.texts if flow else ():
            if self._newest.get(flow_id, version) > version:
                return True
            prompts[text] = (await self._speaker.render(text, flow.language if flow else "")).hash
        if not await self._write(flow_id, version, lambda each: _published(each, prompts)):
            return await self._current(flow_id, version) is None
        await self._nodes.apply("flow", flow_id)
        await self._write(flow_id, version, lambda each: replace(each, status=Status.ACTIVE))
        return True

    async def _current(self, flow_id: str, version: int) -> Flow | None:
        """The flow, where this is its version and not made yet."""
        stored = await self._flows.get(flow_id)
        flow = flow_of(stored) if stored else None
        return flow if flow and flow.version == version and flow.status is Status.PREPARING else None

    async def _write(self, flow_id: str, version: int, change: Callable[[Flow], Flow]) -> Flow | None:
        """Changes a version that is not made yet; None where it is past, or gone."""
        while True:
            stored = await self._flows.get(flow_id)
            flow = flow_of(stored) if stored else None
            if not stored or not flow or flow.version != version or flow.status is not Status.PREPARING:
                return None
            changed = change(flow)
            if changed == flow or await self._flows.replace(asdict(changed), stored):
                return changed


def _published(flow: Flow, prompts: dict[str, str]) -> Flow:
    made = replace(flow, prompts=prompts, error=None)
    return replace(made, published=replace(made, status=Status.ACTIVE).as_published())
