"""Several processes and several Asterisk nodes: each can be replaced, killed and frozen while requests go on."""

import asyncio
import os
import signal
import sys
from urllib.parse import urlsplit

import pytest

from service.stack.stack import Stack
from tests.processes import alive
from tests.stories.client import Api, until
from tests.stories.conftest import FASTER
from tests.stories.network import Network

pytestmark = pytest.mark.skipif(os.environ.get("TEST_STACK") == "containers", reason="about the embedded stack alone")


@pytest.fixture(scope="module")
async def stack(tmp_path_factory):
    async with Stack.apart(tmp_path_factory.mktemp("fleet"), FASTER, nodes=2, processes=2) as running:
        yield running


@pytest.fixture
async def api(stack):
    async with Api(stack.env["ORBIT_URL"], stack.env["ORBIT_TEST_KEY"]) as client:
        await all_there(stack)
        yield client


async def all_there(stack):
    async def both():
        return len(stack.workers()) == 2

    await until(both)


class Client:
    """Asks again and again, on one connection or on a new one each time. A request that was sent must be answered."""

    def __init__(self, stack, *, keeps):
        self._url, self._keeps = urlsplit(stack.env["ORBIT_URL"]), keeps
        lines = ("GET /v1/voice/calls?limit=1 HTTP/1.1", f"Host: {self._url.netloc}")
        self._request = "\r\n".join((*lines, f"X-API-Key: {stack.env['ORBIT_TEST_KEY']}", "", "")).encode()
        self._reader = self._writer = None
        self.answered, self.connections, self.faults = 0, 0, []

    async def asks(self, over):
        while not over.is_set():
            try:
                await self._ask()
            except (OSError, EOFError, AssertionError) as fault:
                self.faults.append(repr(fault))
                self._hang_up()
        self._hang_up()

    async def _ask(self):
        if self._writer is None or self._reader.at_eof():
            self._hang_up()
            self._reader, self._writer = await asyncio.open_connection(self._url.hostname, self._url.port)
            self.connections += 1
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200 "), head
        await self._reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r")[0]))
        self.answered += 1
        if b"connection: close" in head or not self._keeps:
            self._hang_up()
        await asyncio.sleep(0.002)

    def _hang_up(self):
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None


async def replaced(stack):
    """Tells the fleet to replace its workers; returns when all of them are gone."""
    before = stack.workers()
    os.kill(stack.pid("service"), signal.SIGHUP)

    async def others():
        now = stack.workers()
        return len(now) == 2 and not set(now.values()) & set(before.values())

    await until(others, 30)
    return before


async def test_requests_go_on_without_one_error_while_the_workers_are_replaced(stack, api):
    clients = [Client(stack, keeps=keeps) for keeps in (True, True, True, False, False, False)]
    over = asyncio.Event()
    asking = [asyncio.create_task(client.asks(over)) for client in clients]
    before = await replaced(stack)
    over.set()
    await asyncio.gather(*asking)
    assert [client.faults for client in clients] == [[]] * len(clients)
    assert all(client.answered > 50 for client in clients)
    assert all(client.connections < 10 for client in clients[:3])
    assert not [pid for pid in before.values() if alive(pid)]


async def test_calls_go_on_while_the_workers_are_replaced(stack, api):
    calls = [await api.call("+15005550007") for _ in range(6)]
    for call in calls:
        await api.reaches(call["id"], "in_progress")
    environment = {name: value for name, value in os.environ.items() if "ORBIT_" not in name or name == "ORBIT_TREE"}
    upgrade = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "stack", "upgrade"),
        env={**environment, "ORBIT_HOME": str(stack.home.folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed = (await upgrade.communicate())[0].decode().splitlines()
    assert upgrade.returncode == 0, printed
    assert [" replaced, " in line for line in printed] == [True, True, False]
    assert printed[-1] == "calls: 6 were live before, 6 still are, 0 ended, 0 lost"
    for call in calls:
        assert (await api.get(f"/voice/calls/{call['id']}"))["status"] == "in_progress"
        await api.hang_up(call["id"])
    assert {(await api.ends(call["id"]))["status"] for call in calls} == {"completed"}


async def test_a_worker_that_is_killed_is_back_and_the_other_answers_meanwhile(stack, api):
    name, pid = next(iter(stack.workers().items()))
    os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        await Client(stack, keeps=False)._ask()

    async def back():
        return stack.workers().get(name, pid) != pid

    await until(back)
    call = await api.call("+15005550001")
    assert (await api.ends(call["id"]))["status"] == "busy"


async def test_a_frozen_worker_is_killed_when_it_is_replaced(stack, api):
    pid = next(iter(stack.workers().values()))
    os.kill(pid, signal.SIGSTOP)
    await replaced(stack)
    assert not alive(pid)
    call = await api.call("+15005550001")
    assert (await api.ends(call["id"]))["status"] == "busy"


async def test_killing_the_service_ends_its_workers_and_it_starts_again_at_once(stack, api):
    pids = stack.workers().values()
    await stack.kill("service")

    async def gone():
        return not [pid for pid in pids if alive(pid)]

    await until(gone)
    assert stack.workers() == {}
    await stack.start("service")
    await api.ready()


async def test_a_service_that_is_stopped_leaves_no_worker(stack, api):
    pids = list(stack.workers().values())
    await stack.stop("service")
    assert not [pid for pid in pids if alive(pid)]
    assert list(stack.home.run.glob("worker-*")) == []
    await stack.start("service")
    await api.ready()


async def test_both_nodes_are_there(stack, api):
    async def both():
        metrics = (await api.ask("GET", "/metrics"))[2].decode()
        return all(f'orbit_node_alive{{node="node{number}"}} 1.0' in metrics for number in (1, 2))

    await until(both)


async def test_a_caller_on_the_second_node_is_answered(stack, api):
    async with Network(stack.env) as network:
        there = f"PJSIP/orbit/sip:+12025551234@127.0.0.1:{stack.env['ORBIT_SIP_UDP_2']}"
        parameters = {
            "endpoint": there, "context": "speak", "extension": "s", "priority": 1, "callerId": "+14155550177",
        }  # fmt: skip
        async with network.session.post("channels", json=parameters) as answer:
            assert answer.status == 200
        [call] = await until(lambda: api.get("/voice/calls", params={"from": "+14155550177"}))
        await api.reaches(call["id"], "in_progress")
        await api.hang_up(call["id"])
        assert (await api.ends(call["id"]))["status"] == "completed"
        await network.quiet()
