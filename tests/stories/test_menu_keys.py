"""Callers press keys in menus, in the three ways that telephones have, and get what the keys say."""

import asyncio

import pytest

from tests.stories.client import until
from tests.stories.farends.callers import BEGINS, ENDS, KINDS
from tests.stories.menus import option, pressed
from tests.stories.sound import likeness
from tests.stories.tones import seconds_of

SPEECH, BUSY, SILENT = "+15005550007", "+15005550001", "+15005550002"
GREETING = "Welcome to the Orbit menu, which has quite a long greeting. Please listen to all of it before you choose."
STREET = "Our street is Main Street."
SUB = "This is the second floor."
WRONG = "There is no such key."
EACH = "This menu has all keys."


@pytest.fixture(scope="module")
async def main(menus):
    """A number whose menu has every action; its fallback hangs up."""
    second = await menus.flow(option("9", "hangup"), greeting=SUB)
    sip = f"sip:{SPEECH}@{menus.far.host}:{menus.far.sip_port}"
    flow = await menus.flow(
        option("1", "transfer_number", SPEECH),
        option("2", "transfer_sip", sip),
        option("3", "ivr", second),
        option("4", "say", STREET),
        option("5", "repeat"),
        option("*", "hangup"),
        option("#", "transfer_number", BUSY),
        greeting=GREETING,
        invalid_prompt=WRONG,
    )
    return await menus.leading_to(flow)


async def steps(menus, caller):
    """Input and action of each step, once the call is over."""
    call = await menus.ended(caller)
    found = await menus.steps(call["id"])
    assert all(step["took_ms"] >= 0 for step in found)
    assert {step["by"] for step in found} <= {"key", None}
    return pressed(found), await menus.outcome(call["id"])


async def hears(caller, speech):
    """Returns once somebody who was put through hears the callee."""

    async def spoken():
        """the callee, heard by the caller"""
        return likeness(caller.heard(), speech) > 0.8

    await until(spoken, 20, pause=0.3)


async def put_through(menus, main, speech, dtmf, key):
    caller = await menus.calls(main, (BEGINS, key), dtmf=dtmf)
    await hears(caller, speech)
    await caller.hangs_up()
    action = {"1": "transfer_number", "2": "transfer_sip"}[key]
    assert await steps(menus, caller) == ([(key, action)], "transferred")
    assert (await menus.ended(caller))["hangup"]["by"] == "caller"


async def second_floor(menus, main, says, dtmf):
    caller = await menus.calls(main, (BEGINS, "3"), (0.8, "9"), dtmf=dtmf)
    assert await caller.gone() == (16, None)
    assert await steps(menus, caller) == ([("3", "ivr"), ("9", "hangup")], "hangup")
    assert await says.times(caller.heard(), SUB, 0.3) == 1


async def street(menus, main, says, dtmf):
    caller = await menus.calls(main, (BEGINS, "4"), (3.5, "*"), dtmf=dtmf)
    assert await caller.gone() == (16, None)
    assert await steps(menus, caller) == ([("4", "say"), ("*", "hangup")], "hangup")
    heard = caller.heard()
    assert (await says.times(heard, STREET), await says.times(heard, GREETING)) == (1, 1)


async def again(menus, main, says, dtmf):
    caller = await menus.calls(main, (BEGINS, "5"), (1.2, "5"), (1.2, "*"), dtmf=dtmf)
    assert await caller.gone() == (16, None)
    assert await steps(menus, caller) == ([("5", "repeat"), ("5", "repeat"), ("*", "hangup")], "hangup")
    assert await says.times(caller.heard(), GREETING) == 2  # and a syllable of the first one


async def busy(menus, main, says, dtmf):
    caller = await menus.calls(main, (BEGINS, "#"), dtmf=dtmf)
    assert await caller.gone() == (16, None)
    found, outcome = await steps(menus, caller)
    assert found[0] == ("#", "transfer_number")
    assert found[1][1] == "hangup"
    assert (len(found), outcome) == (2, "hangup")


