"""A hundred callers in one menu at once: every key of theirs counts, once."""

import asyncio
import random

import pytest

from tests.stories.farends.callers import BEGINS, KINDS
from tests.stories.menus import option, pressed

CALLERS, KEYS = 100, 6
PAUSE = 0.04  # seconds between two who dial
KIND = (*KINDS[:2] * 4, *KINDS)  # most telephones send RFC 4733


@pytest.mark.timeout(120)
async def test_no_key_is_lost_and_none_is_doubled(menus):
    options = (option(key, "repeat") for key in "0123456789*")
    flow = await menus.flow(*options, option("#", "hangup"), greeting="Please press any key.", timeout_seconds=10)
    number = await menus.leading_to(flow)
    chance = random.Random(100)
    keys = ["".join(chance.choices("0123456789*", k=KEYS)) + "#" for _ in range(CALLERS)]

    async def one(serial):
        await asyncio.sleep(serial * PAUSE)
        caller = await menus.calls(number, (BEGINS, keys[serial]), dtmf=KIND[serial % len(KIND)])
        return caller, await caller.gone(60)

    callers = await asyncio.gather(*(one(serial) for serial in range(CALLERS)))
    assert {end for _, end in callers} == {(16, None)}
    wrong = {}
    for serial, (caller, _) in enumerate(callers):
        call = await menus.ended(caller)
        found = pressed(await menus.steps(call["id"]))
        expected = [*((key, "repeat") for key in keys[serial][:-1]), ("#", "hangup")]
        if found != expected or await menus.outcome(call["id"]) != "hangup":
            wrong[keys[serial], KIND[serial % len(KIND)]] = found
    assert not wrong
