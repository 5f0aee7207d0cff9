"""A carrier's calls find our numbers, in whatever form it sends them."""

import asyncio
import socket

import pytest

from tests.stories.client import until
from tests.stories.farends.far_asterisk import FarAsterisk

OURS = "+12025551234"


@pytest.fixture(scope="module")
async def far(tree, tmp_path_factory):
    async with FarAsterisk(tree, tmp_path_factory.mktemp("far")) as carrier:
        yield carrier


@pytest.mark.parametrize("dialled", ["+12025551234", "12025551234", "2025551234", "01112025551234"])
async def test_a_national_number_is_understood_where_the_carrier_has_a_country(stack, live, trunks, far, dialled):
    trunk_id = await trunks.make(far.at(), origination_uris=[f"sip:{far.host}"], country="US")
    caller = f"+1415555{abs(hash(dialled)) % 10000:04d}"
    channel = await far.dials(dialled, f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp", caller)

    async def arrived():
        return await live.get("/voice/calls", params={"from": caller, "direction": "inbound", "status": "in_progress"})

    [call] = await until(arrived)
    assert (call["to"], call["trunk_id"]) == (OURS, trunk_id)
    await far.hangs_up(channel)
    ended = await live.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"]) == ("completed", "caller")


async def test_a_national_number_is_nobodys_without_a_country(stack, live, trunks, far):
    await trunks.make(far.at(), origination_uris=[f"sip:{far.host}"])
    await far.dials("2025551234", f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp", "+14155559999")
    await until(lambda: refused(far))
    assert not await live.get("/voice/calls", params={"from": "+14155559999"})


async def refused(far):
    return [message for message in far.messages("INVITE") if message.status == 404]


def ask(stack, source, method):
    """The status line that a request to our number gets, from an address of a trunk."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        sender.settimeout(5)
        here = f"{source}:{sender.getsockname()[1]}"
        lines = (
            f"{method} sip:{OURS}@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{method}{here};rport",
            f"From: <sip:+14155550199@{here}>;tag=1",
            f"To: <sip:{OURS}@127.0.0.1>",
            f"Call-ID: {method}-{here}",
            f"CSeq: 1 {method}",
            "Max-Forwards: 5",
            "Refer-To: <sip:+14155550198@127.0.0.1>",
            "Content-Type: text/plain",
            "Content-Length: 2",
            "",
            "hi",
        )
        sender.sendto("\r\n".join(lines).encode(), ("127.0.0.1", int(stack.env["ORBIT_SIP_UDP"])))
        return sender.recv(4096).split(b"\r\n")[0].decode()


@pytest.mark.parametrize("method", ["MESSAGE", "REFER", "SUBSCRIBE", "PUBLISH"])
async def test_a_carrier_can_call_and_nothing_else(stack, live, trunks, method):
    source = "127.0.0.61"
    await trunks.make("127.0.0.61:9", origination_uris=[source])
    before = await live.get("/voice/calls", params={"direction": "inbound", "limit": 1})
    answer = await asyncio.to_thread(ask, stack, source, method)
    assert answer.split()[1][0] in "45", answer
    assert await live.get("/voice/calls", params={"direction": "inbound", "limit": 1}) == before
