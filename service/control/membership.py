"""This process among the others: its lease, whose calls it follows, and the take-over of those that are gone.

A process is known by its Stasis application, a new one at each start, so that a name never means two lives. The lease
is kept by Redis' clock; a process that was halted or cut off for longer is fenced: another one follows its calls, and
it can write none of them any more.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from service.control import metrics
from service.errors import Fenced, StoreUnavailable

log = structlog.get_logger()

RENEWALS = 6  # in one lease
LEAVING_SECONDS = 2.0  # how long one that leaves waits to be taken over


@dataclass(frozen=True, slots=True)
class Round:
    """What a renewal tells. `left` and `overdue`: applications of processes to take over, at once or once that is sure;
    `held`: nodes that this process compares with, `attended`: those that anybody does; `load`: live calls of each node;
    `apps`: live calls of each application that this process follows."""

    left: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    attended: frozenset[str] = frozenset()
    load: dict[str, int] = field(default_factory=dict)
    apps: dict[str, int] = field(default_factory=dict)


class Members(Protocol):
    """The processes in the store. Every method may raise `StoreUnavailable`."""

    async def join(self, app: str, name: str, lease_ms: int) -> list[str]:
        """Makes `app` a member; returns those of the same name, which count as dead from now on."""
        ...

    async def renew(self, app: str, lease_ms: int, streams: Sequence[str], nodes: Sequence[str]) -> Round | None:
        """None where `app` is fenced. `streams` are the nodes whose events reach it."""
        ...

    async def adopt(self, app: str, dead: str) -> list[str] | None:
        """Fences `dead` and takes the applications that it followed; none where it lives; None: `app` is fenced."""
        ...

    async def retire(self, app: str, adopted: str) -> bool:
        """Forgets an adopted application, once no call has it."""
        ...

    async def leave(self, app: str) -> None:
        """Lets others take over at once."""
        ...

    async def awaits_heir(self, app: str) -> bool:
        """Whether one that left is not taken over yet, and there is another that can do it."""
        ...


class Lines(Protocol):
    """The lines to the nodes, as the membership needs them."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def streams(self) -> Sequence[str]:
        """The nodes whose event stream is alive."""
        ...

    def measured(self, load: dict[str, int]) -> None:
        """Takes the live calls of each node."""
        ...

    def follow(self, app: str) -> None:
        """Opens an application's name on every node, so that its channels find it."""
        ...

    def unfollow(self, app: str) -> None: ...


class Membership:
    """`app` is this process's application, `name` what it is called over restarts. `take_over` is called with
    the processes that were taken over: what happened to their calls meanwhile is to be found out."""

    def __init__(
        self,
        members: Members,
        app: str,
        name: str,
        lease_ms: int,
        lines: Lines,
        take_over: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self.app, self.apps = app, {app}
        self.round = Round()
        self.fenced = asyncio.Event()
        self._members, self._name, self._lease_ms = members, name, lease_ms
        self._lines, self._take_over = lines, take_over
        self._valid_until = self._steady_since = 0.0
        self._leaving = False

    def owns(self, app: str) -> bool:
        """Whether this process follows the calls of an application."""
        return app in self.apps

    def adopted(self, app: str) -> bool:
        """Whether an application is that of a process that is gone, and this one follows its calls."""
        return app in self.apps and app != self.app

    @property
    def valid(self) -> bool:
        """Whether no other process can have taken over: the last proof is younger than the lease."""
        return not self.fenced.is_set() and _clock() < self._valid_until

    def check(self) -> None:
        """Raises `Fenced` where that is not sure; for what cannot be taken back, such as dialling."""
        if not self.valid:
            raise Fenced

    def now(self) -> float:
        return _clock()

    def prove(self, asked: float) -> None:
        """At `asked` nobody had taken over. After a gap in the proofs, this process takes nobody over for a while."""
        if asked >= self._valid_until or not self._steady_since:
            self._steady_since = asked
        self._valid_until = max(self._valid_until, asked + self._lease_ms / 1000)

    def end(self) -> None:
        """Another process has taken over."""
        if not self.fenced.is_set():
            log.error("taken over by another process; this one ends", app=self.app)
            metrics.FENCED.inc()
            self.fenced.set()

    async def run(self) -> None:
        """Until cancelled, left or fenced."""
        while not (self.fenced.is_set() or self._leaving):
            try:
                await self._renew()
            except StoreUnavailable:
                self._steady_since = 0.0
            await asyncio.sleep(self._lease_ms / 1000 / RENEWALS)

    async def join(self) -> None:
        """Becomes a member, in the place of what ran under the same name before. Raises `StoreUnavailable`."""
        asked = _clock()
        before = await self._members.join(self.app, self._name, self._lease_ms)
        self.prove(asked)
        await self._adopt(before)

    async def _renew(self) -> None:
        asked = _clock()
        found = await self._members.renew(self.app, self._lease_ms, self._lines.streams, self._lines.names)
        if found is None:
            self.end()
            return
        self.prove(asked)
        self.round = found
        self._lines.measured(found.load)
        # After an outage of the store everybody is overdue; the living need a moment to renew their leases.
        sure = asked - self._steady_since >= self._lease_ms / 1000
        await self._adopt([*found.left, *(found.overdue if sure else ())])
        for app, live in found.apps.items():
            if live == 0 and app != self.app and app in self.apps and await self._members.retire(self.app, app):
                self.apps.discard(app)
                self._lines.unfollow(app)

    async def _adopt(self, dead: Sequence[str]) -> None:
        taken = set()
        for each in dead:
            found = await self._members.adopt(self.app, each)
            if found is None:
                self.end()
                return
            taken.update(found)
        if taken:
            log.warning("calls taken over", processes=list(dead))
            metrics.TAKEN_OVER.inc(len(dead))
            self.apps |= taken
            for app in taken:
                self._lines.follow(app)
            await self._take_over(dead)

    async def leave(self) -> None:
        """Hands the calls to another process, where there is one, and waits until it has them."""
        self._leaving = True
        if self.fenced.is_set():
            return
        try:
            await self._members.leave(self.app)
            until = _clock() + LEAVING_SECONDS
            while _clock() < until and await self._members.awaits_heir(self.app):  # noqa: ASYNC110 (it is in the store)
                await asyncio.sleep(0.05)
        except StoreUnavailable:
            log.warning("left without the store; the lease runs out")


def stasis_name(process: str) -> str:
    """A new application name for a process that starts."""
    return f"orbit-{process}-{secrets.token_hex(4)}"


def _clock() -> float:
    """Seconds that also pass while the machine sleeps (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
