"""A call with several trunks: the next is tried where one brings it to nobody, and only there."""

import asyncio
import socket

import pytest

from service.stack.tree import Tree
from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.sipp import Sipp
from tests.stories.uas import FarEnd

TRUNKS = "/v1/voice/sip-trunks"
ANSWERS, BUSY = "+15005550006", "+15005550001"  # of the sandbox: answers and hangs up after 2 s; busy


class Carrier(FarEnd):
    """A carrier over UDP, at a port of its own."""

    def __init__(self, *replies):
        self.replies, self.rest, self.requests = replies, "", []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    @property
    def at(self):
        return f"sip:127.0.0.1:{self._port};transport=udp"

    @property
    def invites(self):
        return self.requests.count("INVITE")


@pytest.fixture
def trunk(trunks):
    async def one(termination_uri, encryption="none", **fields):
        return await trunks.make(termination_uri.removeprefix("sip:"), encryption=encryption, **fields)

    return one


@pytest.fixture(scope="module")
async def sandbox(live):
    return next(t["id"] for t in await live.get("/voice/sip-trunks?limit=100") if t["name"] == "Sandbox")


async def inbound(live):
    return len(await live.get("/voice/calls?limit=100&direction=inbound"))


@pytest.mark.parametrize("reply", ["503 Service Unavailable", "500 Oops", "502 Bad", "504 Late", "408 Timeout"])
async def test_a_trunk_that_cannot_is_followed_by_the_next_one(live, trunk, sandbox, network, receiver, reply):
    async with Carrier(reply) as carrier:
        first = await trunk(carrier.at)
        call = await live.call(ANSWERS, trunk_ids=[first, sandbox], webhook_url=receiver.url)
        ended = await live.ends(call["id"])
        assert carrier.invites == 1
    assert (ended["status"], ended["trunk_id"]) == ("completed", sandbox)
    assert network.arrived == [ANSWERS]
    rows = await live.get(f"/voice/calls/{call['id']}/events")
    assert [(r["type"], r["sequence"]) for r in rows] == [
        ("call.initiated", 1), ("call.rerouted", 1), ("call.ringing", 2), ("call.answered", 3), ("call.completed", 4),
    ]  # fmt: skip
    told = rows[1]["detail"]
    assert (told["trunk_id"], told["sip_code"], told["next_trunk_id"]) == (first, int(reply[:3]), sandbox)
    assert told["message"].endswith(f" (SIP {reply[:3]}).")
    heard = await receiver.hears(call["id"], "call.completed")
    assert [(r.event["type"], r.event["sequence"]) for r in heard] == [
        ("call.initiated", 1), ("call.ringing", 2), ("call.answered", 3), ("call.completed", 4),
    ]  # fmt: skip


@pytest.mark.parametrize("encryption", ["none", "tls"])
async def test_a_trunk_that_nobody_listens_at_is_followed_by_the_next_one(live, trunk, sandbox, encryption):
    transport = "tcp" if encryption == "none" else "tls"
    nobody = await trunk(f"sip:{loopback.address()}:5061;transport={transport}", encryption)
    call = await live.call(BUSY, trunk_ids=[nobody, sandbox])
    ended = await live.ends(call["id"])
    assert (ended["status"], ended["trunk_id"], ended["hangup"]["sip_code"]) == ("busy", sandbox, 486)
    [told] = [r["detail"] for r in await live.get(f"/voice/calls/{call['id']}/events") if r["type"] == "call.rerouted"]
    assert (told["reason"], told["by"], told["cause"], told["sip_code"]) == ("trunk_unreachable", "system", 34, None)


