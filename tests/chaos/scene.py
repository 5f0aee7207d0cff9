"""Everything that a run needs: a stack of its own, proxies before its nodes, far ends, a webhook receiver."""

import json
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Self

import aiohttp

from service.stack.nodes import numbered, part
from service.stack.stack import Stack
from service.stack.tree import Tree
from tests.chaos import sipp
from tests.chaos.disk import SmallDisk
from tests.chaos.proxy import Proxy
from tests.chaos.receiver import Receiver
from tests.chaos.sip_book import SipBook
from tests.stories.client import Api

SETTINGS = {
    "ORBIT_WEBHOOK_RETRY_SECONDS": "[0.5, 0.5, 1, 1, 2, 2, 5, 5]",
    "ORBIT_WEBHOOK_TIMEOUT_SECONDS": "3",
    "ORBIT_WEBHOOK_ALLOW_PRIVATE": "true",
    "ORBIT_CALLS_PER_SECOND": "0",
    "ORBIT_RATE_PER_MINUTE": "0",
}


class Scene:
    """Owns all of it between `async with`. `folder` holds the stack's home and SIPp's logs; who made it removes it."""

    def __init__(self, folder: Path, nodes: int = 2, processes: int = 2) -> None:
        self.folder, self.nodes, self.processes = folder, nodes, processes
        self.book = SipBook()
        self.receiver = Receiver()
        self.numbers = range(1, nodes + 1)
        self.proxies = [Proxy(partial(self._port, numbered("http_port", number))) for number in self.numbers]
        self.disk = SmallDisk(folder / "recordings")
        self.frozen = self.rows = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for proxy in self.proxies:
                await opening.enter_async_context(proxy)
            await opening.enter_async_context(self.receiver)
            await opening.enter_async_context(self.disk)
            self.stack = await opening.enter_async_context(self._stack())
            await self.stack.stop("carrier")
            self.tree = Tree(self.stack.settings.tree)
            callee = await sipp.callee(self.tree, self.folder, self._port("carrier_sip_port")).start(self.book)
            opening.push_async_callback(callee.stop)
            self.api = await opening.enter_async_context(Api(self.url, self.key))
            await self._subscribe()
            self._opened = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    def _stack(self) -> Stack:
        settings = dict(SETTINGS)
        for number, proxy in zip(self.numbers, self.proxies, strict=True):
            settings[numbered("ORBIT_ARI_URL", number)] = f"http://127.0.0.1:{proxy.port}/ari"
        if self.disk.is_small:
            settings["ORBIT_RECORDINGS"] = str(self.disk.folder)
        return Stack.apart(self.folder / "home", settings, nodes=self.nodes, processes=self.processes, keep=True)

    @property
    def url(self) -> str:
        return self.stack.env["ORBIT_URL"]

    @property
    def key(self) -> str:
        return self.stack.env["ORBIT_TEST_KEY"]

    @property
    def sip_ports(self) -> list[int]:
        """Of the nodes, in their order."""
        return [self._port(numbered("sip_udp", number)) for number in self.numbers]

    def _port(self, name: str) -> int:
        return int(json.loads((self.folder / "home/ports.json").read_text())[name])

    async def _subscribe(self) -> None:
        status, _, body = await self.api.ask("POST", "/v1/webhooks", json={"url": self.receiver.url, "events": ["*"]})
        assert status == 201, body

    async def whole(self) -> bool:
        """Whether every part runs and the service says that it can take calls."""
        try:
            for name in ("redis", *map(part, self.numbers), "service"):
                self.stack.pid(name)
            status, _, _ = await self.api.ask("GET", "/readyz", timeout=aiohttp.ClientTimeout(total=1))
        except Exception:
            return False
        return status == 200 and len(self.stack.workers()) == self.processes
