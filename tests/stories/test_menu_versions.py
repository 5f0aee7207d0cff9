"""Flows change, and go away, while they are in use; and people whom we call are led into one."""

from tests.stories.client import until
from tests.stories.farends.callers import BEGINS
from tests.stories.menus import IVR, option, pressed

OLD, NEW, STREET = "This is the old menu, as it was.", "A new one has come.", "Our street is Main Street."
PRESSES = "+15005550009"  # answers, and presses 1, 2 and # after a second


async def test_a_caller_inside_keeps_the_version_that_they_entered(menus, says):
    flow = await menus.flow(option("1", "say", STREET), option("9", "hangup"), greeting=OLD, timeout_seconds=30)
    number = await menus.leading_to(flow)
    inside = await menus.calls(number)
    await inside.quiet()
    before = (await menus.live.get(f"/voice/ivr/{flow}"))["version"]
    await menus.change(flow, greeting=NEW, menu={"options": [option("9", "repeat"), option("0", "hangup")]})
    assert (await menus.live.get(f"/voice/ivr/{flow}"))["version"] == before + 1
    outside = await menus.calls(number, (BEGINS, "9"), (1.2, "0"))
    await inside.presses("1")
    await inside.quiet()
    await inside.presses("9")
    assert await inside.gone() == await outside.gone() == (16, None)
    for caller, steps in ((inside, [("1", "say"), ("9", "hangup")]), (outside, [("9", "repeat"), ("0", "hangup")])):
        call = await menus.ended(caller)
        assert pressed(await menus.steps(call["id"])) == steps
    old, new = inside.heard(), outside.heard()
    assert [await says.times(old, text) for text in (OLD, STREET, NEW)] == [2, 1, 0]
    assert [await says.times(new, text) for text in (OLD, NEW)] == [0, 1]  # and a syllable of the first one


async def test_callers_have_the_old_version_while_the_new_one_is_not_ready(menus, says):
    flow = await menus.flow(option("9", "hangup"), greeting=OLD)
    number = await menus.leading_to(flow)
    words = " ".join(f"Sentence number {place} of a long greeting takes its time to be spoken." for place in range(3))
    status, _, body = await menus.live.ask("PUT", f"{IVR}/{flow}", json={"greeting": words})
    assert (status, body["data"]["status"]) == (200, "preparing")
    caller = await menus.calls(number, (BEGINS, ""), (0.9, "9"))
    assert await caller.gone() == (16, None)
    await menus.ended(caller)
    assert await says.times(caller.heard(), OLD) == 1
    await menus.active(flow)
    assert (await menus.live.get(f"/voice/ivr/{flow}"))["version"] == 2


async def test_a_flow_in_use_is_not_deleted(menus):
    flow = await menus.flow(option("9", "hangup"), greeting=OLD)
    number = await menus.leading_to(flow)
    status, _, body = await menus.live.ask("DELETE", f"{IVR}/{flow}")
    assert (status, body["error"]["code"]) == (409, "IN_USE")
    assert number in str(body["error"])
    await menus.routed(number, {"type": "hold"})
    status, _, _ = await menus.live.ask("DELETE", f"{IVR}/{flow}")
    assert status == 204
    assert (await menus.live.ask("GET", f"{IVR}/{flow}"))[0] == 404


async def test_a_flow_that_another_leads_to_is_not_deleted(menus):
    second = await menus.flow(option("9", "hangup"), greeting=OLD)
    await menus.flow(option("1", "ivr", second), greeting=NEW)
    status, _, body = await menus.live.ask("DELETE", f"{IVR}/{second}")
    assert (status, body["error"]["code"]) == (409, "IN_USE")


async def test_who_is_called_is_led_into_the_flow(menus, api):
    flow = await menus.flow(
        option("1", "repeat"), option("2", "say", STREET), option("#", "hangup"), greeting=OLD, timeout_seconds=10
    )
    call = await api.call(PRESSES, ivr_id=flow)
    ended = await api.ends(call["id"], seconds=30)
    assert (ended["status"], ended["hangup"]["by"]) == ("completed", "system")
    assert pressed(await menus.steps(call["id"])) == [("1", "repeat"), ("2", "say"), ("#", "hangup")]
    assert await menus.outcome(call["id"]) == "hangup"
    rows = [row["type"] for row in await menus.rows(call["id"]) if row["type"] != "call.ringing"]
    assert rows == ["call.initiated", "call.answered", *["ivr.input"] * 3, "ivr.completed", "call.completed"]


async def test_a_call_into_no_flow_is_refused(api):
    body = {"to": PRESSES, "from": "+12025551234", "ivr_id": "ivr_nobody"}
    status, _, answer = await api.ask("POST", "/v1/voice/calls", json=body)
    assert (status, answer["error"]["details"]["field"]) == (422, "ivr_id")


async def test_each_step_is_told_to_webhooks(menus, receiver):
    flow = await menus.flow(option("1", "repeat"), option("9", "hangup"), greeting=OLD)
    number = await menus.number({"type": "ivr", "target": flow}, webhook_url=receiver.url)
    caller = await menus.calls(number, (BEGINS, "1"), (0.8, "9"))
    await caller.gone()
    call = await menus.ended(caller)

    async def told():
        return [r.event for r in receiver.requests if r.event["type"] == "ivr.completed"]

    await until(told)
    await receiver.hears(call["id"], "call.completed")
    events = [received.event for received in receiver.requests]
    assert [event["type"] for event in events] == [
        "call.initiated", "call.answered", "ivr.input", "ivr.input", "ivr.completed", "call.completed"
    ]  # fmt: skip
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5, 6]
