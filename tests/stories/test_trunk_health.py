"""Trunks' far ends come and go, with two processes and two nodes; every change is told once."""

import asyncio
import os
import re
import signal
import socket
import time

import pytest
from redis.asyncio import Redis

from service.stack.stack import Stack
from service.stack.tree import Tree
from service.store import keys
from tests.stories.client import Api, until
from tests.stories.conftest import FASTER
from tests.stories.farends import loopback
from tests.stories.farends.certificates import Authority
from tests.stories.farends.far_asterisk import FarAsterisk

pytestmark = pytest.mark.skipif(os.environ.get("TEST_STACK") == "containers", reason="about the embedded stack alone")

TRUNKS = "/v1/voice/sip-trunks"
KEEPALIVE = 2  # seconds between two OPTIONS
LOST = KEEPALIVE + 2 * 3.5 + 3  # within which a far end that is silent counts as lost: two time-outs, and some leisure
BACK = KEEPALIVE + 3


@pytest.fixture(scope="module")
async def stack(tmp_path_factory):
    own = {"ORBIT_TRUNK_KEEPALIVE_SECONDS": str(KEEPALIVE)}
    made = Stack.apart(tmp_path_factory.mktemp("health"), FASTER | own, nodes=2, processes=2)
    async with made as running:
        yield running


@pytest.fixture
async def live(stack):
    async with Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as client:
        await client.ready()
        yield client


@pytest.fixture
async def hears(live, receiver):
    """A subscribed receiver: (type, sequence) of what it heard of a trunk, as often as it heard it."""
    status, _, body = await live.ask("POST", "/v1/webhooks", json={"url": receiver.url, "events": ["trunk.*"]})
    assert status == 201, body

    def heard(trunk_id):
        return [(r.event["type"].removeprefix("trunk."), r.event["sequence"]) for r in receiver.about(trunk_id)]

    yield heard
    await live.ask("DELETE", f"/v1/webhooks/{body['data']['id']}")


