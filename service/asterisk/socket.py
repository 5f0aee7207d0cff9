"""The event socket of one node: opened, watched, opened again. It reads and hands on; it decides nothing.

Asterisk queues no events for a socket that is gone, and a dead peer says nothing. So a pulse, an event of our own, is
sent through the whole of ARI every few seconds: a stream that brings nothing for longer than `SILENCE` pulses is dead.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import structlog

from service.asterisk import metrics
from service.asterisk.ari import Ari, AriRefused
from service.asterisk.decode import TYPES
from service.errors import AsteriskUnavailable

log = structlog.get_logger()

SILENCE = 3  # pulses
PULSE = "OrbitPulse"


class EventSocket:
    """One socket, one Stasis application. `receive` gets each message in order and must not block.

    `alive`: the stream brings events; `answers`: the node has answered the last pulse in time.
    """

    def __init__(
        self,
        ari: Ari,
        node: str,
        app: str,
        pulse_ms: int,
        receive: Callable[[dict[str, Any]], None],
        connected: Callable[[], Awaitable[None]],
    ) -> None:
        self._ari, self._node, self._app, self._pulse = ari, node, app, pulse_ms / 1000
        self._receive, self._connected = receive, connected
        self.alive = self.answers = False
        self._reason = ""

    async def run(self) -> None:
        """Until cancelled. A connection that fails is tried again after a short pause."""
        while True:
            try:
                await self._session()
                reason = "closed"
            except TimeoutError:
                reason = "silent"
            except (AsteriskUnavailable, AriRefused, aiohttp.ClientError, OSError) as error:
                reason = type(error).__name__
            except Exception:
                log.exception("event socket failed", node=self._node)
                reason = "failed"
            if self.alive or reason != self._reason:
                log.warning("event socket lost" if self.alive else "node not reached", node=self._node, reason=reason)
            if self.alive:
                metrics.SOCKET_LOST.labels(self._node, reason).inc()
            self.alive, self.answers, self._reason = False, False, reason
            metrics.SOCKET_ALIVE.labels(self._node).set(0)
            await self._ari.close()  # its kept connections are as dead as the stream
            await asyncio.sleep(0.3)

    async def _session(self) -> None:
        url = (self._ari.url / "events").with_scheme("wss" if self._ari.url.scheme == "https" else "ws")
        bounds = aiohttp.ClientTimeout(total=None, sock_connect=2)
        async with (
            aiohttp.ClientSession(headers=self._ari.authorization, timeout=bounds) as session,
            asyncio.timeout(None) as opening,
        ):
            opening.reschedule(asyncio.get_running_loop().time() + self._pulse * SILENCE)
            async with session.ws_connect(url, params={"app": self._app}, max_msg_size=0) as socket:
                await self._subscribe()
                opening.reschedule(None)
                beside = [asyncio.create_task(self._beat())]
                try:
                    await self._read(socket, beside)
                finally:
                    for task in beside:
                        task.cancel()

    async def _subscribe(self) -> None:
        """All channels, so that a call is followed from its first event on, and only the events that we use."""
        await self._ari.filter_events(self._app, TYPES)
        await self._ari.call("applications", "subscribe", applicationName=self._app, eventSource="channel:")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, beside: list[asyncio.Task[None]]) -> None:
        while True:
            frame = await socket.receive(timeout=self._pulse * SILENCE)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                return
            message = orjson.loads(frame.data)
            if not self.alive:
                self.alive = True
                metrics.SOCKET_ALIVE.labels(self._node).set(1)
                log.info("event socket alive", node=self._node)
                beside.append(asyncio.create_task(self._greet()))
            metrics.EVENTS.labels(self._node, message.get("type", "?")).inc()
            try:
                self._receive(message)
            except Exception:  # one message that is not as described must not end the stream
                log.exception("message not taken", node=self._node, type=message.get("type"))

    async def _greet(self) -> None:
        try:
            await self._connected()
        except Exception:
            log.exception("work after a connect failed", node=self._node)

    async def _beat(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._pulse):
                    await self._ari.call("events", "userEvent", eventName=PULSE, application=self._app)
                self.answers = True
            except Exception as error:
                self.answers = False
                log.warning("pulse not answered", node=self._node, error=type(error).__name__)
            await asyncio.sleep(self._pulse)
