"""A real Redis for the contract tests: one server of the embedded tree, emptied before each test."""

import asyncio
import inspect
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.store.connection import connect

TREE = Path(os.environ.get("ORBIT_TREE", ".stack/tree")).absolute()


def redis_server(port: int, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """Starts the tree's Redis through the tree's own loader."""
    loader = next(TREE.glob("usr/lib/*/ld-linux-*.so*"), None)
    if loader is None:
        pytest.skip(f"there is no tree at {TREE}; `make test` builds one")
    command = [loader, "--library-path", loader.parent, TREE / "usr/bin/redis-server"]
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        folder,
        "--loglevel",
        "warning",
        *more,
    ]
    return subprocess.Popen([*map(str, command + options)], stdout=subprocess.DEVNULL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    server = redis_server(port, tmp_path_factory.mktemp("redis"))
    yield port
    server.terminate()
    server.wait(10)


@pytest.fixture
async def redis(redis_port: int) -> AsyncIterator[Redis]:
    client = connect(f"redis://127.0.0.1:{redis_port}/0", 800)
    await until_true(lambda: answers(client))
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


async def answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False


class OwnRedis:
    """A Redis of the test's own, that it may kill and start again with what it kept."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        self.started.append(redis_server(self.port, self._folder, *options))
        return self.started[-1]

    answers = staticmethod(answers)


@pytest.fixture
def other_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    own = OwnRedis(tmp_path)
    yield own
    for server in own.started:
        server.kill()
        server.wait(10)


async def until_true(condition: Callable[[], Any | Awaitable[Any]], seconds: float = 10) -> Any:
    """The condition's value once it is true. Fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.005)


@pytest.fixture
def until() -> Callable[..., Awaitable[Any]]:
    """Waiting for a condition, with a bound, instead of sleeping."""
    return until_true


class Receiver:
    """A webhook endpoint on loopback. Keeps every request; `reply` decides the answer to each."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.BaseRequest, bytes]] = []
        self.reply: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = self.say(200)
        self.url = ""
        self.under_way = self.most_at_once = 0

    @staticmethod
    def say(*statuses: int) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        """Answers with these, one after the other, the last one for good."""
        left = list(statuses)

        async def reply(request: web.BaseRequest) -> web.StreamResponse:
            status = left.pop(0) if len(left) > 1 else left[0]
            return web.Response(status=status, text=f"said {status}")

        return reply

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append((request, await request.read()))
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return await self.reply(request)
        finally:
            self.under_way -= 1

    def sequences(self, resource: str | None = None) -> list[int]:
        """The `sequence` of each body in order of arrival, of one resource or of all."""
        bodies = [orjson.loads(body) for _, body in self.requests]
        return [b["sequence"] for b in bodies if resource in (None, b["data"]["id"])]


@pytest.fixture
async def receivers() -> AsyncIterator[Callable[[], Awaitable[Receiver]]]:
    """Opens receivers; they are closed after the test, whatever is still under way."""
    open_ones: list[web.ServerRunner] = []

    async def start() -> Receiver:
        receiver = Receiver()
        runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0.01)
        await runner.setup()
        open_ones.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
        return receiver

    yield start
    for runner in open_ones:
        await runner.cleanup()