class Peer(asyncio.DatagramProtocol):
    """A far end that answers OPTIONS over UDP while `answers`; `silent` has those that it let go by, each one once."""

    def __init__(self):
        self.host, self.answers, self.silent = loopback.address(), True, set()

    async def __aenter__(self):
        self.port = loopback.port(self.host, socket.SOCK_DGRAM)
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, self.port))
        self.uri = f"sip:{self.host}:{self.port};transport=udp"
        return self

    async def __aexit__(self, *_):
        self.transport.close()

    def datagram_received(self, data, address):
        lines = data.decode().split("\r\n")
        kept = [line for line in lines if re.match(r"(?i)(via|from|to|call-id|cseq) *:", line)]
        call = next(line for line in kept if line.lower().startswith("call-id"))
        if self.answers and call not in self.silent:
            self.transport.sendto("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode(), address)
        else:
            self.silent.add(call)


@pytest.fixture
async def peer():
    async with Peer() as far:
        yield far


@pytest.fixture
async def make(live):
    """Makes trunks; they are gone in the end."""
    made = []

    async def one(uri, **fields):
        body = {"name": f"health {len(made)} {uri}", "termination_uri": uri, "encryption": "none", **fields}
        status, _, answer = await live.ask("POST", TRUNKS, json=body)
        assert status == 201, answer
        made.append(answer["data"]["id"])
        return made[-1]

    yield one
    for trunk_id in made:
        await live.ask("DELETE", f"{TRUNKS}/{trunk_id}?force=true")


async def becomes(live, trunk_id, seconds=10, **wanted):
    """The trunk, once status or parts of its health are as wanted."""

    async def there():
        trunk = await live.get(f"/voice/sip-trunks/{trunk_id}")
        shown = trunk["health"] | {"status": trunk["status"]}
        return trunk if wanted.items() <= shown.items() else None

    return await until(there, seconds)


async def check(live, trunk_id):
    """A live check, which never takes long."""
    begun = time.monotonic()
    found = await live.get(f"/voice/sip-trunks/{trunk_id}/health")
    assert time.monotonic() - begun < 5
    return found


async def test_a_far_end_that_answers(make, live, peer, hears):
    trunk_id = await make(peer.uri, codecs=["G722", "PCMA"])
    trunk = await becomes(live, trunk_id, state="reachable", seconds=BACK)
    assert trunk["status"] == "active"
    assert trunk["health"]["checked_at"]
    assert 0 < trunk["health"]["rtt_ms"] < 1000
    assert (trunk["health"]["registration"], trunk["health"]["error"]) == (None, None)
    await until_heard(hears, trunk_id, [("reachable", 1)])
    found = await check(live, trunk_id)
    assert re.fullmatch(r"The far end answers in [0-9.]+ ms\.", found["explanation"])
    assert [(each["node"], each["reachable"]) for each in found["options"]] == [("node1", True), ("node2", True)]
    assert (found["codecs"], found["tls"], found["status"]) == (["G722", "PCMA"], None, "active")


async def until_heard(hears, trunk_id, wanted):
    async def heard():
        return hears(trunk_id) == wanted

    await until(heard)


async def test_silence_takes_a_trunk_down_and_one_answer_brings_it_back(make, live, peer, hears):
    trunk_id = await make(peer.uri)
    await becomes(live, trunk_id, state="reachable", seconds=BACK)
    peer.answers = False
    down = await becomes(live, trunk_id, status="unreachable", seconds=LOST)
    assert (down["health"]["rtt_ms"], down["health"]["error"]) == (None, "The far end does not answer OPTIONS.")
    assert len(peer.silent) >= 2, "one miss is not enough"
    for _ in range(6):  # whichever process answers
        assert (await becomes(live, trunk_id, state="unreachable", seconds=1))["status"] == "unreachable"
    begun = time.monotonic()
    call = await live.call("+14155550188", trunk_id=trunk_id)
    ended = await live.ends(call["id"], seconds=2)
    assert time.monotonic() - begun < 1
    assert (ended["status"], ended["hangup"]["reason"]) == ("failed", "trunk_unreachable")
    found = await check(live, trunk_id)
    assert found["explanation"].startswith(f"Nobody answers OPTIONS at {peer.host}:{peer.port} within 3 s")
    peer.answers = True
    await becomes(live, trunk_id, status="active", state="reachable", seconds=BACK)
    await until_heard(hears, trunk_id, [("reachable", 1), ("unreachable", 2), ("reachable", 3)])


async def test_one_miss_changes_nothing(make, live, peer, hears):
    trunk_id = await make(peer.uri)
    await becomes(live, trunk_id, state="reachable", seconds=BACK)
    peer.answers = False

    async def missed():
        return peer.silent

    await until(missed)
    peer.answers = True  # what it was asked stays without an answer, what it is asked next does not

    async def checked_again():
        trunk = await live.get(f"/voice/sip-trunks/{trunk_id}")
        assert trunk["status"] == "active"
        return trunk["health"]["checked_at"] > later

    later = (await live.get(f"/voice/sip-trunks/{trunk_id}"))["health"]["checked_at"]
    await until(checked_again, 30)
    assert hears(trunk_id) == [("reachable", 1)]


async def test_who_watches_is_killed_and_every_change_is_told_once(make, live, peer, hears, stack):
    trunk_id = await make(peer.uri)
    await becomes(live, trunk_id, state="reachable", seconds=BACK)
    peer.answers = False
    async with Redis.from_url(stack.env["ORBIT_REDIS_URL"]) as redis:

        async def missed():
            return peer.silent

        await until(missed)
        app = await redis.hget(keys.HOLDERS, "node1")
        name = (await redis.hget(keys.MEMBERS, app)).decode()
        os.kill(stack.workers()[name], signal.SIGKILL)
    await becomes(live, trunk_id, status="unreachable", seconds=LOST + 15)
    peer.answers = True
    await becomes(live, trunk_id, status="active", seconds=BACK + 5)
    await until_heard(hears, trunk_id, [("reachable", 1), ("unreachable", 2), ("reachable", 3)])


async def test_a_trunk_that_moves_to_a_far_end_that_answers(make, live, peer):
    trunk_id = await make(f"sip:{loopback.address()}:5060;transport=udp")
    await becomes(live, trunk_id, status="unreachable", seconds=LOST)
    status, _, body = await live.ask("PUT", f"{TRUNKS}/{trunk_id}", json={"termination_uri": peer.uri})
    assert status == 200, body
    await becomes(live, trunk_id, status="active", state="reachable", seconds=BACK)
    status, _, body = await live.ask("PUT", f"{TRUNKS}/{trunk_id}", json={"enabled": False})
    assert (body["data"]["status"], body["data"]["health"]["state"]) == ("disabled", "unknown")
    assert (await check(live, trunk_id))["explanation"] == "The trunk is switched off."


@pytest.fixture
def tree(stack):
    return Tree(stack.settings.tree)


async def test_a_registration_that_is_refused_and_then_taken(make, live, tree, tmp_path):
    async with FarAsterisk(tree, tmp_path / "far", login=("orbit", "right")) as far:
        trunk_id = await make(f"sip:{far.at()}", register=True, auth_username="orbit", auth_password="wrong")
        trunk = await becomes(live, trunk_id, status="rejected", state="reachable", seconds=25)
        assert trunk["health"]["registration"] == "rejected"
        assert trunk["health"]["error"] == "The carrier refuses the registration."
        found = await check(live, trunk_id)
        assert re.fullmatch(
            r"The far end answers in [0-9.]+ ms, but refuses the registration: check user name and password\.",
            found["explanation"],
        )
        assert "wrong" not in str(found)
        status, _, body = await live.ask("PUT", f"{TRUNKS}/{trunk_id}", json={"auth_password": "right"})
        assert status == 200, body
        await becomes(live, trunk_id, status="active", registration="registered", seconds=160)
        found = await check(live, trunk_id)
        assert found["explanation"].endswith(" ms, and the trunk is registered.")
        assert found["health"]["registration"] == "registered"


async def test_credentials_that_calls_are_refused_for(make, live, tree, tmp_path):
    async with FarAsterisk(tree, tmp_path / "far", login=("orbit", "right")) as far:
        trunk_id = await make(f"sip:{far.at()}", auth_username="orbit", auth_password="wrong")
        await becomes(live, trunk_id, status="active", state="reachable", seconds=BACK)
        call = await live.call("+15005550001", trunk_id=trunk_id)
        assert (await live.ends(call["id"]))["status"] == "failed"
        trunk = await becomes(live, trunk_id, status="rejected", seconds=3)
        assert trunk["health"]["error"] == "The carrier refuses the credentials of calls."
        explanation = (await check(live, trunk_id))["explanation"]
        assert explanation.endswith("but refuses the credentials of calls: check user name and password.")
        status, _, body = await live.ask("PUT", f"{TRUNKS}/{trunk_id}", json={"auth_password": "right"})
        assert (status, body["data"]["status"]) == (200, "active")
        call = await live.call("+15005550001", trunk_id=trunk_id)
        assert (await live.ends(call["id"]))["status"] == "busy"
        await becomes(live, trunk_id, status="active", seconds=1)


async def test_tls_and_its_certificate(make, live, tree, stack, tmp_path):
    host = loopback.address()
    good = Authority(tmp_path / "good", of=stack.home.tls).good(host)
    async with FarAsterisk(tree, tmp_path / "far", encryption="tls", host=host, certificate=good) as far:
        trunk_id = await make(f"sip:{far.at()}", encryption="tls")
        await becomes(live, trunk_id, state="reachable", seconds=BACK)
        found = await check(live, trunk_id)
        assert re.fullmatch(r"The far end answers in [0-9.]+ ms\.", found["explanation"])
        tls = found["tls"]
        assert (tls["ok"], tls["verified"], tls["error"], tls["warning"]) == (True, True, None, None)
        assert (tls["subject"], tls["days_left"] > 100) == (f"CN={host}", True)


async def test_a_bad_certificate_is_named(make, live, tree, stack, tmp_path):
    authority = Authority(tmp_path / "good", of=stack.home.tls)
    bad = {
        "the certificate has expired": authority.expired,
        "the certificate's authority is not trusted": authority.unknown,
        "the certificate is for another host": lambda _: authority.wrong_name(),
    }

    async def story(number, why):
        host, folder = loopback.address(), tmp_path / f"far{number}"
        certificate = bad[why](host)
        async with FarAsterisk(tree, folder, encryption="tls", host=host, certificate=certificate) as far:
            trunk_id = await make(f"sip:{far.at()}", encryption="tls")
            await becomes(live, trunk_id, status="unreachable", seconds=LOST + 5)
            found = await check(live, trunk_id)
            where = f"{far.host}:{far.tls_port}"
            assert found["explanation"] == f"The far end at {where} is unreachable, because TLS fails: {why}."
            assert (found["tls"]["ok"], found["tls"]["error"]) == (False, why)
            status, _, body = await live.ask("PUT", f"{TRUNKS}/{trunk_id}", json={"tls_verify": False})
            assert status == 200, body
            await becomes(live, trunk_id, status="active", seconds=BACK)

    await asyncio.gather(*(story(number, why) for number, why in enumerate(bad)))
