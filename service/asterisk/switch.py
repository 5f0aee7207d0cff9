"""Commands carried out on nodes, and what the use cases ask of nodes. A table says who does what."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

from service.asterisk import metrics, spool
from service.asterisk.ari import AriRefused, NotSent
from service.asterisk.node import Node
from service.calls import causes
from service.calls.call import Call
from service.calls.commands import Accept, Command, ForgetOutcome, ForgetSteps, HangUp, Originate
from service.calls.events import Event, LegRefused
from service.calls.times import now_ms
from service.control.inbound import Offer
from service.control.node_state import BridgeState, ChannelState, Outcome, Walk
from service.errors import AsteriskUnavailable
from service.trunks.trunk import SANDBOX
from service.trunks.uri import parse

log = structlog.get_logger()

LATE_MS = 10_000  # a recording not closed this long after the end belongs to a node that died while it wrote


class AsteriskSwitch:
    """`Switch`, `Nodes`, `Lines` and `Doorkeeper` over the nodes.

    `tell` takes the events that a refusal makes; `compare` finds out what became of a node's channels.
    """

    def __init__(
        self, nodes: dict[str, Node], tell: Callable[[Event], None], compare: Callable[[str], Awaitable[None]]
    ) -> None:
        self._nodes, self._tell, self._compare = nodes, tell, compare
        self._load: dict[str, int] = {}
        self._runners: dict[type[Any], Callable[[Any], Awaitable[None]]] = {
            Originate: self._originate,
            Accept: self._accept,
            HangUp: self._hang_up,
            ForgetOutcome: self._forget_outcome,
            ForgetSteps: self._forget_steps,
        }

    async def run(self, command: Command) -> None:
        await self._runners[type(command)](command)

    def pick_node(self, avoid: Callable[[str], bool]) -> str:
        healthy = [node.name for node in self._nodes.values() if node.healthy]
        if not healthy:
            raise AsteriskUnavailable(retry_after=1)
        chosen = min(healthy, key=lambda name: (avoid(name), self._load.get(name, 0)))
        self._load[chosen] = self._load.get(chosen, 0) + 1
        return chosen

    def measured(self, load: dict[str, int]) -> None:
        """Takes the live calls of each node as the store counts them; calls placed from now on are added."""
        self._load = dict(load)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._nodes)

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(node.name for node in self._nodes.values() if node.streams)

    def follow(self, apps: frozenset[str]) -> None:
        for node in self._nodes.values():
            node.follow(apps)

    async def settled(self) -> None:
        """Waits until what callers were promised is done."""
        await asyncio.gather(*(node.settled() for node in self._nodes.values()))

    async def _originate(self, command: Originate) -> None:
        call, node = command.call, self._node(command.call.leg.node)
        try:
            await node.ari.call(
                "channels",
                "originate",
                endpoint=dial_string(call),
                context="orbit-answered",
                extension="s",
                priority=1,
                callerId=call.from_,
                timeout=call.timeout,
                channelId=call.leg.channel_id,
                variables={
                    "CHANNEL(hangup_handler_push)": "orbit-ledger,s,1",
                    "ORBIT_APP": call.leg.app,
                    "ORBIT_MAX_DURATION": str(call.max_duration),
                    "ORBIT_RECORD": "1" if call.record else "0",
                    "ORBIT_FLOW": call.ivr_id or "",
                    "ORBIT_VIA": SANDBOX if call.sandbox else call.trunk_id or "",
                    "FORWARD_CONTEXT": "orbit-no-redirects",  # there is none: a redirect (SIP 302) ends the leg
                },
            )
        except AriRefused as refusal:
            metrics.REFUSED.labels("originate", refusal.status).inc()
            log.warning("originate refused", call_id=call.id, status=refusal.status)
            if refusal.status != 409:  # the channel is there already
                # ARI says 500 "Allocation failed" where there is no such endpoint (yet), or no contact of it answers.
                self._tell(_refused(call, causes.UNREACHABLE, "trunk_unreachable"))
        except NotSent:
            self._tell(_refused(call, causes.OUT_OF_ORDER, "asterisk_unavailable"))

    async def _accept(self, command: Accept) -> None:
        leg = command.call.leg
        place = {"context": "orbit-claimed", "extension": leg.app, "priority": 1}
        if not await self._quietly(leg.node, "continueInDialplan", channelId=leg.channel_id, **place):
            await self._compare(leg.node)  # the caller gave up before the call was stored

    async def _hang_up(self, command: HangUp) -> None:
        leg = command.call.leg
        await self._quietly(leg.node, "hangup", channelId=leg.channel_id, reason="normal")

    async def turn_away(self, offer: Offer, cause: int) -> None:
        await self._quietly(offer.node, "hangup", channelId=offer.channel_id, reason_code=cause)

    async def refuse(self, offer: Offer, reason: str) -> None:
        await self._send_to(offer, "orbit-refused", reason)

    async def leave_alone(self, offer: Offer) -> None:
        await self._send_to(offer, "orbit-unclaimed", "s")

    async def _send_to(self, offer: Offer, context: str, extension: str) -> None:
        place = {"context": context, "extension": extension, "priority": 1}
        await self._quietly(offer.node, "continueInDialplan", channelId=offer.channel_id, **place)

    async def end_channel(self, node: str, channel_id: str) -> None:
        await self._quietly(node, "hangup", channelId=channel_id, reason="normal")

    async def end_bridge(self, node: str, bridge_id: str) -> None:
        try:
            await self._node(node).ari.call("bridges", "destroy", bridgeId=bridge_id)
        except AriRefused as refusal:
            if refusal.status != 404:
                raise

    async def _quietly(self, node: str, operation: str, **values: Any) -> bool:
        """False for a channel that is gone; that is no error."""
        try:
            await self._node(node).ari.call("channels", operation, **values)
        except AriRefused as refusal:
            if refusal.status not in (404, 409, 412):
                metrics.REFUSED.labels(operation, refusal.status).inc()
                raise
            return False
        return True

    async def _forget_outcome(self, command: ForgetOutcome) -> None:
        await self.forget(command.call.leg.node, command.call.leg.channel_id)

    async def _forget_steps(self, command: ForgetSteps) -> None:
        await self.forget_steps(command.call.leg.node, command.call.leg.channel_id)

    async def recording(self, call: Call, destination: Path) -> bool:
        late = now_ms() - (call.ended_at or 0) > LATE_MS
        return await spool.fetch(self._node(call.leg.node).ari, call.leg.channel_id, destination, late=late)

    async def drop_recording(self, call: Call) -> None:
        await spool.drop(self._node(call.leg.node).ari, call.leg.channel_id)

    async def booted_at(self, node: str) -> int:
        return await self._node(node).booted_at()

    async def channels(self, node: str) -> list[ChannelState]:
        return await self._node(node).channels()

    async def ledger(self, node: str) -> list[Outcome]:
        return await self._node(node).ledger.read()

    async def forget(self, node: str, channel_id: str) -> None:
        await self._node(node).ledger.forget(channel_id)

    async def walks(self, node: str) -> list[Walk]:
        return await self._node(node).steps.read()

    async def forget_steps(self, node: str, channel_id: str) -> None:
        await self._node(node).steps.forget(channel_id)

    async def bridges(self, node: str) -> list[BridgeState]:
        return await self._node(node).bridges()

    def _node(self, name: str) -> Node:
        node = self._nodes.get(name)
        if node is None:
            raise AsteriskUnavailable(f"There is no node {name}.")
        return node


def _refused(call: Call, cause: int, reason: str) -> LegRefused:
    return LegRefused(call_id=call.id, at=now_ms(), channel_id=call.leg.channel_id, cause=cause, reason=reason)


def dial_string(call: Call) -> str:
    """By URI, past the endpoint's own contact: one OPTIONS that was lost must not fail calls. The door checked the
    grammar: no separator of the dialplan is left."""
    leg = call.leg
    uri = parse(call.to) if call.to.startswith("sip") else None
    if not leg.target:  # the sandbox: of a URI the user part alone, so that nothing dialled there can leave it
        return f"PJSIP/{uri.user if uri else call.to}@{leg.endpoint}"
    if uri is None:
        return f"PJSIP/{leg.endpoint}/sip:{call.to}@{leg.target}"
    port = f":{uri.port}" if uri.port else ""
    _, separator, transport = leg.target.partition(";transport=")  # the trunk's own, whatever the URI names
    return f"PJSIP/{leg.endpoint}/sip:{uri.user}@{uri.host}{port}{separator}{transport}"
