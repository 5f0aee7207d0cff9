"""Compares what the store believes with what a node knows, and feeds the difference in as ordinary events.

Runs when a node's event stream is (re)connected, after a take-over and, as a safety net, from time to time. The order
matters: the store's live calls are read before the channels, the channels before the ledger; a call that ends meanwhile
is then found in one of the three, never in none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Set

import structlog

from service.calls.call import Call, Direction
from service.calls.events import (
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLost,
    LegMissing,
    LegRang,
    LegWaiting,
    MenuStepped,
)
from service.calls.failover import REDIAL_MS
from service.calls.ids import call_of, is_id
from service.calls.status import Status
from service.calls.times import now_ms
from service.control import metrics
from service.control.inbound import Reception
from service.control.node_state import ChannelState, Nodes, Outcome, Walk
from service.control.ports import CallStore
from service.control.reactor import Reactor
from service.errors import AsteriskUnavailable, StoreUnavailable

log = structlog.get_logger()

FITS = {"up": Status.IN_PROGRESS, "ringing": Status.RINGING}  # a channel's state: its call's, where all is well
GRACE_MS = 5_000  # a call younger than this may not have its channel yet, nor a channel its call
SENT_MS = 1_000  # what a process that is gone had sent to a node, the node has heard after so long
FORGOTTEN_MS = 86_400_000 + GRACE_MS  # no call lasts longer: steps that are older belong to none
STUCK_MS = 3_000  # a claimed caller who has not been answered for this long was forgotten


class Reconciler:
    """Comparisons, one at a time per node. `adopted` tells whether an application is that of a process that is gone and
    whose calls we follow."""

    def __init__(
        self, reactor: Reactor, reception: Reception, store: CallStore, nodes: Nodes, adopted: Callable[[str], bool]
    ) -> None:
        self._reactor, self._reception, self._store, self._nodes = reactor, reception, store, nodes
        self._adopted = adopted
        self._locks: dict[str, asyncio.Lock] = {}

    async def compare(self, node: str, settled_ms: int = 0) -> None:
        """One comparison. Raises nothing of a node or a store that is away: the next one comes.

        Outcomes and steps younger than `settled_ms` are left to the event stream, where it is alive.
        """
        try:
            async with self._locks.setdefault(node, asyncio.Lock()):
                await self._compare(node, settled_ms)
        except (AsteriskUnavailable, StoreUnavailable) as error:
            log.warning("comparison not finished", node=node, error=type(error).__name__)
        except Exception:
            log.exception("comparison failed", node=node)

    async def lost(self, node: str) -> None:
        """Ends the calls of a node that nobody reaches any more. Should it come back with them, they are hung up."""
        try:
            for call_id in await self._store.live_ids(node):
                if (held := await self._store.load(call_id)) is not None:
                    await self._lose(held.call, now_ms(), "node_lost")
        except StoreUnavailable:
            log.warning("calls of a lost node not ended yet", node=node)

    async def _compare(self, node: str, settled_ms: int) -> None:
        believed = await self._store.live_ids(node)
        self._reactor.prune(node, believed)
        channels = await self._nodes.channels(node)
        outcomes = await self._nodes.ledger(node)
        walks = {walk.channel_id: walk for walk in await self._nodes.walks(node)}
        for outcome in outcomes:
            if now_ms() - outcome.ended_at >= settled_ms:
                walk = walks.pop(outcome.channel_id, None)
                await self._guarded(self._ended(node, outcome, walk), outcome.channel_id)
        seen = set()
        for channel in channels:
            if call_id := self._call_id(channel):
                seen.add(call_id)
                await self._guarded(self._alive(node, call_id, channel), channel.channel_id)
                if walk := walks.pop(channel.channel_id, None):
                    await self._guarded(self._walked(call_id, walk, settled_ms), channel.channel_id)
        for walk in walks.values():
            await self._guarded(self._left(node, walk, settled_ms), walk.channel_id)
        await self._missing(node, believed - seen, {outcome.channel_id for outcome in outcomes})
        await self._bridges(node)

    async def _guarded(self, work: Awaitable[object], channel_id: str) -> None:
        """One find that cannot be used must not stand in the way of the others."""
        try:
            await work
        except (AsteriskUnavailable, StoreUnavailable):
            raise
        except Exception:
            log.exception("a find could not be used", channel=channel_id)

    def _call_id(self, found: ChannelState | Outcome) -> str | None:
        named = call_of(found.channel_id)
        if named is None and found.offer is not None:
            return self._reception.call_id(found.channel_id, found.offer.at)
        return named

    async def _walked(self, call_id: str, walk: Walk, settled_ms: int) -> Call | None:
        """Tells what a party did in menus; what is on record already changes nothing."""
        held = await self._store.load(call_id)
        call = held.call if held else None
        for number, step in walk.steps:
            if now_ms() - step.at < settled_ms:
                break
            if call is not None and number > call.steps:
                told = MenuStepped(
                    call_id=call_id, at=step.at, recovered=True, channel_id=walk.channel_id, number=number, step=step
                )
                call = await self._reactor.handle(told)
        return call

    async def _left(self, node: str, walk: Walk, settled_ms: int) -> None:
        """Steps of a channel that is gone, with its outcome or with a node that restarted."""
        number, last = walk.steps[-1]
        call_id = call_of(walk.channel_id)
        call = await self._walked(call_id, walk, settled_ms) if call_id else None
        stored = call is not None and call.ended and call.steps >= number
        if stored or now_ms() - last.at > FORGOTTEN_MS:
            await self._nodes.forget_steps(node, walk.channel_id)

    async def _ended(self, node: str, outcome: Outcome, walk: Walk | None) -> None:
        call_id = self._call_id(outcome)
        if call_id is not None:
            fact = LegEnded(
                call_id=call_id,
                at=outcome.ended_at,
                recovered=True,
                channel_id=outcome.channel_id,
                cause=outcome.cause,
                sip_code=outcome.sip_code,
                answered_at=outcome.answered_at,
                end=outcome.end,
                rang=outcome.rang,
                steps=outcome.steps,
            )
            metrics.RECONCILED.labels("ended").inc()
            if outcome.offer is not None:
                await self._reception.recovered(outcome.offer)
            if walk is not None:
                await self._walked(call_id, walk, 0)
            call = await self._reactor.handle(fact)
            if walk is not None and (call is None or call.steps >= walk.steps[-1][0]):
                await self._nodes.forget_steps(node, outcome.channel_id)
        await self._nodes.forget(node, outcome.channel_id)

    async def _alive(self, node: str, call_id: str, channel: ChannelState) -> None:
        held = await self._store.load(call_id)
        call, name = held.call if held else None, channel.channel_id
        if _as_it_should_be(call, channel):
            return
        if call is None and channel.offer is not None and (channel.state == "up" or channel.routed):
            await self._reception.recovered(channel.offer)
        if channel.state == "up":
            at = channel.answered_at or now_ms()
            call = await self._reactor.handle(LegAnswered(call_id=call_id, at=at, recovered=True, channel_id=name))
        elif channel.state == "ringing":
            rang = LegRang(call_id=call_id, at=now_ms(), recovered=True, channel_id=name)
            call = await self._reactor.handle(rang)
        elif channel.offer is not None and not channel.routed and now_ms() - channel.created_at > STUCK_MS:
            if call is None:
                await self._reception.offered(channel.offer)
                return
            waits = LegWaiting(call_id=call_id, at=now_ms(), recovered=True, channel_id=name)
            await self._reactor.handle(waits)
        if _of_nobody(call, channel):
            log.warning("a channel of nobody is hung up", node=node, channel=name)
            metrics.RECONCILED.labels("nobody").inc()
            await self._nodes.end_channel(node, name)
        elif call is not None and call.hangup_requested_at is not None and not call.ended:
            await self._reactor.handle(HangupRequested(call_id=call_id, at=now_ms(), recovered=True))

    async def _missing(self, node: str, call_ids: Iterable[str], ended: Set[str]) -> None:
        """Calls without a channel: lost with a node that has restarted since, at that moment at the latest; dialled,
        where the process that was to do it is gone; else lost, once they are too old to be still on their way.

        What becomes of the channels in `ended` is told elsewhere."""
        booted_at: int | None = None
        for call_id in call_ids:
            held = await self._store.load(call_id)
            if held is None or held.call.ended or held.call.leg.channel_id in ended:
                continue
            call = held.call
            if booted_at is None:
                booted_at = await self._nodes.booted_at(node)
            age = now_ms() - call.dialled_at
            if booted_at > call.dialled_at:
                await self._lose(call, booted_at, "node_lost")
            elif SENT_MS <= age < REDIAL_MS and self._undialled(call):
                metrics.RECONCILED.labels("redialled").inc()
                channel = call.leg.channel_id
                await self._reactor.handle(LegMissing(call_id=call_id, at=now_ms(), recovered=True, channel_id=channel))
            elif age >= GRACE_MS:
                await self._lose(call, now_ms(), "channel_lost")

    def _undialled(self, call: Call) -> bool:
        waits = call.status is Status.INITIATING and call.direction is Direction.OUTBOUND
        return waits and call.hangup_requested_at is None and self._adopted(call.leg.app)

    async def _lose(self, call: Call, at: int, reason: str) -> None:
        metrics.RECONCILED.labels(reason).inc()
        channel = call.leg.channel_id
        await self._reactor.handle(
            LegLost(call_id=call.id, at=at, recovered=True, channel_id=channel, reason=reason)
        )

    async def _bridges(self, node: str) -> None:
        """Those that bear a name of ours and belong to nothing that is stored. There is nothing yet that stores one."""
        for bridge in await self._nodes.bridges(node):
            if is_id(bridge.bridge_id, "conf") and now_ms() - bridge.created_at > GRACE_MS:
                log.warning("a bridge of nobody is taken down", node=node, bridge=bridge.bridge_id)
                metrics.RECONCILED.labels("nobody").inc()
                await self._nodes.end_bridge(node, bridge.bridge_id)


def _as_it_should_be(call: Call | None, channel: ChannelState) -> bool:
    if call is None or call.leg.channel_id != channel.channel_id:
        return False
    return call.status is FITS.get(channel.state) and call.hangup_requested_at is None


def _of_nobody(call: Call | None, channel: ChannelState) -> bool:
    """A channel named by us, or brought by a trunk, whose call is not stored, has ended or has left it behind, for
    longer than the store and the node may differ."""
    theirs = call is not None and not call.ended and call.leg.channel_id == channel.channel_id
    since = channel.created_at if call is None or call.ended_at is None else call.ended_at
    return not theirs and now_ms() - since > GRACE_MS
