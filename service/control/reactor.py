"""The only place where a stored call changes: load → apply → one write → commands.

Events of one call are taken in order, calls run side by side. The write names the version that it read; where another
process was faster, the event is applied again to what is there now.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog
from tenacity import AsyncRetrying, retry_if_exception, wait_exponential

from service.calls.call import Call, Route
from service.calls.causes import UNREACHABLE
from service.calls.commands import Command, Originate
from service.calls.events import CallCreated, Event, LegRefused
from service.calls.times import now_ms
from service.calls.transitions import Change, apply
from service.control import metrics
from service.control.gate import Gate
from service.control.ports import CallStore, Standing, Switch, Versioned
from service.control.present import Presenter
from service.errors import AsteriskUnavailable, Fenced, StoreUnavailable, TrunkFull

log = structlog.get_logger()


@dataclass(slots=True)
class Turn:
    """Whose turn it is with a call; gone when nobody waits."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Reactor:
    """Owns the calls that this process works on: their order, their commands, and a copy of each live one that it
    follows."""

    def __init__(
        self, store: CallStore, switch: Switch, presenter: Presenter, standing: Standing, gate: Gate | None = None
    ) -> None:
        self._store, self._switch, self._presenter, self._standing = store, switch, presenter, standing
        self._gate = gate or Gate()
        self._live: dict[str, Versioned] = {}
        self._turns: dict[str, Turn] = {}
        self._lanes: dict[str, deque[Event]] = {}
        self._chains: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def submit(self, event: Event) -> None:
        """Takes an event from a stream. It is applied after those of the same call; it is never dropped, however long
        the store is away."""
        lane = self._lanes.get(event.call_id)
        if lane is not None:
            lane.append(event)
            return
        self._lanes[event.call_id] = deque([event])
        self._spawn(self._drain(event.call_id))

    async def handle(self, event: Event) -> Call | None:
        """Applies one event now. Returns the call as it is afterwards; None where there is none.

        Raises `StoreUnavailable`, and `ConcurrencyLimitExceeded` for a new call; then nothing has changed.
        """
        turn = self._turns.setdefault(event.call_id, Turn())
        turn.users += 1
        try:
            async with turn.lock:
                return await self._apply(event)
        except Fenced:
            self._standing.end()
            raise
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[event.call_id]

    def prune(self, node: str, live: Set[str]) -> None:
        """Drops copies of calls of a node that are not live any more: their end was recorded by another process."""
        for call_id in [i for i, held in self._live.items() if held.call.leg.node == node and i not in live]:
            del self._live[call_id]

    async def drained(self) -> None:
        """Waits until all that was taken is applied and all commands are done."""
        while self._tasks or self._chains:
            await asyncio.wait([*self._tasks, *self._chains.values()])

    async def _drain(self, call_id: str) -> None:
        lane = self._lanes[call_id]
        while lane:
            try:
                try:
                    await self.handle(lane[0])
                except StoreUnavailable:
                    wait = wait_exponential(multiplier=0.1, max=1)
                    await AsyncRetrying(retry=retry_if_exception(_store_is_away), wait=wait)(self.handle, lane[0])
            except Fenced:
                metrics.EVENTS_IGNORED.labels("fenced").inc()  # whoever took over finds the same facts
            except Exception:
                log.exception("event not applied", call_id=call_id, event=type(lane[0]).__name__)
            lane.popleft()
        del self._lanes[call_id]

    async def _apply(self, event: Event) -> Call | None:
        held = self._live.get(event.call_id)
        fresh, closed = isinstance(event, CallCreated), set[str | None]()
        if fresh and held is not None:  # made by this process, and its command is on its way
            metrics.EVENTS_IGNORED.labels("no_change").inc()
            return held.call
        while True:
            if held is None and not fresh:
                held = await self._store.load(event.call_id)
                if held is None:
                    metrics.EVENTS_IGNORED.labels("unknown_call").inc()
                    return None
            fresh = False
            change = apply(_without(held.call, closed) if held else None, event)
            if change is None and held is self._live.get(event.call_id) is not None:
                del self._live[event.call_id]  # our copy may be old: another process can have written since
                held = None
                continue
            if change is None:
                metrics.EVENTS_IGNORED.labels("no_change").inc()
                if held is not None:
                    self._keep(held)
                return held.call if held else None
            if held is not None and (route := _taken(held.call, change.call)) and not await self._gate.takes(route):
                closed.add(route.trunk_id)
                continue
            try:
                written = await self._write(change, held)
            except TrunkFull:
                if held is None:
                    raise
                closed.add(change.call.trunk_id)
                continue
            if written:
                self._keep(Versioned(change.call, held.version + 1 if held else 1))
                if held is not None and held.call.status is not change.call.status:
                    self._gate.saw(change.call)
                for notice in change.notices:
                    metrics.CALL_EVENTS.labels(notice.type).inc()
                self._command(change.commands)
                return change.call
            metrics.WRITE_CONFLICTS.inc()
            held = None

    async def _write(self, change: Change, held: Versioned | None) -> bool:
        told = [self._presenter.announce(notice) for notice in change.notices]
        rows, entries = [row for row, _ in told], [entry for _, entry in told if entry is not None]
        return await self._store.write(
            change.call, held.version if held else 0, held.call if held else None, rows, entries
        )

    def _keep(self, held: Versioned) -> None:
        if held.call.ended or not self._standing.owns(held.call.leg.app):
            self._live.pop(held.call.id, None)
        else:
            self._live[held.call.id] = held

    def _command(self, commands: tuple[Command, ...]) -> None:
        """Starts commands; those of one call run one after the other."""
        for command in commands:
            call_id = command.call.id
            task = asyncio.create_task(self._run(command, self._chains.get(call_id)))
            self._chains[call_id] = task
            task.add_done_callback(partial(self._unchain, call_id))

    def _unchain(self, call_id: str, done: asyncio.Task[None]) -> None:
        if self._chains.get(call_id) is done:
            del self._chains[call_id]

    async def _run(self, command: Command, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._standing.confirm()
            if isinstance(command, Originate) and self._gate.down(command.call.trunk_id):
                self.submit(_unreachable(command.call))
            else:
                await self._switch.run(command)
        except Fenced:
            log.warning("command left to who took over", command=type(command).__name__, call_id=command.call.id)
        except AsteriskUnavailable:
            # The comparison that follows a reconnect finds what became of it.
            log.warning("command not carried out", command=type(command).__name__, call_id=command.call.id)
        except Exception:
            log.exception("command failed", command=type(command).__name__, call_id=command.call.id)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _without(call: Call, closed: Set[str | None]) -> Call:
    """The call without its routes by trunks that cannot take it now."""
    return replace(call, routes=tuple(r for r in call.routes if r.trunk_id not in closed)) if closed else call


def _taken(before: Call, after: Call) -> Route | None:
    """The route by which a change dials anew."""
    if before.leg.channel_id == after.leg.channel_id:
        return None
    return next(route for route in before.routes if route.trunk_id == after.trunk_id)


def _unreachable(call: Call) -> LegRefused:
    """What becomes of a leg whose trunk is down: it is not dialled."""
    channel = call.leg.channel_id
    return LegRefused(
        call_id=call.id, at=now_ms(), channel_id=channel, cause=UNREACHABLE, reason="trunk_unreachable"
    )


def _store_is_away(error: BaseException) -> bool:
    """Worth another try; one that is fenced never is."""
    return isinstance(error, StoreUnavailable) and not isinstance(error, Fenced)