async def wrong_key(menus, main, says, dtmf):
    caller = await menus.calls(main, (BEGINS, "0"), (2.5, "7"), dtmf=dtmf)
    assert await caller.gone() == (16, None)
    found, outcome = await steps(menus, caller)
    assert [step[0] for step in found] == ["0", "7"] or [step[0] for step in found] == ["0", "7", "7"], found
    assert outcome == "hangup"
    assert await says.times(caller.heard(), WRONG) == 1


async def ahead(menus, main, says, dtmf):
    """Two keys at once, the second for the menu that the first leads to."""
    caller = await menus.calls(main, (BEGINS, "39"), dtmf=dtmf)
    assert await caller.gone() == (16, None)
    assert await steps(menus, caller) == ([("3", "ivr"), ("9", "hangup")], "hangup")


@pytest.mark.parametrize("dtmf", KINDS)
async def test_every_action_is_reached(menus, main, says, speech, dtmf):
    async with asyncio.TaskGroup() as callers:
        for key in "1112":
            callers.create_task(put_through(menus, main, speech, dtmf, key))
        for what in (second_floor, street, again, busy, wrong_key, ahead):
            callers.create_task(what(menus, main, says, dtmf))


async def test_every_key_is_known(menus):
    keys = "1234567890*"
    flow = await menus.flow(*(option(key, "repeat") for key in keys), option("#", "hangup"), greeting=EACH)
    number = await menus.leading_to(flow)

    async def all_keys(dtmf):
        caller = await menus.calls(number, (BEGINS, ""), *((0.3, key) for key in keys + "#"), dtmf=dtmf)
        assert await caller.gone() == (16, None)
        assert await steps(menus, caller) == ([*((key, "repeat") for key in keys), ("#", "hangup")], "hangup")

    await asyncio.gather(*map(all_keys, KINDS))


async def test_a_key_cuts_the_greeting_short(menus, main, says):
    whole = len(await says.sound(GREETING)) / 8000
    caller = await menus.calls(main, (BEGINS, "*"))
    await caller.gone()
    assert caller.answered_at
    assert caller.keys
    await menus.ended(caller)
    assert len(caller.heard()) / 8000 < whole - 2


async def says_nothing(menus, says, speech):
    flow = await menus.flow(
        option("1", "hangup"), greeting=EACH, timeout_seconds=1, max_retries=1,
        fallback_action="transfer_number", fallback_target=SPEECH,
    )  # fmt: skip
    caller = await menus.calls(await menus.leading_to(flow))
    await hears(caller, speech)
    await caller.hangs_up()
    assert await steps(menus, caller) == ([("timeout", "replay"), ("timeout", "transfer_number")], "transferred")
    assert await says.times(caller.heard(), EACH) == 2


async def presses_late(menus, main):
    caller = await menus.calls(main, (ENDS, "*"))
    await caller.gone()
    assert await steps(menus, caller) == ([("*", "hangup")], "hangup")


async def reaches_nobody(menus, node):
    await node.says("dialplan set global TRANSFER_SECONDS 3")
    try:
        flow = await menus.flow(
            option("1", "transfer_number", SILENT), greeting=EACH,
            fallback_action="transfer_number", fallback_target=SILENT,
        )  # fmt: skip
        caller = await menus.calls(await menus.leading_to(flow), (BEGINS, "1"))
        await caller.gone()
    finally:
        await node.says("dialplan set global TRANSFER_SECONDS 30")
    found, outcome = await steps(menus, caller)
    assert found[0] == ("1", "transfer_number")
    assert found[1][1] == "transfer_number"
    assert outcome == "unavailable"
    assert 2 <= seconds_of(caller.heard()) <= 5  # two seconds of each six, twice


async def test_who_waits_hears_the_menu_again_or_ringing_and_then_the_fallback(menus, main, node, says, speech):
    await asyncio.gather(says_nothing(menus, says, speech), presses_late(menus, main), reaches_nobody(menus, node))