@pytest.mark.parametrize(
    ("replies", "status", "reason"),
    [
        (("486 Busy Here",), "busy", "user_busy"),
        (("603 Decline",), "failed", "call_rejected"),
        (("404 Not Found",), "failed", "unallocated_number"),
        (("403 Forbidden",), "failed", "call_rejected"),
        (("488 Not Acceptable Here",), "failed", "incompatible_destination"),
        (("401 Unauthorized",), "failed", "trunk_auth_rejected"),
        (("180 Ringing", "503 Service Unavailable"), "failed", "congestion"),
        (("183 Session Progress", "503 Service Unavailable"), "failed", "congestion"),
        (("302 Moved Temporarily",), "failed", "redirected"),
    ],
)
async def test_a_far_end_that_has_decided_is_not_followed(live, trunk, sandbox, network, replies, status, reason):
    async with Carrier(*replies) as carrier:
        if replies[0].startswith("302"):
            carrier.rest = "Contact: <sip:+12025551234@127.0.0.1>\r\n"
        elif replies[0].startswith("401"):
            carrier.rest = 'WWW-Authenticate: Digest realm="x", nonce="y"\r\n'
        first, before = await trunk(carrier.at), await inbound(live)
        call = await live.call(ANSWERS, trunk_ids=[first, sandbox])
        ended = await live.ends(call["id"])
    assert (ended["status"], ended["hangup"]["reason"], ended["trunk_id"]) == (status, reason, first)
    assert await inbound(live) == before  # a redirect leads nowhere, and not back to us
    assert ended["hangup"]["sip_code"] == int(replies[-1][:3])
    assert network.arrived == []
    assert "rerouted" not in await live.timeline(call["id"])


async def test_a_call_that_rings_out_or_is_hung_up_goes_no_further(live, trunk, sandbox, network):
    async with Carrier("180 Ringing") as carrier:
        first = await trunk(carrier.at)
        calls = [await live.call(ANSWERS, trunk_ids=[first, sandbox], timeout=2)]
        assert (await live.ends(calls[0]["id"]))["status"] == "no_answer"
    async with Carrier() as silent:  # not a word
        first = await trunk(silent.at)
        calls.append(await live.call(ANSWERS, trunk_ids=[first, sandbox], timeout=2))
        out = await live.ends(calls[1]["id"])
        assert (out["status"], out["hangup"]["reason"], out["hangup"]["cause"]) == ("failed", "no_response", 18)
        calls.append(await live.call(ANSWERS, trunk_ids=[first, sandbox]))
        await live.hang_up(calls[2]["id"])
        assert (await live.ends(calls[2]["id"]))["status"] == "cancelled"
    assert network.arrived == []


async def test_a_process_that_dies_between_two_trunks_loses_nothing(live, stack, trunk, sandbox, network):
    async with Carrier("100 Trying") as carrier:
        first = await trunk(carrier.at)
        call = await live.call(ANSWERS, trunk_ids=[first, sandbox])

        async def invited():
            return carrier.invites

        await until(invited)
        await stack.kill("service")
        carrier.answer("503 Service Unavailable")
        await stack.start("service")
        ended = await live.ends(call["id"])
    assert (ended["status"], ended["trunk_id"]) == ("completed", sandbox)
    assert await live.timeline(call["id"]) == ["initiated", "rerouted", "ringing", "answered", "completed"]
    assert network.arrived == [ANSWERS]


async def test_a_full_trunk_is_passed_over_and_full_trunks_refuse(live, trunk, sandbox):
    async with Carrier("180 Ringing") as carrier:
        first = await trunk(carrier.at, max_channels=2)
        placed = await asyncio.gather(
            *(live.ask("POST", "/v1/voice/calls", json={"to": ANSWERS, "from": "+12025551234", "trunk_ids": [first]})
              for _ in range(8))
        )  # fmt: skip
        calls = [body["data"]["id"] for status, _, body in placed if status == 201]
        assert len(calls) == 2
        assert {body["error"]["code"] for status, _, body in placed if status != 201} == {"CONCURRENCY_LIMIT_EXCEEDED"}
        over = await live.call(BUSY, trunk_ids=[first, sandbox])
        assert (over["trunk_id"], (await live.ends(over["id"]))["status"]) == (sandbox, "busy")
        for call_id in calls:
            await live.hang_up(call_id)
            await live.ends(call_id)
        again = await live.call(ANSWERS, trunk_ids=[first])
        await live.hang_up(again["id"])
        await live.ends(again["id"])


