"""For the contract tests: a real Redis of the embedded tree, webhook receivers on loopback, and what runs between."""

import asyncio
import hashlib
import hmac
import inspect
import json
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, RedisError

from service.calls.ids import mint
from service.calls.times import now_ms
from service.store import keys
from service.store.connection import connect
from service.store.deliveries import RedisDeliveries
from service.store.lanes import RedisLanes
from service.store.outbox import RedisOutbox
from service.webhooks.desk import Desk
from service.webhooks.dispatcher import Dispatcher
from service.webhooks.guard import Guard
from service.webhooks.sender import Sender
from tests.contract.servers import Cluster, free_port, redis_server


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    server = redis_server(port, tmp_path_factory.mktemp("redis"))
    yield port
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes, shared by all tests that run on a cluster too."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as three:
        yield three


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `redis` runs on one server and on a cluster."""
    if "redis_url" in metafunc.fixturenames:
        metafunc.parametrize("redis_url", ["single", "cluster"], indirect=True)


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    if getattr(request, "param", "single") == "cluster":
        url: str = request.getfixturevalue("cluster").url
        return url
    return f"redis://127.0.0.1:{request.getfixturevalue('redis_port')}/0"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Any]:
    client = connect(redis_url, 800)
    await until_true(lambda: answers(client))
    await client.flushall()
    yield client
    await client.aclose()


async def answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, RedisClusterException, OSError):
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

    def header(self, name: str) -> list[str]:
        """A header's value in each request."""
        return [request.headers[name] for request, _ in self.requests]

    def verified(self, secret: bytes) -> bool:
        """Every request's signature, computed here with nothing of the service."""
        for request, body in self.requests:
            stamp, digest = (part.split("=", 1)[1] for part in request.headers["X-Devotel-Signature"].split(","))
            expected = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected, digest):
                return False
        return bool(self.requests)

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


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead

    def pass_seconds(self, seconds: float) -> None:
        self.ahead += round(seconds * 1000)


class House:
    """A store with webhooks, and dispatchers on it that a test starts and stops."""

    pauses = (5, 60, 300)
    account_secret = b"whsec_account"

    def __init__(self, redis: Redis) -> None:
        self.redis, self.clock = redis, Clock()
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.deliveries = RedisDeliveries(redis)
        self.sequences: Counter[str] = Counter()
        self.running: dict[str, tuple[Dispatcher, asyncio.Task[None]]] = {}

    def subscribe(self, name: str, url: str, *events: str) -> str:
        document = {"id": f"wh_{name}", "url": url, "events": list(events or "*"), "secret": f"whsec_{name}"}
        self.webhooks[document["id"]] = document
        return document["id"]

    async def happen(self, resource: str, times: int = 1, kind: str = "call.ringing", url: str = "") -> None:
        """Events of a resource, written as the transition writes them."""
        pipe = self.redis.pipeline(transaction=False)
        for _ in range(times):
            self.sequences[resource] += 1
            event = {"id": mint("evt"), "type": kind, "sequence": self.sequences[resource], "data": {"id": resource}}
            fields = {"id": event["id"], "type": kind, "resource": resource, "url": url, "body": json.dumps(event)}
            pipe.xadd(keys.OUTBOX, fields)
        await pipe.execute()

    def start(
        self, process: str = "p1", timeout: float = 5, lease_ms: int = 15_000, per_endpoint: int = 16, **more: Any
    ) -> None:
        async def stored() -> list[dict[str, Any]]:
            return list(self.webhooks.values())

        dispatcher = Dispatcher(
            RedisOutbox(self.redis),
            RedisLanes(self.redis, lease_ms),
            stored,
            Sender(Guard(allow_private=True), timeout),
            self.account_secret,
            per_endpoint=per_endpoint,
            retry_seconds=self.pauses,
            clock=self.clock,
            block_ms=100,
            **more,
        )
        self.running[process] = dispatcher, asyncio.create_task(dispatcher.run())

    async def stop(self, process: str = "p1") -> None:
        task = self.running.pop(process)[1]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def pass_seconds(self, seconds: float) -> None:
        self.clock.pass_seconds(seconds)
        for dispatcher, _ in self.running.values():
            dispatcher.wake()

    def desk(self) -> Desk:
        return Desk(self.deliveries, RedisOutbox(self.redis), self.running["p1"][0].wake)

    async def newest(self, webhook_id: str) -> Any:
        return (await self.deliveries.page(webhook_id, None, 1)).items[0]

    async def has_status(self, webhook_id: str, status: str) -> bool:
        page = await self.deliveries.page(webhook_id, None, 100)
        return bool(page.items) and {d["status"] for d in page.items} == {status}

    async def attempted(self, webhook_id: str, attempts: int) -> bool:
        """Whether so many attempts were made of the one that was tried most."""
        page = await self.deliveries.page(webhook_id, None, 100)
        return bool(page.items) and max(d["attempts"] for d in page.items) == attempts


@pytest.fixture
async def houses() -> AsyncIterator[Callable[[Redis], House]]:
    """Makes houses; their dispatchers are stopped after the test."""
    made: list[House] = []

    def make(redis: Redis) -> House:
        made.append(House(redis))
        return made[-1]

    yield make
    for house in made:
        for process in list(house.running):
            await house.stop(process)


@pytest.fixture
def house(redis: Redis, houses: Callable[[Redis], House]) -> House:
    return houses(redis)
