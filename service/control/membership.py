"""This process among the others: its lease, and whose calls it follows.

A process is known by its Stasis application, a new one at each start, so that a name never means two lives. The lease
is kept by Redis' clock; a process that was halted or cut off for longer is fenced: another one follows its calls, and
it can write none of them any more.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from service.control import metrics
from service.errors import Fenced, StoreUnavailable

log = structlog.get_logger()

RENEWALS = 6  # in one lease
LEAVING_SECONDS = 2.0  # how long one that leaves waits to be taken over
DOUBT_SECONDS = 10.0  # how long a command waits for the next proof
POLL_SECONDS = 0.05


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

    async def adopt(self, app: str, dead: str) -> bool:
        """Fences `dead` and takes the applications that it followed, where it is dead. False where `app` is fenced."""
        ...

    async def retire(self, app: str, adopted: str) -> None:
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

    def follow(self, apps: frozenset[str]) -> None:
        """Keeps the names of these applications open on every node, and of no others, so that their channels find
        them."""
        ...


class Membership:
    """`app` is this process's application, `name` what it is called over restarts. `adopted` is told of processes that
    were taken over, by their applications, and must return at once: the lease has to be renewed meanwhile."""

    def __init__(
        self, members: Members, app: str, name: str, lease_ms: int, lines: Lines, adopted: Callable[[set[str]], None]
    ) -> None:
        self.app, self.apps = app, frozenset({app})
        self.round = Round()
        self.fenced = asyncio.Event()
        self._members, self._name, self._lease_ms = members, name, lease_ms
        self._lines, self._tell = lines, adopted
        self._valid_until = self._steady_since = 0.0
        self._closing = self._leaving = self._away = False
        self._renewing: asyncio.Task[None] | None = None

    def owns(self, app: str) -> bool:
        """Whether this process follows the calls of an application."""
        return app in self.apps

    def adopted(self, app: str) -> bool:
        """Whether an application is that of a process that is gone, and this one follows its calls."""
        return app in self.apps and app != self.app

    @property
    def valid(self) -> bool:
        """Whether the last proof is younger than the lease: by Redis' clock nobody can have taken over."""
        return not self.fenced.is_set() and _clock() < self._valid_until

    @property
    def claims(self) -> bool:
        """Whether this process takes callers."""
        return self.valid and not self._closing

    def check(self) -> None:
        """Raises `Fenced` where another process may have taken over."""
        if not self.valid:
            raise Fenced

    async def confirm(self) -> None:
        """Waits for the next proof where that is in doubt; for what cannot be taken back, such as dialling. Raises
        `Fenced`."""
        until = _clock() + DOUBT_SECONDS
        while not self.valid:
            if self.fenced.is_set() or self._leaving or _clock() > until:
                raise Fenced
            await asyncio.sleep(POLL_SECONDS)

    def end(self) -> None:
        """Another process has taken over."""
        if not self.fenced.is_set() and not self._leaving:
            log.error("no member any more: taken over, or forgotten by the store; this process ends", app=self.app)
            metrics.FENCED.inc()
            self.fenced.set()

    def claim_no_more(self) -> None:
        """From now on other processes take the callers."""
        self._closing = True

    def start(self) -> None:
        """Renews the lease until it leaves or is fenced."""
        self._renewing = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not (self.fenced.is_set() or self._leaving):
            try:
                if await self._renew():
                    continue
                self._told(None)
            except StoreUnavailable as away:
                self._steady_since = 0.0
                self._told(away)
            except Exception:
                log.exception("lease not renewed")
            await asyncio.sleep(self._lease_ms / 1000 / RENEWALS)

    def _told(self, away: StoreUnavailable | None) -> None:
        """One line when the store takes no writes, with its own words, and one when it does again."""
        if away is not None and not self._away:
            log.warning("the store takes no writes", why=str(away.__cause__ or away)[:200])
        elif away is None and self._away:
            log.warning("the store takes writes again")
        self._away = away is not None

    async def join(self) -> None:
        """Becomes a member, in the place of what ran under the same name before. Raises `StoreUnavailable`."""
        asked = _clock()
        before = await self._members.join(self.app, self._name, self._lease_ms)
        self._prove(asked)
        await self._adopt(before)

    async def _renew(self) -> bool:
        """Whether there is news that the next renewal tells."""
        asked = _clock()
        found = await self._members.renew(self.app, self._lease_ms, self._lines.streams, self._lines.names)
        if found is None:
            self.end()
            return False
        self._prove(asked)
        self.round = found
        self._lines.measured(found.load)
        self._follow(frozenset(found.apps) | {self.app})
        # After an outage of the store everybody is overdue; the living need a moment to renew their leases.
        sure = asked - self._steady_since >= self._lease_ms / 1000
        dead = [*found.left, *(found.overdue if sure else ())]
        await self._adopt(dead)
        for app, live in found.apps.items():
            if live == 0 and app != self.app:
                await self._members.retire(self.app, app)
        return bool(dead)

    def _prove(self, asked: float) -> None:
        """At `asked` nobody had taken over. After a gap in the proofs, this process takes nobody over for a while."""
        if asked >= self._valid_until or not self._steady_since:
            self._steady_since = asked
        self._valid_until = asked + self._lease_ms / 1000

    def _follow(self, apps: frozenset[str]) -> None:
        """What the store says is followed: also what was adopted by a command whose answer got lost."""
        new, self.apps = apps - self.apps, apps
        self._lines.follow(apps - {self.app})
        if new:
            live = sum(self.round.apps[app] for app in new)
            (log.warning if live else log.info)("calls taken over", processes=sorted(new), calls=live)
            metrics.TAKEN_OVER.inc(len(new))
            self._tell(set(new))

    async def _adopt(self, dead: Sequence[str]) -> None:
        for each in dead if not self._leaving else ():
            if not await self._members.adopt(self.app, each):
                self.end()
                return

    async def leave(self) -> None:
        """Hands the calls to another process, where there is one, and waits until it has them."""
        self._leaving = True
        if self._renewing is not None:
            await asyncio.wait([self._renewing], timeout=LEAVING_SECONDS)
        if self.fenced.is_set():
            return
        try:
            await self._members.leave(self.app)
            until = _clock() + LEAVING_SECONDS
            while _clock() < until and await self._members.awaits_heir(self.app):  # noqa: ASYNC110 (it is in the store)
                await asyncio.sleep(POLL_SECONDS)
        except StoreUnavailable:
            log.warning("left without the store; the lease runs out")


def stasis_name(process: str) -> str:
    """A new application name for a process that starts."""
    return f"orbit-{process}-{secrets.token_hex(4)}"


def _clock() -> float:
    """Seconds that also pass while the machine sleeps (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
