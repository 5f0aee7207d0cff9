"""Two processes, two nodes, one Redis: any part dies or freezes, and the rest goes on with its calls."""

import asyncio
import json
import os
import signal
import time
from collections import Counter

import aiohttp
import pytest
from redis.asyncio import Redis

from service.calls.ids import channel_of, mint
from service.calls.times import now_ms
from service.stack.stack import Stack
from service.store import keys
from tests.stories.client import Api, until
from tests.stories.conftest import FASTER
from tests.stories.network import Network

ECHO, LEAVES = "+15005550008", "+15005550006"  # answers and echoes; answers and hangs up after 2 s


class Pair:
    """The stack, and what can be asked about its inside."""

    def __init__(self, stack: Stack, redis: Redis) -> None:
        self.stack, self.redis, self.env = stack, redis, stack.env

    async def leg(self, call_id: str) -> dict[str, str]:
        return json.loads(await self.redis.hget(keys.call(call_id), "doc"))["leg"]

    async def version(self, call_id: str) -> int:
        return int(await self.redis.hget(keys.call(call_id), "v"))

    async def worker_of(self, call_id: str) -> tuple[str, int]:
        """Name and pid of the process that follows a call."""
        app = (await self.leg(call_id))["app"]
        owner = (await self.redis.hget(keys.OWNERS, app)).decode()
        name = (await self.redis.hget(keys.MEMBERS, owner)).decode()
        return name, self.stack.workers()[name]

    async def whole(self) -> bool:
        """Both processes are members, and nobody else."""
        members = {name.decode() for name in await self.redis.hvals(keys.MEMBERS)}
        alive = await self.redis.zcount(keys.ALIVE, now_ms(), "+inf")
        return members == set(self.stack.workers()) and len(members) == alive == 2


@pytest.fixture(scope="module")
async def pair(tmp_path_factory):
    if os.environ.get("TEST_STACK") == "containers":
        pytest.skip("the embedded stack's own story")
    made = Stack.apart(tmp_path_factory.mktemp("pair"), FASTER, nodes=2, processes=2, keep=True)
    async with made as stack, Redis.from_url(stack.env["ORBIT_REDIS_URL"]) as redis:
        yield Pair(stack, redis)


@pytest.fixture
async def api(pair):
    async with Api(pair.env["ORBIT_URL"], pair.env["ORBIT_TEST_KEY"]) as client:
        await client.ready()
        await until(pair.whole, 20)
        yield client


@pytest.fixture
async def network(pair):
    async with Network(pair.env) as carrier:
        yield carrier
        await carrier.everybody_hangs_up()


async def test_calls_go_to_the_node_with_the_least(pair, api, network):
    calls = [await api.call(ECHO) for _ in range(6)]
    for call in calls:
        await api.reaches(call["id"], "in_progress")
    assert Counter([(await pair.leg(c["id"]))["node"] for c in calls]) == {"node1": 3, "node2": 3}
    for call in calls:
        await api.hang_up(call["id"])
        assert (await api.ends(call["id"]))["hangup"]["by"] == "api"


async def test_a_caller_reaches_us_through_either_node(pair, api, network):
    for number, at in (("+14155550171", ""), ("+14155550172", f"127.0.0.1:{pair.env['ORBIT_SIP_UDP_2']}")):
        await network.dials("+12025551234", caller=number, at=at)

        async def held(caller=number):
            found = await api.get("/voice/calls", params={"from": caller, "status": "in_progress"})
            return found and found[0]

        call = await until(held)
        await api.hang_up(call["id"])
        assert (await api.ends(call["id"]))["status"] == "completed"


async def test_a_process_that_is_killed_is_followed_by_another_at_once(pair, api, network, receiver):
    call = await api.call(LEAVES, webhook_url=receiver.url)
    await api.reaches(call["id"], "in_progress")
    _, pid = await pair.worker_of(call["id"])
    os.kill(pid, signal.SIGKILL)
    heard = await receiver.hears(call["id"], "call.completed")
    assert list(dict.fromkeys(r.event["sequence"] for r in heard)) == [1, 2, 3, 4]
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"], ended["duration_seconds"]) == ("completed", "callee", 2)


async def test_a_process_that_freezes_is_fenced_and_writes_nothing_when_it_wakes_up(pair, api, network, receiver):
    call = await api.call(ECHO, webhook_url=receiver.url)
    await api.reaches(call["id"], "in_progress")
    name, pid = await pair.worker_of(call["id"])
    os.kill(pid, signal.SIGSTOP)
    frozen = time.monotonic()
    try:
        for channel in await network.channels():
            await network.hangs_up(channel["id"])

        async def on_record():
            return await pair.redis.sismember(keys.LIVE, call["id"]) == 0

        await until(on_record, 10)
        assert time.monotonic() - frozen < 5
        version = await pair.version(call["id"])
    finally:
        os.kill(pid, signal.SIGCONT)

    async def replaced():
        return pair.stack.workers().get(name) not in (pid, None)

    await until(replaced)
    await until(pair.whole, 20)
    assert await pair.version(call["id"]) == version
    async with Api(pair.env["ORBIT_URL"], pair.env["ORBIT_TEST_KEY"]) as fresh:
        assert (await fresh.get(f"/voice/calls/{call['id']}"))["status"] == "completed"
    heard = await receiver.hears(call["id"], "call.completed")
    sequences = [r.event["sequence"] for r in heard]
    assert sequences == sorted(set(sequences))


