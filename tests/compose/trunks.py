"""Trunks on the stack of compose.yaml, which `tests/compose/run` has brought up."""

import asyncio
import os
import re
import ssl
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.compose.stack import asterisk, compose, keyed
from tests.stories.client import until
from tests.stories.farends.certificates import Authority

TRUNKS, SUBNET = "/v1/voice/sip-trunks", os.environ["ORBIT_SUBNET"]
ANSWERS = re.compile(r"The far end answers in [0-9.]+ ms\.")
HANGS_UP = "+15005550006"


@pytest.fixture(scope="session")
async def live():
    async with keyed() as client:
        yield client


@asynccontextmanager
async def trunk(live, uri, **fields):
    """A trunk to there, its id; gone in the end."""
    body = {"name": uri, "termination_uri": uri, "encryption": "none", **fields}
    status, _, answer = await live.ask("POST", TRUNKS, json=body)
    assert status == 201, answer
    trunk_id = answer["data"]["id"]
    yield trunk_id
    assert (await live.ask("DELETE", f"{TRUNKS}/{trunk_id}"))[0] < 300


async def explained(live, trunk_id, sentence):
    """What a live check finds, once it is this."""
    found = await live.get(f"/voice/sip-trunks/{trunk_id}/health")
    return found if re.fullmatch(sentence, found["explanation"]) else None


async def carries(live, trunk_id):
    call = await live.call(HANGS_UP, trunk_id=trunk_id)
    ended = await live.ends(call["id"])
    assert (ended["status"], ended["duration_seconds"], ended["trunk_id"]) == ("completed", 2, trunk_id), ended


@pytest.mark.parametrize("host", [f"{SUBNET}.3", "carrier"])
async def test_a_trunk_carries_calls_also_after_the_node_was_started_again(live, host):
    async with trunk(live, f"sip:{host}:5060;transport=udp") as trunk_id:
        await until(partial(explained, live, trunk_id, ANSWERS))
        await carries(live, trunk_id)
        assert "Module 'res_pjsip.so' reloaded" in await compose("exec", "-T", "asterisk", "/usr/share/orbit/reload")
        await carries(live, trunk_id)
        await compose("stop", "service")  # nobody is there to push it
        await compose("restart", "asterisk")
        await compose("up", "-d", "--no-build", "--wait", "--wait-timeout", "60", "asterisk")
        assert f"Endpoint:  {trunk_id} " in await asterisk(f"pjsip show endpoint {trunk_id}")
        await compose("start", "service")
        await live.ready()
        await until(partial(explained, live, trunk_id, ANSWERS))
        await carries(live, trunk_id)


async def test_a_trunk_does_not_lead_back_here(live):
    own = os.environ.get("ORBIT_NODE_ADDR", f"{SUBNET}.2")
    body = {"name": "loop", "termination_uri": f"sip:{own}", "encryption": "none"}
    status, _, answer = await live.ask("POST", TRUNKS, json=body)
    assert status == 422, answer
    assert "is an address of ours" in str(answer["error"])


class FarEnd(asyncio.Protocol):
    """Answers each request over TLS with 200."""

    def __init__(self, connections):
        self.connections = connections

    def connection_made(self, transport):
        self.transport = transport
        self.connections.add(transport)

    def connection_lost(self, _):
        self.connections.discard(self.transport)

    def data_received(self, data):
        kept = [line for line in data.decode().split("\r\n") if re.match(r"(?i)(via|from|to|call-id|cseq) *:", line)]
        if kept:
            self.transport.write("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode())


@asynccontextmanager
async def far_end(certificate, host):
    """One at a port of this machine, the port."""
    context, connections = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), set()
    context.load_cert_chain(certificate.cert, certificate.key)
    server = await asyncio.get_running_loop().create_server(partial(FarEnd, connections), host, 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for connection in connections:
        connection.abort()

    async def alone():
        return not connections

    await until(alone)


async def test_the_service_trusts_the_authorities_that_asterisk_trusts(live, tmp_path):
    """One that is added in the folder of the certificate, at a reload."""
    host, authority = f"{SUBNET}.1", Authority(tmp_path)
    async with (
        far_end(authority.good(host), host) as port,
        trunk(live, f"sip:{host}:{port}", encryption="tls_srtp") as trunk_id,
    ):
        refused = "The far end at .* is unreachable, because TLS fails: the certificate's authority is not trusted."
        await until(partial(explained, live, trunk_id, refused))
        await compose("exec", "-T", "asterisk", "tee", "/etc/orbit-tls/ca.pem", given=authority.ca.read_text())
        await compose("exec", "-T", "asterisk", "/usr/share/orbit/reload")
        found = await until(partial(explained, live, trunk_id, ANSWERS))
        assert (found["tls"]["ok"], found["tls"]["verified"]) == (True, True)