async def test_new_calls_above_a_trunks_rate_go_by_the_next_one(live, trunk, sandbox):
    async with Carrier("486 Busy Here") as carrier:
        first = await trunk(carrier.at, calls_per_second=2)
        calls = await asyncio.gather(*(live.call(BUSY, trunk_ids=[first, sandbox]) for _ in range(6)))
        assert [c["trunk_id"] for c in calls].count(sandbox) >= 3
        refused = {"to": BUSY, "from": "+12025551234", "trunk_id": first}
        while (answer := await live.ask("POST", "/v1/voice/calls", json=refused))[0] == 201:
            await live.ends(answer[2]["data"]["id"])
        status, headers, body = answer
        assert (status, body["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert int(headers["Retry-After"]) >= 1
        for call in calls:
            await live.ends(call["id"])


async def test_a_caller_on_a_full_trunk_hears_that_and_is_on_record(live, trunk, stack, tmp_path):
    tree, node = Tree(stack.settings.tree), f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']}"
    host = loopback.address()
    full = await trunk("sip:127.0.0.1:9", origination_uris=[f"sip:{host}"], max_channels=1)
    number = {"tree": tree, "to": node, "number": "+12025551234", "host": host}
    async with Sipp(folder=tmp_path / "a", scenario="calls", caller="+14155550201", **number) as first:

        async def held():
            found = await live.get("/voice/calls", params={"from": "+14155550201", "status": "in_progress"})
            return found and found[0]

        taken = await until(held)
        assert taken["trunk_id"] == full
        async with Sipp(folder=tmp_path / "b", scenario="calls", caller="+14155550202", **number) as second:
            assert not await second.ended()
            assert [m.status for m in second.messages("INVITE") if m.status and m.status >= 300][:1] == [503]
        assert await first.ended()

    async def on_record():
        found = await live.get("/voice/calls", params={"from": "+14155550202"})
        return found and found[0]

    refused = await until(on_record)
    refused = await live.ends(refused["id"])
    assert (refused["status"], refused["hangup"]["reason"], refused["hangup"]["by"]) == (
        "failed", "max_channels", "system",
    )  # fmt: skip


async def test_a_trunk_that_encrypts_takes_no_plain_call(live, trunk, stack, tmp_path):
    host, node = loopback.address(), f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']}"
    await trunk("sip:127.0.0.1:9", "tls", origination_uris=[f"sip:{host}"])
    caller = Sipp(
        Tree(stack.settings.tree), tmp_path / "far", "calls", host=host, to=node, number="+12025551234",
        caller="+14155550203",
    )  # fmt: skip
    async with caller:
        assert not await caller.ended()
        assert [m.status for m in caller.messages("INVITE") if m.status and m.status >= 300][:1] == [403]
    assert await live.get("/voice/calls", params={"from": "+14155550203"}) == []


async def test_an_answer_without_srtp_on_a_trunk_that_demands_it_fails_the_call(live, trunk, stack, tmp_path):
    tree = Tree(stack.settings.tree)
    async with Sipp(tree, tmp_path / "far", "answers", transport="tls") as far:
        encrypted = await trunk(f"sip:{far.at()}", "tls_srtp", tls_verify=False, codecs=["PCMU"])
        call = await live.call(ANSWERS, trunk_ids=[encrypted])
        ended = await live.ends(call["id"])
    assert (ended["status"], ended["hangup"]["reason"], ended["hangup"]["cause"], ended["hangup"]["by"]) == (
        "failed", "encryption_refused", 58, "system",
    )  # fmt: skip
