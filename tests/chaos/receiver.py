"""The third book: what the webhook receiver got. It can be slow, failing, or not there at all."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

SLOW_SECONDS = 8


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it came, its event, and whether it was answered with 200."""

    at: float
    taken: bool
    event: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def call_id(self) -> str:
        return str(self.event["data"].get("id"))

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def sequence(self) -> int:
        return int(self.event["sequence"])


class Receiver:
    """Remembers everything. `slow` answers after 8 s, `failing` with 500; it can `leave` its port and `come_back`."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.slow = self.failing = False
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.come_back()
        self.url = f"http://127.0.0.1:{self._port}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def come_back(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def leave(self) -> None:
        """New connections are refused, and those that are open are closed."""
        await self._site.stop()
        for connection in self._runner.server.connections if self._runner.server else []:
            connection.force_close()

    async def _take(self, request: web.Request) -> web.Response:
        event, failing = json.loads(await request.read()), self.failing
        if self.slow:
            await asyncio.sleep(SLOW_SECONDS)
        taken = not failing and request.transport is not None and not request.transport.is_closing()
        self.arrivals.append(Arrival(time.time(), taken, event))
        return web.Response(status=500 if failing else 200)
