"""Callers say what they want; and where nobody understands them, keys do."""

import os
import signal
from pathlib import Path

import pytest

from service.asterisk.ami import Ami
from service.asterisk.ari import Ari
from service.asterisk.listen import AsteriskEars
from tests.stories.client import until
from tests.stories.menus import option, pressed

OPTIONS = (
    option("1", "hangup", phrases=["sales", "buy something"]),
    option("2", "say", "You have reached support.", phrases=["support", "technical help"]),
)
QUESTION = "How can we help you?"


@pytest.fixture(scope="module")
async def number(menus):
    return await menus.leading_to(await menus.flow(*OPTIONS, greeting=QUESTION, timeout_seconds=15))


@pytest.fixture
def transcribers(stack):
    """The recognisers of this stack, by process id."""

    def found():
        home = f"ORBIT_HOME={stack.settings.home}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = folder.joinpath("stat").read_text().rpartition(")")[2].split()[1]
                ours = home in Path(f"/proc/{parent}/environ").read_bytes().split(b"\0")
                if ours and b"service.speech.transcriber" in folder.joinpath("cmdline").read_bytes():
                    yield int(folder.name)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue

    return lambda: list(found())


async def test_a_caller_says_what_they_want(menus, says, number):
    support, sales = await says.path("I would like to talk to support, please."), await says.path("Sales.")
    caller = await menus.calls(number)
    await caller.quiet()
    await caller.says(support)
    call = await menus.record(caller)

    async def understood():
        """a step"""
        return await menus.steps(call["id"])

    [step] = await until(understood, 20)
    assert (step["input"], step["by"], step["action"], step["valid"]) == ("2", "speech", "say", True)
    await caller.quiet()
    await caller.says(sales)
    await caller.gone(25)
    ended = await menus.ended(caller)
    steps = await menus.steps(ended["id"])
    assert pressed(steps) == [("2", "say"), ("1", "hangup")]
    assert {step["by"] for step in steps} == {"speech"}


async def test_what_nobody_understands_changes_nothing_and_keys_work(menus, says, number):
    weather = await says.path("The weather is rather nice today.")
    caller = await menus.calls(number)
    await caller.quiet()
    await caller.says(weather)
    await caller.presses("2")
    await caller.presses("1")
    await caller.gone()
    ended = await menus.ended(caller)
    assert pressed(await menus.steps(ended["id"])) == [("2", "say"), ("1", "hangup")]
    assert {step["by"] for step in await menus.steps(ended["id"])} == {"key"}


async def test_keys_work_with_the_recogniser_killed(menus, says, number, transcribers):
    caller = await menus.calls(number)
    await caller.quiet()
    there = transcribers()
    assert there
    for pid in there:
        os.kill(pid, signal.SIGKILL)
    await caller.presses("2")
    await caller.presses("1")
    await caller.gone()
    ended = await menus.ended(caller)
    assert pressed(await menus.steps(ended["id"])) == [("2", "say"), ("1", "hangup")]


@pytest.fixture
async def ears(stack):
    """What presses keys for callers, and the channels that are there."""
    env = stack.env
    ari = Ari(env["ORBIT_ARI_URL"], env["ORBIT_ARI_USER"], env["ORBIT_ARI_PASSWORD"], 5000)
    ami = Ami(env["ORBIT_AMI_ADDR"], env["ORBIT_AMI_USER"], env["ORBIT_AMI_PASSWORD"], 5000)
    ami.start()
    yield AsteriskEars({"node": (ari, ami)}), ari
    ami.close()
    await ari.close()


async def test_what_was_said_to_one_menu_chooses_nothing_in_the_next(menus, ears):
    second = await menus.flow(option("2", "hangup"), option("3", "repeat"), greeting=QUESTION, timeout_seconds=8)
    first = await menus.flow(
        option("1", "ivr", second, phrases=["onward"]), option("2", "hangup"), greeting=QUESTION, timeout_seconds=8
    )
    caller = await menus.calls(await menus.leading_to(first))
    await caller.hears()
    await caller.presses("1")
    call = await menus.record(caller)

    async def onward():
        """the second menu"""
        return await menus.steps(call["id"])

    await until(onward)
    listening, ari = ears
    [channel] = [each["id"] for each in await ari.call("channels", "list") if each["caller"]["number"] == caller.number]
    await listening.press("node", channel, visit="1", key="2")
    await caller.presses("3")
    await caller.presses("2")
    await caller.gone()
    ended = await menus.ended(caller)
    assert pressed(await menus.steps(ended["id"])) == [("1", "ivr"), ("3", "repeat"), ("2", "hangup")]
