"""Far ends that do not behave like ours."""

import aiohttp
import pytest

from tests.stories.client import until
from tests.stories.uas import FarEnd


@pytest.fixture
async def no_carrier(stack, api):
    """The carrier's place is free for a far end of the test's own."""
    await stack.kill("carrier")
    yield
    await stack.start("carrier")


async def channels(stack):
    login = aiohttp.encode_basic_auth(stack.env["ORBIT_ARI_USER"], stack.env["ORBIT_ARI_PASSWORD"])
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as node,
        node.get(stack.env["ORBIT_ARI_URL"] + "/channels") as answer,
    ):
        return await answer.json()


async def inbound_total(api):
    _, _, body = await api.ask("GET", "/v1/voice/calls", params={"direction": "inbound", "limit": 1})
    return body["meta"]["pagination"]["total"]


async def test_a_bye_without_a_reason_is_a_normal_end(api, stack, no_carrier):
    async with FarEnd(stack, "180 Ringing", "200 OK") as far:
        call = await api.call("+15005550007")
        await api.reaches(call["id"], "in_progress")
        far.bye()
        ended = await api.ends(call["id"])
    assert ended["status"] == "completed"
    hangup = {"by": "callee", "cause": 16, "sip_code": None, "reason": "normal_clearing"}
    assert ended["hangup"] == {**hangup, "message": "The callee hung up."}


async def test_a_redirect_fails_the_call_and_makes_no_other(api, stack, no_carrier):
    before = await inbound_total(api)
    redirect = "Contact: <sip:+12025551234@127.0.0.1>\r\n"
    async with FarEnd(stack, "180 Ringing", "302 Moved Temporarily", rest=redirect):
        call = await api.call("+15005550007")
        ended = await api.ends(call["id"])

        async def nothing_left():
            return not await channels(stack)

        await until(nothing_left)
    assert ended["status"] == "failed"
    assert ended["hangup"]["cause"] == 23 or ended["hangup"]["sip_code"] == 302
    assert await inbound_total(api) == before


@pytest.mark.parametrize(
    "phrase", ["Busy|inf|1795366000.0|x|", "Busy|1795360000.0|1795366000.0|max_duration|||", "${X}"]
)
async def test_a_reason_phrase_is_not_a_row_of_the_ledger(api, stack, no_carrier, phrase):
    async with FarEnd(stack, "180 Ringing") as far:
        call = await api.call("+15005550007")
        await api.reaches(call["id"], "ringing")
        await stack.kill("service")
        far.answer(f"486 {phrase}")

        async def nothing_left():
            return not await channels(stack)

        await until(nothing_left)
        await stack.start("service")
        ended = await api.ends(call["id"])
    assert (ended["status"], ended["answered_at"]) == ("busy", None)
    hangup = {"by": "callee", "cause": 17, "sip_code": 486, "reason": "user_busy"}
    assert ended["hangup"] == {**hangup, "message": "The number is busy (SIP 486)."}


@pytest.mark.parametrize("status", ["603 Decline", "403 Forbidden", "500 Oops", "600 Busy Everywhere", "480 Away"])
async def test_a_refusal_has_its_code(api, stack, no_carrier, status):
    async with FarEnd(stack, status):
        call = await api.call("+15005550007")
        ended = await api.ends(call["id"])
    assert ended["hangup"]["sip_code"] == int(status[:3])
    assert ended["hangup"]["by"] == "callee"
    assert ended["status"] == {"600": "busy", "480": "no_answer"}.get(status[:3], "failed")
