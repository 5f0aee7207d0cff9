"""A call that somebody makes to one of our numbers."""

import asyncio

from tests.stories.client import until


async def newest_inbound(api, caller):
    async def found():
        calls = await api.get("/voice/calls", params={"from": caller, "direction": "inbound"})
        return calls[0] if calls else None

    return await until(found)


async def test_a_caller_is_answered_and_held_and_the_caller_hangs_up(api, network):
    far = await network.dials("+12025551234", caller="+14155550101")
    call = await newest_inbound(api, "+14155550101")
    assert (call["direction"], call["to"], call["from"]) == ("inbound", "+12025551234", "+14155550101")
    await api.reaches(call["id"], "in_progress")
    await network.hangs_up(far)
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"], ended["hangup"]["cause"]) == ("completed", "caller", 16)
    assert await api.timeline(call["id"]) == ["initiated", "answered", "completed"]


async def test_the_api_hangs_up_on_a_caller(api, network):
    await network.dials("+18005551234", caller="+14155550102")
    call = await newest_inbound(api, "+14155550102")
    await api.reaches(call["id"], "in_progress")
    await api.hang_up(call["id"])
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"]) == ("completed", "api")
    await network.quiet()


async def test_a_number_without_its_plus_is_found(api, network):
    far = await network.dials("12025551234", caller="+14155550103")
    call = await newest_inbound(api, "+14155550103")
    assert call["to"] == "+12025551234"
    await network.hangs_up(far)
    await api.ends(call["id"])


async def test_a_number_that_is_nobodys_is_turned_away(api, network):
    await network.dials("+12025559999", caller="+14155550104")
    await network.quiet()
    assert network.ended == [(1, 404)]  # what the caller's own side saw
    assert await api.get("/voice/calls", params={"from": "+14155550104"}) == []


async def test_a_hostile_caller_id_is_data(api, network):
    caller = "a'b|c;d`e$(f)"
    far = await network.dials("+12025551234", caller=f'"x;y|${{SHELL(id)}}" <{caller}>')
    alive = {"direction": "inbound", "status": "in_progress"}
    [call] = await until(lambda: api.get("/voice/calls", params=alive))
    assert "uid=" not in call["from"]
    await network.hangs_up(far)
    await api.ends(call["id"])


async def test_twenty_callers_at_once(api, network):
    callers = [f"+141555508{n:02}" for n in range(20)]  # nobody else's
    await asyncio.gather(*(network.dials("+12025551234", caller=c) for c in callers))
    calls = await asyncio.gather(*(newest_inbound(api, c) for c in callers))
    assert len({c["id"] for c in calls}) == 20
    await asyncio.gather(*(api.reaches(c["id"], "in_progress") for c in calls))
    await network.everybody_hangs_up()
    assert {c["status"] for c in await asyncio.gather(*(api.ends(c["id"]) for c in calls))} == {"completed"}
