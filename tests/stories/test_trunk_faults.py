"""Trunks that do not work, each in a way of its own: what the call says of it, to programs and to people."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.farends.scripted import RESET, Scripted
from tests.stories.receiver import Receiver

OURS = "+12025551234"
SPEAKS = "+15005550007"
SECRET = "pass-word-of-a-carrier-and-nobody-elses"
LOGIN = {"auth_username": "acme", "auth_password": SECRET}
CHALLENGED = ["100 Trying", "401 Unauthorized"]


class Fault(NamedTuple):
    """What a far end does to an INVITE, and what becomes of the call: status, cause, reason, SIP code, and words of the
    sentence. `fields` are the trunk's."""

    replies: list[str]
    ended: tuple[str, int, str, int | None]
    says: str
    fields: Mapping[str, Any] = MappingProxyType({})
    transport: str = "udp"


UNFIT = ("failed", 58, "incompatible_destination", 488)
DENIED = ("failed", 21, "trunk_auth_rejected", 401)
LOST = ("failed", 34, "connection_lost", None)
SECURE = {"encryption": "tls_srtp"}

FAULTS = {
    # the far end refuses
    "500": Fault(["500 Oops"], ("failed", 38, "network_out_of_order", 500), "an error of its own"),
    "502": Fault(["502 Bad Gateway"], ("failed", 27, "destination_out_of_order", 502), "the network behind it"),
    "503": Fault(["100 Trying", "503 Service Unavailable"], ("failed", 34, "congestion", 503), "congested"),
    "504": Fault(["504 Server Time-out"], ("failed", 102, "timer_expired", 504), "waiting for another network"),
    "408": Fault(["408 Request Timeout"], ("no_answer", 18, "no_user_response", 408), "no response from the number"),
    "404": Fault(["404 Not Found"], ("failed", 1, "unallocated_number", 404), "not in use"),
    "486": Fault(["180 Ringing", "486 Busy Here"], ("busy", 17, "user_busy", 486), "busy"),
    "603": Fault(["603 Decline"], ("failed", 21, "call_rejected", 603), "declined"),
    # passwords
    "403": Fault(["403 Forbidden"], ("failed", 21, "call_rejected", 403), "not allowed"),
    "401, none given": Fault(CHALLENGED, DENIED, "user name or password"),
    "401 for ever": Fault(CHALLENGED, DENIED, "user name or password", LOGIN),
    "407 for ever": Fault(["407 Who"], ("failed", 21, "trunk_auth_rejected", 407), "user name or password", LOGIN),
    # media
    "488": Fault(["488 Not Acceptable Here"], UNFIT, "codecs, or not its encryption"),
    "no SRTP": Fault(["488 Not Acceptable Here"], UNFIT, "codecs, or not its encryption", SECURE, "tls"),
    "plain answer": Fault(
        ["180 Ringing", "200 OK"], ("failed", 58, "encryption_refused", None), "without the encryption", SECURE, "tls"
    ),
    "other codec": Fault(["200 OK"], ("failed", 58, "incompatible_destination", None), "codecs", {"codecs": ["G722"]}),
    # connections
    "RST before 100": Fault([RESET], ("failed", 34, "trunk_unreachable", None), "cannot be reached", {}, "tcp"),
    "RST after 100": Fault(["100 Trying", RESET], LOST, "broke", {}, "tcp"),
    "RST after 180": Fault(["180 Ringing", RESET], LOST, "broke", {}, "tcp"),
    "RST under TLS": Fault(["180 Ringing", RESET], LOST, "broke", SECURE, "tls"),
}


@pytest.fixture(scope="module")
async def told():
    """Takes the webhooks of all calls."""
    async with Receiver() as server:
        yield server


@pytest.fixture
def call(live, told):
    """Places a call by a trunk; returns it once it has ended."""

    async def ended(trunk_id, number=SPEAKS, **more):
        placed = await live.call(number, trunk_id=trunk_id, webhook_url=told.url, **more)
        return await live.ends(placed["id"], seconds=40)

    return ended


def shows(ended, expected, words):
    hangup = ended["hangup"]
    assert (ended["status"], hangup["cause"], hangup["reason"], hangup["sip_code"]) == expected, hangup
    assert words in hangup["message"], hangup
    assert hangup["message"].endswith(f"(SIP {expected[3]})." if expected[3] else ".")


@pytest.mark.parametrize("name", FAULTS)
async def test_a_call_says_what_was_wrong(call, trunks, authority, name):
    fault, host = FAULTS[name], loopback.address()
    own = {"transport": fault.transport, "certificate": authority.good(host), "host": host}
    async with Scripted(*fault.replies, **own) as far:
        shows(await call(await trunks.make(far.at(), **fault.fields)), fault.ended, fault.says)
        assert far.invites


async def test_a_password_that_is_refused_at_last_is_no_loop(call, trunks):
    """The carrier asks for it once, and then it is wrong."""
    async with Scripted(each=lambda n: ["403 Forbidden"] if n else CHALLENGED) as far:
        ended = await call(await trunks.make(far.at(), **LOGIN))
        shows(ended, ("failed", 21, "call_rejected", 403), "user name or password")
        assert len(far.invites) == 2


async def test_a_wrong_password_at_a_carrier(call, trunks, tree, tmp_path):
    async with FarAsterisk(tree, tmp_path, login=("acme", "another")) as far:
        ended = await call(await trunks.make(far.at(), **LOGIN))
        shows(ended, ("failed", 21, "trunk_auth_rejected", 401), "user name or password")
        assert far.network.arrived == []


