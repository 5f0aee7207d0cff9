"""One Asterisk: its commands, its events, its ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from service.asterisk.ami import Ami
from service.asterisk.ari import Ari, AriRefused
from service.asterisk.channel import STATES, ms, offer_of, seconds_to_ms, variable
from service.asterisk.decode import Decoder, Identify
from service.asterisk.ledger import Ledger
from service.asterisk.listen import deaf_of, listen_of
from service.asterisk.place import keep_place
from service.asterisk.push import Pushed
from service.asterisk.socket import EventSocket
from service.asterisk.steps import NodeSteps
from service.calls.events import Event, LegEnded
from service.control.inbound import Offer
from service.control.listening import Listen
from service.control.node_state import BridgeState, ChannelState
from service.errors import AsteriskUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a node: events in order, offers that are ours, the end of callers whom nobody took, and each
    (re)connect. `owns` tells whose calls are ours, by their application, `claims` whether we take callers. `listen`
    hears of menus that can be answered aloud, `deaf` of channels that are past theirs."""

    event: Callable[[Event], None]
    offer: Callable[[Offer], Awaitable[None]]
    untaken: Callable[[Offer, Event], Awaitable[None]]
    connected: Callable[[str], Awaitable[None]]
    identify: Identify
    owns: Callable[[str], bool]
    claims: Callable[[], bool]
    listen: Callable[[Listen], None]
    deaf: Callable[[str], None]


class Node:
    """A node under its name. `run` keeps it connected; the rest may be called at any time."""

    def __init__(self, name: str, app: str, ari: Ari, ami: Ami, pulse_ms: int) -> None:
        self.name, self.app, self.ari, self.ami = name, app, ari, ami
        self.ledger = Ledger(ami, name, app)
        self.pushed = Pushed(ari, ami)
        self.steps = NodeSteps(ami)
        self._pulse_ms = pulse_ms
        self._listener: Listener | None = None
        self._decoder: Decoder | None = None
        self._socket: EventSocket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._places: dict[str, asyncio.Task[None]] = {}

    @property
    def streams(self) -> bool:
        """Whether its event stream is proven alive."""
        return self._socket is not None and self._socket.alive

    @property
    def healthy(self) -> bool:
        """Whether calls can be given to it: it streams, and it answers in time."""
        return self._socket is not None and self._socket.alive and self._socket.answers

    def follow(self, apps: frozenset[str]) -> None:
        """Keeps the names of these applications open, for processes that are gone, and of no others."""
        for app in [app for app in self._places if app not in apps]:
            self._places.pop(app).cancel()
        for app in apps - self._places.keys():
            self._places[app] = asyncio.create_task(keep_place(self.ari, app))

    async def run(self, listener: Listener) -> None:
        """Until cancelled."""
        self._listener = listener
        self._decoder = Decoder(self.name, self.app, listener.identify)
        self._socket = EventSocket(
            self.ari, self.name, self.app, self._pulse_ms, self._receive, lambda: listener.connected(self.name)
        )
        self.ami.start()
        try:
            await self._socket.run()
        finally:
            self.ami.close()
            for task in (*self._tasks, *self._places.values()):
                task.cancel()
            self._places.clear()
            await self.ari.close()

    def _receive(self, message: dict[str, Any]) -> None:
        assert self._decoder is not None
        assert self._listener is not None
        if message["type"] == "CallBroadcast":
            if self._listener.claims():
                self._spawn(self._claim(message["channel"]["id"]))
        elif not self._ours(message):
            return
        elif (listen := listen_of(message, self.name)) is not None:
            if variable(message["channel"], "ORBIT_APP"):  # else every process would listen
                self._listener.listen(listen)
        elif (offer := self._decoder.offer(message)) is not None:
            self._spawn(self._offered(offer))
        elif (event := self._decoder.event(message)) is None:
            return
        elif isinstance(event, LegEnded) and (untaken := self._untaken(message["channel"])) is not None:
            self._spawn(self._listener.untaken(untaken, event))
        else:
            if (channel_id := deaf_of(message)) is not None:
                self._listener.deaf(channel_id)
            self._listener.event(event)

    def _ours(self, message: dict[str, Any]) -> bool:
        """Every process hears of every channel; what another one follows costs nothing more than this look."""
        assert self._listener is not None
        channel = message.get("channel") or message.get("peer")
        app = variable(channel, "ORBIT_APP") if channel else ""
        return not app or self._listener.owns(app)

    def _untaken(self, channel: dict[str, Any]) -> Offer | None:
        """A caller who ended before any process had taken the call: none of them follows it, all of them may tell."""
        return None if variable(channel, "ORBIT_APP") else offer_of(channel, self.name, self.app)

    async def _claim(self, channel_id: str) -> None:
        """First come, first served among the processes: 409 says that another one was faster."""
        try:
            await self.ari.call("events", "claimChannel", channelId=channel_id, application=self.app)
        except (AriRefused, AsteriskUnavailable) as error:
            log.info("call not claimed", channel=channel_id, error=str(error))

    async def _offered(self, offer: Offer) -> None:
        assert self._listener is not None
        try:
            await self._listener.offer(offer)
        except Exception:
            log.exception("offered call not taken", channel=offer.channel_id)

    async def settled(self) -> None:
        """Waits until offers that are being taken are taken."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def channels(self) -> list[ChannelState]:
        """Every channel that the node has."""
        return [
            ChannelState(
                channel["id"],
                STATES.get(channel["state"], "down"),
                ms(channel["creationtime"]),
                seconds_to_ms(variable(channel, "ORBIT_ANSWERED")),
                offer_of(channel, self.name, self.app),
                routed=bool(variable(channel, "ORBIT_ROUTED")),
            )
            for channel in await self.ari.call("channels", "list")
        ]

    async def bridges(self) -> list[BridgeState]:
        """Every bridge that the node has."""
        return [BridgeState(each["id"], ms(each["creationtime"])) for each in await self.ari.call("bridges", "list")]

    async def booted_at(self) -> int:
        """When this Asterisk started, ms since 1970."""
        info = await self.ari.call("asterisk", "getInfo", only="status")
        return ms(info["status"]["startup_time"])
