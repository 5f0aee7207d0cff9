"""The service dies, or Redis, or both, while people are in menus: they hear no difference, and all is on record."""

import asyncio
import os
import signal

import pytest

from service.stack.stack import Stack
from tests.stories.client import Api, until
from tests.stories.conftest import FASTER
from tests.stories.farends.callers import BEGINS, ENDS, Callers
from tests.stories.menus import Menus, option, pressed
from tests.stories.trunks import Trunks

GREETING, SUB = "Hello, and welcome. This is the first menu of two.", "And this is the second menu."
SPEECH = "+15005550007"


@pytest.fixture(scope="module")
async def number(menus):
    second = await menus.flow(option("9", "hangup"), option("8", "repeat"), greeting=SUB, timeout_seconds=20)
    options = option("1", "ivr", second), option("2", "transfer_number", SPEECH), option("3", "repeat")
    return await menus.leading_to(await menus.flow(*options, greeting=GREETING, timeout_seconds=20))


@pytest.fixture(autouse=True)
async def whole(stack, live):
    """Leaves the stack as it found it."""
    yield
    for name in ("redis", "service"):
        try:
            stack.pid(name)
        except Exception:
            await stack.start(name)
    await live.ready()


async def told(menus, caller, *steps, outcome="hangup"):
    """The whole way of a caller is on record, once."""
    call = await menus.ended(caller)

    async def complete():
        return await menus.outcome(call["id"])

    assert await until(complete) == outcome
    assert pressed(await menus.steps(call["id"])) == list(steps)
    rows = await menus.rows(call["id"])
    kinds = [row["type"] for row in rows]
    assert kinds[:2] == ["call.initiated", "call.answered"], kinds
    assert kinds.count("call.completed") == kinds.count("ivr.completed") == 1, kinds
    times = [row["created_at"] for row in rows if row["type"] == "ivr.input"]
    assert times == sorted(times)
    return call


async def test_the_service_dies_before_during_and_after_a_menu(menus, number, stack, says):
    during = await menus.calls(number, (ENDS, "1"))
    after = await menus.calls(number, (BEGINS, "2"))
    await during.pressed()
    await after.pressed()
    transferred = await menus.record(after)

    async def put_through():
        return await menus.steps(transferred["id"])

    await until(put_through)
    await stack.kill("service")
    before = await menus.calls(number, (BEGINS, "3"), (1.0, "1"), (0.8, "8"), (0.8, "9"))
    await during.presses("8")
    await during.quiet()
    await during.presses("9")
    assert await during.gone() == await before.gone() == (16, None)
    assert not after.ended
    await after.hangs_up()
    await after.gone()
    await stack.start("service")
    await menus.live.ready()
    await told(menus, before, ("3", "repeat"), ("1", "ivr"), ("8", "repeat"), ("9", "hangup"))
    await told(menus, during, ("1", "ivr"), ("8", "repeat"), ("9", "hangup"))
    await told(menus, after, ("2", "transfer_number"), outcome="transferred")
    assert (await says.times(during.heard(), GREETING), await says.times(during.heard(), SUB)) == (1, 1)
    assert await says.times(before.heard(), GREETING) == 1


async def test_the_service_comes_back_while_a_caller_is_in_a_menu(menus, number, stack, says):
    caller = await menus.calls(number, (ENDS, "1"))
    await caller.pressed()
    await stack.kill("service")
    await caller.presses("8")
    await stack.start("service")
    await menus.live.ready()
    call = await menus.record(caller)

    async def caught_up():
        return pressed(await menus.steps(call["id"])) == [("1", "ivr"), ("8", "repeat")]

    await until(caught_up)
    await caller.presses("9")
    await caller.gone()
    await told(menus, caller, ("1", "ivr"), ("8", "repeat"), ("9", "hangup"))


async def test_redis_is_away_during_a_menu(menus, number, stack, says):
    caller = await menus.calls(number, (ENDS, "1"))
    await caller.pressed()
    await stack.kill("redis")
    try:
        new = await menus.calls(number, (BEGINS, "1"), (0.8, "9"))
        await caller.presses("8")
        await caller.quiet()
        await caller.presses("9")
        assert await caller.gone() == await new.gone() == (16, None)
    finally:
        await stack.start("redis")
    await menus.live.ready()
    await told(menus, caller, ("1", "ivr"), ("8", "repeat"), ("9", "hangup"))
    await told(menus, new, ("1", "ivr"), ("9", "hangup"))


async def test_service_and_redis_are_away_during_a_whole_call(menus, number, stack):
    await stack.kill("service")
    await stack.kill("redis")
    caller = await menus.calls(number, (BEGINS, "1"), (0.8, "8"), (0.8, "9"))
    assert await caller.gone() == (16, None)
    await stack.start("redis")
    await stack.start("service")
    await menus.live.ready()
    await told(menus, caller, ("1", "ivr"), ("8", "repeat"), ("9", "hangup"))


@pytest.fixture
async def pair(telephones, tmp_path):
    """Two processes, a node of theirs, and menus on it."""
    if os.environ.get("TEST_STACK") == "containers":
        pytest.skip("the embedded stack's own story")
    made = Stack.apart(tmp_path / "pair", FASTER, processes=2, keep=True)
    async with made as stack, Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as live, Trunks(live) as trunks:
        at = f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp"
        trunk_id = await trunks.make(telephones.at(), origination_uris=[f"sip:{telephones.host}"])
        async with Callers(telephones, at) as callers, Menus(live, telephones, trunk_id, callers) as menus:
            yield stack, menus


async def test_one_of_two_processes_dies_during_a_menu(pair):
    stack, menus = pair
    options = (option(key, "repeat") for key in "12345678")
    flow = await menus.flow(*options, option("9", "hangup"), greeting="Hi.", timeout_seconds=20)
    number = await menus.leading_to(flow)
    callers = await asyncio.gather(*(menus.calls(number, (BEGINS, "1"), (0.3, "2")) for _ in range(6)))
    for caller in callers:
        await caller.pressed()
        await menus.record(caller)
    name, victim = min(stack.workers().items())
    os.kill(victim, signal.SIGKILL)
    for caller in callers:
        await caller.presses("345")

    async def replaced():
        return stack.workers().get(name) not in (victim, None)

    await until(replaced)
    for caller in callers:
        await caller.presses("9")
    for caller in callers:
        assert await caller.gone() == (16, None)
    for caller in callers:
        await told(menus, caller, *((key, "repeat") for key in "12345"), ("9", "hangup"))