async def test_a_loop_of_challenges_ends(call, trunks):
    async with Scripted(*CHALLENGED) as far:
        ended = await call(await trunks.make(far.at(), **LOGIN))
        shows(ended, ("failed", 21, "trunk_auth_rejected", 401), "password")
        assert 2 <= len(far.invites) <= 12


@pytest.mark.parametrize("kind", ["good", "unknown", "wrong_name", "expired"])
async def test_a_carrier_must_show_a_good_certificate(call, trunks, authority, kind):
    host = loopback.address()
    certificate = getattr(authority, kind)(*([] if kind == "wrong_name" else [host]))
    async with Scripted("486 Busy Here", transport="tls", certificate=certificate, host=host) as far:
        ended = await call(await trunks.make(far.at(), encryption="tls"))
        if kind == "good":
            assert ended["status"] == "busy"
        else:
            shows(ended, ("failed", 34, "trunk_unreachable", None), "TLS")
            assert far.messages() == []
        trusting = await trunks.make(far.at(), encryption="tls", tls_verify=False)
        assert (await call(trusting))["status"] == "busy"


@pytest.mark.parametrize("at", ["{host}:{port};transport=tcp", "carrier.test;transport=udp", "carrier.test:5061"])
async def test_nobody_is_there(call, trunks, at):
    """Nothing listens, or there is no such name."""
    host = loopback.address()
    at = at.format(host=host, port=loopback.port(host))
    encryption = "tls" if at.endswith("5061") else "none"
    ended = await call(await trunks.make(at, encryption=encryption))
    shows(ended, ("failed", 34, "trunk_unreachable", None), "cannot be reached")


async def test_silence(call, trunks):
    """Until SIP's own timer ends it; after a 100, until the call's."""
    async with Scripted() as udp, Scripted(transport="tcp") as tcp, Scripted("100 Trying") as trying:
        made = [await trunks.make(far.at()) for far in (udp, tcp, trying)]
        *unheard, heard = await asyncio.gather(call(made[0]), call(made[1]), call(made[2], timeout=3))
        for ended in unheard:
            shows(ended, ("failed", 18, "no_response", None), "did not respond")
        shows(heard, ("no_answer", 19, "no_answer", None), "Nobody answered in time")


async def test_a_connection_that_breaks_under_a_call_leaves_it_up(live, trunks):
    """RTP has its own way, and a BYE takes a new connection."""
    async with Scripted("180 Ringing", "200 OK", transport="tcp") as far:
        call = await live.call(SPEAKS, trunk_id=await trunks.make(far.at()))
        await live.reaches(call["id"], "in_progress")
        far.resets()
        await live.hang_up(call["id"])
        ended = await live.ends(call["id"])
        assert (ended["status"], ended["hangup"]["by"]) == ("completed", "api")
        await until(partial(requests, far, "BYE"))


async def requests(far, method):
    return [message for message in far.messages(method) if message.status is None]


async def test_a_redirect_goes_nowhere(call, trunks):
    async with Scripted("486 Busy Here") as other, Scripted("302 Moved", elsewhere=other.at()) as far:
        ended = await call(await trunks.make(far.at()))
        hangup = ended["hangup"]
        assert (ended["status"], hangup["cause"], hangup["reason"]) == ("failed", 23, "redirected")
        assert "redirects are not followed" in hangup["message"]
        assert other.invites == []


@pytest.fixture(scope="module")
async def carrier(tree, authority, tmp_path_factory):
    """One without SRTP."""
    folder = tmp_path_factory.mktemp("carrier")
    async with FarAsterisk(tree, folder, encryption="tls", authority=authority) as far:
        yield far


@pytest.mark.parametrize(
    ("encryption", "way", "code"),
    [("tls", "udp", 403), ("tls", "tcp", 403), ("tls_srtp", "udp", 488), ("tls_srtp", "tls", 488)],
)
async def test_what_comes_in_less_encrypted_is_refused(live, trunks, carrier, stack, encryption, way, code):
    await trunks.make(carrier.at(), encryption=encryption, origination_uris=[carrier.host])
    caller = f"+1415558{code}{len(way)}"
    port = stack.env["ORBIT_SIP_TLS" if way == "tls" else "ORBIT_SIP_UDP"]
    carrier.network.ended.clear()
    await carrier.dials(OURS, f"127.0.0.1:{port};transport={way}", caller)
    await carrier.network.quiet()
    assert [sip for _, sip in carrier.network.ended] == [code]
    assert await live.get("/voice/calls", params={"from": caller}) == []


async def test_a_password_of_all_these_is_told_to_nobody(live, told, stack):
    """Neither to a log, nor by the API, nor in a webhook."""
    said = [await live.ask("GET", path) for path in ("/v1/voice/sip-trunks?limit=100", "/metrics")]
    calls = await live.get("/voice/calls?limit=100")
    said += [calls, *await asyncio.gather(*(live.get(f"/voice/calls/{call['id']}/events") for call in calls))]
    assert SECRET not in repr(said)
    assert told.requests
    assert not [each for each in told.requests if SECRET.encode() in each.body]
    assert [file for file in logs(Path(stack.env["ORBIT_HOME"])) if SECRET.encode() in file.read_bytes()] == []


def logs(home):
    """What anybody wrote for people."""
    found = [file for file in home.rglob("*") if file.is_file() and "log" in file.relative_to(home).parts[:-1]]
    assert {"service.log", "messages.log"} <= {file.name for file in found}
    return found