async def test_a_node_that_dies_loses_its_calls_and_no_others(pair, api, network):
    calls = [await api.call(ECHO) for _ in range(4)]
    nodes = {}
    for call in calls:
        await api.reaches(call["id"], "in_progress")
        nodes[call["id"]] = (await pair.leg(call["id"]))["node"]
    os.kill(pair.stack.pid("asterisk2"), signal.SIGKILL)
    died = time.monotonic()
    for call_id, node in nodes.items():
        if node == "node2":
            ended = await api.ends(call_id)
            assert (ended["status"], ended["hangup"]["reason"]) == ("failed", "node_lost")
    assert time.monotonic() - died < 10
    for call_id, node in nodes.items():
        if node == "node1":
            assert (await api.get(f"/voice/calls/{call_id}"))["status"] == "in_progress"
            await api.hang_up(call_id)
            assert (await api.ends(call_id))["status"] == "completed"


async def test_while_a_node_is_frozen_calls_go_to_the_other_one_and_it_comes_back_by_itself(pair, api, network):
    pair.stack.pause("asterisk2")
    try:

        async def drained():
            # a call that was given to it before it was found out is hung up when it is back
            call = await api.call(ECHO)
            return (await pair.leg(call["id"]))["node"] == "node1" and call

        async def three_times():
            return all([await drained() for _ in range(3)])

        await until(three_times, 8, pause=0.5)
    finally:
        pair.stack.resume("asterisk2")

    async def back():
        call = await api.call(ECHO)
        await api.reaches(call["id"], "in_progress")
        await api.hang_up(call["id"])
        return (await pair.leg(call["id"]))["node"] == "node2"

    await until(back)
    await network.everybody_hangs_up()
    for call in await api.get("/voice/calls", params={"limit": "100"}):
        await api.ends(call["id"])


async def test_what_belongs_to_nobody_is_hung_up(pair, api, network):
    env = pair.env
    login = {"Authorization": aiohttp.encode_basic_auth(env["ORBIT_ARI_USER"], env["ORBIT_ARI_PASSWORD"])}
    stray, own, bridge = channel_of(mint("call")), "operators-own", mint("conf")
    async with aiohttp.ClientSession(env["ORBIT_ARI_URL"] + "/", headers=login) as ari:
        for channel in (stray, own):
            body = {
                "endpoint": f"PJSIP/{ECHO}@sandbox", "channelId": channel,
                "context": "orbit-answered", "extension": "s", "priority": 1,
                "variables": {"ORBIT_APP": "nobody", "ORBIT_MAX_DURATION": "60"},
            }  # fmt: skip
            async with ari.post("channels", json=body) as answer:
                assert answer.status == 200, await answer.text()
        async with ari.post(f"bridges/{bridge}", params={"type": "mixing"}) as answer:
            assert answer.status == 200

        async def gone():
            async with ari.get("channels") as channels, ari.get("bridges") as bridges:
                there = {c["id"] for c in await channels.json()}
                return not {stray, bridge} & (there | {b["id"] for b in await bridges.json()}) and there

        assert own in await until(gone, 30)
        async with ari.delete(f"channels/{own}") as answer:
            assert answer.status == 204


async def test_a_process_that_is_told_to_stop_drops_nothing(pair, api, network):
    calls = [await api.call("+15005550005") for _ in range(4)]  # rings for 3 s, then speaks
    _, pid = await pair.worker_of(calls[0]["id"])
    os.kill(pid, signal.SIGTERM)
    for call in calls:
        await api.reaches(call["id"], "in_progress")
        rows = await api.get(f"/voice/calls/{call['id']}/events")
        assert [r["type"] for r in rows] == ["call.initiated", "call.ringing", "call.answered"]
        await api.hang_up(call["id"])
        assert (await api.ends(call["id"]))["status"] == "completed"


async def test_all_of_it_dies_and_comes_back(pair, api, network):
    calls = [await api.call(LEAVES) for _ in range(4)]
    for call in calls:
        await api.reaches(call["id"], "in_progress")
    for pid in pair.stack.workers().values():
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    async with Api(pair.env["ORBIT_URL"], pair.env["ORBIT_TEST_KEY"]) as fresh:
        await fresh.ready()
        for call in calls:
            ended = await fresh.ends(call["id"])
            assert (ended["status"], ended["hangup"]["cause"], ended["duration_seconds"]) == ("completed", 16, 2)
