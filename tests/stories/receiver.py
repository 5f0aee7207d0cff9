"""A webhook receiver that remembers everything and answers as it is told."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.stories.client import until


@dataclass
class Received:
    """One request: headers, raw body, what we answered."""

    headers: Any
    body: bytes
    answered: int

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """`answers` gives the next statuses, then 200."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: list[int] = []

    async def __aenter__(self) -> "Receiver":
        app = web.Application()
        app.router.add_post("/{tail:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        status = self.answers.pop(0) if self.answers else 200
        self.requests.append(Received(request.headers, await request.read(), status))
        return web.Response(status=status)

    def about(self, call_id: str) -> list[Received]:
        return [r for r in self.requests if r.event["data"].get("id") == call_id]

    async def hears(self, call_id: str, last: str) -> list[Received]:
        """All that came about a call, once its event `last` was taken."""

        async def came() -> bool:
            return any(r.event["type"] == last and r.answered == 200 for r in self.about(call_id))

        await until(came)
        return self.about(call_id)


def signed(received: Received, secret: str) -> bool:
    """The check that our documents tell receivers to make."""
    parts = dict(part.split("=", 1) for part in received.headers["X-Devotel-Signature"].split(","))
    expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + received.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])
