"""Where the calls to a number go, with the service and without it."""

import asyncio

import pytest

from tests.stories.client import until
from tests.stories.farends.callers import BEGINS
from tests.stories.menus import option
from tests.stories.sound import likeness

SPEECH, BUSY = "+15005550007", "+15005550001"
HOLD, REJECT = {"type": "hold"}, {"type": "reject"}
UNKNOWN = "+12025569999"


@pytest.fixture
async def routed(menus):
    """A number of each route."""
    menu = await menus.flow(option("#", "hangup"), greeting="Hello.")
    sip = f"sip:{SPEECH}@{menus.far.host}:{menus.far.sip_port}"
    routes = {
        "hold": HOLD,
        "ivr": {"type": "ivr", "target": menu},
        "number": {"type": "number", "target": SPEECH},
        "busy": {"type": "number", "target": BUSY},
        "sip": {"type": "sip", "target": sip},
        "reject": REJECT,
        "none": None,
    }
    return {name: await menus.number(route) for name, route in routes.items()}


async def speech_comes(caller, speech):
    await caller.answered()

    async def spoken():
        return likeness(caller.heard(), speech) > 0.8

    await until(spoken, 20, pause=0.3)
    await caller.hangs_up()


async def all_but_hold(menus, routed, speech):
    """Calls each number, sees that what it says comes to pass, and returns the callers."""
    names = [name for name in routed if name != "hold"]
    callers = {name: await menus.calls(routed[name], *([(BEGINS, "#")] if name == "ivr" else [])) for name in names}
    async with asyncio.TaskGroup() as talks:
        for name in ("number", "sip"):
            talks.create_task(speech_comes(callers[name], speech))
    assert await callers["ivr"].gone() == (16, None)
    assert await callers["busy"].gone() == (17, 486)
    assert (await callers["reject"].gone())[1] == 603
    assert (await callers["none"].gone())[1] == 404
    return callers


async def are_on_record(menus, callers):
    """Every call is there, as it went."""
    calls = {name: await menus.ended(caller) for name, caller in callers.items()}
    assert {name: call["status"] for name, call in calls.items()} == {
        "ivr": "completed", "number": "completed", "sip": "completed",
        "busy": "busy", "reject": "failed", "none": "failed",
    }  # fmt: skip
    assert {name: calls[name]["hangup"]["by"] for name in ("ivr", "number", "sip")} == {
        "ivr": "system", "number": "caller", "sip": "caller",
    }  # fmt: skip
    assert calls["busy"]["hangup"]["cause"] == 17
    assert calls["reject"]["answered_at"] is calls["none"]["answered_at"] is None


async def test_every_route_leads_where_it_says(menus, routed, speech):
    await are_on_record(menus, await all_but_hold(menus, routed, speech))


async def test_routes_work_without_the_service_and_are_on_record_afterwards(menus, routed, stack, speech):
    await stack.kill("service")
    try:
        callers = await all_but_hold(menus, routed, speech)
    finally:
        await stack.start("service")
    await menus.live.ready()
    await are_on_record(menus, callers)


async def test_held_calls_are_under_control_of_the_api(menus, routed):
    caller = await menus.calls(routed["hold"])
    await caller.hears()
    call = await menus.record(caller)
    await menus.live.reaches(call["id"], "in_progress")
    await menus.live.hang_up(call["id"])
    assert (await menus.ended(caller))["hangup"]["by"] == "api"


async def test_a_number_that_is_nobodys_is_404(menus):
    caller = await menus.calls(UNKNOWN)
    assert await caller.gone() == (1, 404)
    assert await menus.live.get("/voice/calls", params={"from": caller.number}) == []


async def test_another_route_is_that_of_the_next_call(menus, routed):
    number = routed["reject"]
    assert (await (await menus.calls(number)).gone())[1] == 603
    await menus.routed(number, HOLD)
    held = await menus.calls(number)
    await held.answered()
    await menus.routed(number, None)
    assert (await (await menus.calls(number)).gone())[1] == 404
    call = await menus.record(held)
    assert (await menus.live.reaches(call["id"], "in_progress"))["status"] == "in_progress"
    await held.hangs_up()
    await menus.ended(held)


async def test_a_number_that_is_given_back_is_nobodys(menus):
    number = await menus.number(HOLD)
    held = await menus.calls(number)
    await held.answered()
    await held.hangs_up()
    await menus.ended(held)
    status, _, _ = await menus.live.ask("DELETE", f"/v1/numbers/{await menus.id_of(number)}")
    assert status == 204
    assert (await (await menus.calls(number)).gone())[1] == 404


@pytest.mark.parametrize(
    "route",
    [
        {"type": "agent", "target": "agt_x"},
        {"type": "voicemail", "target": "vmail_x"},
        {"type": "conference"},
        {"type": "ivr", "target": "ivr_nobody"},
        {"type": "ivr"},
        {"type": "number", "target": "12"},
        {"type": "sip", "target": "sip:a@b&Local/x"},
        {"type": "sip", "target": "sip:${SHELL(id)}@127.0.0.1"},
        {"type": "nowhere"},
    ],
)
async def test_a_route_to_nothing_is_refused(menus, route):
    status, _, body = await menus.live.ask("POST", "/v1/numbers", json={"number": UNKNOWN, "route": route})
    assert status == 422, body
    assert body["error"]["details"]["field"].startswith("route"), body
