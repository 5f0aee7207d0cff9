"""A call that the API places, from POST to its end, on a real Asterisk and a real carrier."""

import asyncio
from datetime import datetime

import aiohttp
import pytest

from tests.stories.client import Api

BEHAVIOUR = {  # number: status, who ended it, cause, SIP code, reason, timeline
    "0001": ("busy", "callee", 17, 486, "user_busy", ["initiated", "ringing", "busy"]),
    "0002": ("no_answer", "system", 19, None, "no_answer", ["initiated", "ringing", "no_answer"]),
    "0003": ("failed", "callee", 1, 404, "unallocated_number", ["initiated", "failed"]),
    "0004": ("failed", "callee", 34, 503, "congestion", ["initiated", "failed"]),
    "0006": ("completed", "callee", 16, None, "normal_clearing", ["initiated", "ringing", "answered", "completed"]),
}


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


@pytest.mark.containers
@pytest.mark.parametrize("number", BEHAVIOUR)
async def test_each_behaviour_of_the_far_end_has_its_status_cause_and_sip_code(api, network, number):
    call = await api.call(f"+1500555{number}", timeout=3)
    assert call["status"] == "initiating"
    ended = await api.ends(call["id"])
    status, by, cause, sip, reason, timeline = BEHAVIOUR[number]
    assert ended["hangup"].pop("message").endswith(f" (SIP {sip})." if sip else ".")
    assert ended["hangup"] == {"by": by, "cause": cause, "sip_code": sip, "reason": reason}
    assert ended["status"] == status
    assert await api.timeline(call["id"]) == timeline
    assert network.arrived == [f"+1500555{number}"]


@pytest.mark.parametrize("number", ["0007", "0008", "0009", "0010"])
async def test_a_far_end_that_answers_is_in_progress_until_the_api_hangs_up(api, number):
    call = await api.call(f"+1500555{number}")
    await api.reaches(call["id"], "in_progress")
    assert (await api.hang_up(call["id"]))["status"] in ("in_progress", "completed")
    ended = await api.ends(call["id"])
    assert ended["status"] == "completed"
    assert ended["hangup"] == {
        "by": "api", "cause": 16, "sip_code": None, "reason": "hangup_requested", "message": "The API hung up.",
    }  # fmt: skip


async def test_a_far_end_that_answers_after_three_seconds_rings_first(api):
    call = await api.call("+15005550005")
    ringing = await api.reaches(call["id"], "ringing")
    assert ringing["answered_at"] is None
    answered = await api.reaches(call["id"], "in_progress")
    assert 2.5 <= at(answered["answered_at"]) - at(answered["ringing_at"]) <= 4.5
    await api.hang_up(call["id"])
    assert (await api.ends(call["id"]))["status"] == "completed"


async def test_a_far_end_presses_its_keys(api, stack):
    login = aiohttp.encode_basic_auth(stack.env["ORBIT_ARI_USER"], stack.env["ORBIT_ARI_PASSWORD"])
    async with (
        aiohttp.ClientSession(stack.env["ORBIT_ARI_URL"] + "/", headers={"Authorization": login}) as node,
        node.ws_connect("events", params={"app": "listener"}) as listener,
    ):
        await node.post("applications/listener/subscription", params={"eventSource": "channel:"})
        call = await api.call("+15005550009")
        keys = []
        async with asyncio.timeout(15):
            while len(keys) < 3:
                message = await listener.receive_json()
                if message["type"] == "ChannelDtmfReceived" and message["channel"]["id"].startswith(call["id"]):
                    keys.append(message["digit"])
    assert keys == ["1", "2", "#"]
    await api.hang_up(call["id"])
    await api.ends(call["id"])


async def test_a_live_key_uses_the_default_trunk_which_is_the_sandbox_here(stack, network):
    async with Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as live:
        call = await live.call("+15005550001")
        assert (await live.ends(call["id"]))["status"] == "busy"
    assert network.arrived == ["+15005550001"]


async def test_any_other_number_answers(api):
    call = await api.call("+14155552671", metadata={"order": "17", "ünï": "🚀"})
    answered = await api.reaches(call["id"], "in_progress")
    assert answered["metadata"] == {"order": "17", "ünï": "🚀"}
    await api.hang_up(call["id"])
    await api.ends(call["id"])


async def test_a_sip_destination_in_the_sandbox_stays_in_the_sandbox(api, network):
    call = await api.call("sip:+15005550001@carrier.example.com:5070;transport=udp")
    assert (await api.ends(call["id"]))["status"] == "busy"
    assert network.arrived == ["+15005550001"]


async def test_a_hangup_before_the_answer_cancels(api, network):
    call = await api.call("+15005550002")
    await api.reaches(call["id"], "ringing")
    await api.hang_up(call["id"])
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"], ended["answered_at"]) == ("cancelled", "api", None)
    await network.quiet()


async def test_a_hangup_at_once_cancels_too(api, network):
    call = await api.call("+15005550002")
    await api.hang_up(call["id"])
    assert (await api.ends(call["id"]))["status"] == "cancelled"


async def test_hanging_up_twice_and_after_the_end_is_no_error(api):
    call = await api.call("+15005550007")
    await api.reaches(call["id"], "in_progress")
    await asyncio.gather(*(api.hang_up(call["id"]) for _ in range(5)))
    ended = await api.ends(call["id"])
    assert await api.hang_up(call["id"]) == ended
    assert (await api.timeline(call["id"])).count("completed") == 1


async def test_the_longest_duration_counts_from_the_answer(api):
    call = await api.call("+15005550005", max_duration=2)
    ended = await api.ends(call["id"])
    assert ended["hangup"]["reason"] == "max_duration"
    assert ended["hangup"]["by"] == "system"
    assert abs(at(ended["ended_at"]) - at(ended["answered_at"]) - 2) <= 1
    assert ended["duration_seconds"] == 2


async def test_the_caller_id_is_on_the_wire(api, network):
    call = await api.call("+15005550007")
    await api.reaches(call["id"], "in_progress")
    assert [c["caller"]["number"] for c in await network.channels()] == ["+12025551234"]
    await api.hang_up(call["id"])
    await api.ends(call["id"])


async def test_fifty_calls_at_once_each_have_their_own_end(api, network):
    numbers = [f"+1500555000{n}" for n in (1, 3, 4, 1, 3)] * 10
    calls = await asyncio.gather(*(api.call(n) for n in numbers))
    ended = await asyncio.gather(*(api.ends(c["id"], seconds=30) for c in calls))
    expected = {"1": "busy", "3": "failed", "4": "failed"}
    assert [e["status"] for e in ended] == [expected[n[-1]] for n in numbers]
    assert sorted(network.arrived) == sorted(numbers)
