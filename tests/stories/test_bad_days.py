"""Parts that die, freeze and come back while calls go on."""

import asyncio
import time

import aiohttp
import pytest

from service.asterisk.decode import TYPES
from tests.stories.client import until


@pytest.fixture(autouse=True)
async def whole(stack, api):
    """Leaves the stack as it found it."""
    yield
    for name in ("redis", "asterisk", "carrier", "service"):
        try:
            stack.resume(name)
        except Exception:
            await stack.start(name)
    await api.ready()


@pytest.mark.containers
async def test_the_service_dies_while_it_rings_and_the_callee_answers(api, stack, network):
    call = await api.call("+15005550005", record=True)
    await api.reaches(call["id"], "ringing")
    await stack.kill("service")

    async def up():
        return [c for c in await network.channels() if c["state"] == "Up"]

    await until(up)
    await asyncio.sleep(1.5)  # the call goes on with nobody there
    assert await up()
    await stack.start("service")
    await api.reaches(call["id"], "in_progress")
    rows = {r["type"]: r for r in await api.get(f"/voice/calls/{call['id']}/events")}
    assert rows["call.answered"]["recovered"] is True
    await api.hang_up(call["id"])
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"]) == ("completed", "api")
    assert ended["duration_seconds"] >= 1
    assert await api.recording(call["id"])


async def test_the_service_dies_in_progress_and_the_call_ends_meanwhile(api, stack, network):
    call = await api.call("+15005550006", record=True)
    await api.reaches(call["id"], "in_progress")
    await stack.kill("service")
    await network.quiet()
    await stack.start("service")
    ended = await api.ends(call["id"])
    assert ended["status"] == "completed"
    hangup = {"by": "callee", "cause": 16, "sip_code": None, "reason": "normal_clearing"}
    assert ended["hangup"] == {**hangup, "message": "The callee hung up."}
    assert ended["duration_seconds"] == 2
    assert await api.recording(call["id"])
    timeline = ["initiated", "ringing", "answered", "completed", "recording.ready"]
    assert await api.timeline(call["id"]) == timeline


async def test_the_service_dies_while_it_rings_and_nobody_answers(api, stack, network):
    call = await api.call("+15005550002", timeout=2)
    await api.reaches(call["id"], "ringing")
    await stack.kill("service")
    await network.quiet()
    await stack.start("service")
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["cause"]) == ("no_answer", 19)


async def test_the_time_limit_holds_while_the_service_is_down_even_at_the_answer(api, stack, network):
    call = await api.call("+15005550005", max_duration=2)
    await api.reaches(call["id"], "ringing")
    await stack.kill("service")
    await network.quiet()
    await stack.start("service")
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["duration_seconds"]) == ("completed", 2)
    assert ended["hangup"]["reason"] == "max_duration"


async def test_webhooks_of_what_was_missed_come_once_and_in_order(api, stack, network, receiver):
    call = await api.call("+15005550006", webhook_url=receiver.url)
    await api.reaches(call["id"], "in_progress")
    await stack.kill("service")
    await network.quiet()
    await stack.start("service")
    heard = await receiver.hears(call["id"], "call.completed")
    assert list(dict.fromkeys(r.event["sequence"] for r in heard)) == [1, 2, 3, 4]
    assert len([r for r in heard if r.event["type"] == "call.completed"]) == 1


async def test_a_caller_hears_an_apology_while_the_service_is_down_and_is_on_record(api, stack, network):
    await stack.kill("service")
    await network.dials("+12025551234", caller="+14155550333")
    await network.quiet()
    await stack.start("service")
    [call] = await until(lambda: api.get("/voice/calls", params={"from": "+14155550333"}))
    assert (call["status"], call["hangup"]["reason"]) == ("failed", "no_controller")
    assert (call["hangup"]["by"], call["hangup"]["cause"]) == ("system", 41)


async def test_redis_away_is_a_503_at_once_and_live_calls_go_on(api, stack, network):
    call = await api.call("+15005550007")
    await api.reaches(call["id"], "in_progress")
    await stack.kill("redis")
    started = time.monotonic()
    status, _, body = await api.ask("GET", "/v1/voice/calls")
    assert (status, body["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    assert time.monotonic() - started < 1
    assert (await api.ask("GET", "/readyz"))[0] == 503
    assert (await api.ask("GET", "/healthz"))[0] == 200
    assert [c["state"] for c in await network.channels()] == ["Up"]
    await stack.start("redis")
    await api.ready()
    assert (await api.get(f"/voice/calls/{call['id']}"))["status"] == "in_progress"
    await api.hang_up(call["id"])
    assert (await api.ends(call["id"]))["status"] == "completed"


async def test_a_frozen_redis_is_a_503_within_a_second(api, stack):
    stack.pause("redis")
    started = time.monotonic()
    status, _, body = await api.ask("GET", "/v1/voice/calls")
    took = time.monotonic() - started
    stack.resume("redis")
    assert (status, body["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    assert took < 1
    await api.ready()


async def test_a_call_that_ends_while_redis_is_away_is_told_when_it_is_back(api, stack, network, receiver):
    call = await api.call("+15005550006", webhook_url=receiver.url)
    await api.reaches(call["id"], "in_progress")
    await stack.kill("redis")
    await network.quiet()
    await stack.start("redis")
    await api.ready()
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["duration_seconds"]) == ("completed", 2)
    await receiver.hears(call["id"], "call.completed")


async def test_asterisk_away_is_a_503_and_its_calls_are_told_lost(api, stack):
    call = await api.call("+15005550007")
    await api.reaches(call["id"], "in_progress")
    await stack.kill("asterisk")
    await api.ready(False)
    status, _, body = await api.ask("POST", "/v1/voice/calls", json={"to": "+15005550007", "from": "+12025551234"})
    assert (status, body["error"]["code"]) == (503, "ASTERISK_UNAVAILABLE")
    await stack.start("asterisk")
    await api.ready()
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["reason"], ended["hangup"]["by"]) == ("failed", "node_lost", "system")
    again = await api.call("+15005550001")
    assert (await api.ends(again["id"]))["status"] == "busy"


def lost_silent(metrics):
    lines = [line for line in metrics.splitlines() if "orbit_node_lost_total" in line and 'reason="silent"' in line]
    return sum(float(line.split()[-1]) for line in lines)


async def test_a_frozen_event_stream_is_noticed_and_nothing_is_lost(api, stack, network):
    ends_meanwhile = await api.call("+15005550006")
    stays = await api.call("+15005550007")
    await api.reaches(ends_meanwhile["id"], "in_progress")
    await api.reaches(stays["id"], "in_progress")

    async def lost():
        return lost_silent((await api.ask("GET", "/metrics"))[2].decode())

    before = await lost()
    stack.pause("asterisk")
    await api.ready(False, seconds=3)  # a pulse was not answered: no new calls go there

    async def noticed():
        return await lost() == before + 1

    await until(noticed, 6)
    stack.resume("asterisk")
    await api.ready()
    assert (await api.ends(ends_meanwhile["id"]))["status"] == "completed"
    assert (await api.get(f"/voice/calls/{stays['id']}"))["status"] == "in_progress"
    await api.hang_up(stays["id"])
    assert (await api.ends(stays["id"]))["status"] == "completed"


async def test_the_carrier_away_fails_a_call_by_its_time_out(api, stack):
    await stack.kill("carrier")
    call = await api.call("+15005550007", timeout=2)
    ended = await api.ends(call["id"])
    assert ended["status"] in ("no_answer", "failed")
    await stack.start("carrier")


async def test_an_event_stream_taken_by_another_is_won_back_and_nothing_is_lost(api, stack, network):
    """One socket owns an application's name: a second one takes the events away without a word."""
    call = await api.call("+15005550006")
    await api.reaches(call["id"], "in_progress")
    login = aiohttp.encode_basic_auth(stack.env["ORBIT_ARI_USER"], stack.env["ORBIT_ARI_PASSWORD"])
    async with aiohttp.ClientSession(stack.env["ORBIT_ARI_URL"] + "/", headers={"Authorization": login}) as thief:
        async with thief.get("applications") as answer:  # those of processes that are gone hear of no channel any more
            [ours] = [a for a in await answer.json() if a["channel_ids"]]
        assert {each["type"] for each in ours["events_allowed"]} == set(TYPES)  # nothing else is sent to us
        socket = await thief.ws_connect("events", params={"app": ours["name"]})
        await network.quiet()
        await socket.close()
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["duration_seconds"]) == ("completed", 2)
    await api.ready()
    again = await api.call("+15005550001")
    assert (await api.ends(again["id"]))["status"] == "busy"


async def test_a_caller_hears_an_apology_while_redis_is_away_and_is_on_record(api, stack, network):
    await stack.kill("redis")
    await network.dials("+12025551234", caller="+14155550334")
    await network.quiet()
    await stack.start("redis")
    await api.ready()
    [call] = await until(lambda: api.get("/voice/calls", params={"from": "+14155550334"}), seconds=40)
    assert (call["status"], call["hangup"]["reason"]) == ("failed", "no_controller")


async def test_asterisk_told_to_stop_ends_its_calls_and_they_are_told_so(api, stack):
    call = await api.call("+15005550007")
    await api.reaches(call["id"], "in_progress")
    await stack.stop("asterisk")
    await stack.start("asterisk")
    await api.ready()
    ended = await api.ends(call["id"], seconds=40)
    assert ended["status"] in ("completed", "failed")  # told in time, or found lost with its node
    assert await api.timeline(call["id"]) == ["initiated", "answered", ended["status"]]
