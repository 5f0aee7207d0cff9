"""The embedded stack as an operator runs it, in a folder of its own and on free ports."""

import asyncio
import os
import signal
import sys

import pytest

from service.stack.home import Home, read_variables
from service.stack.ports import SETTINGS
from service.stack.workers import workers
from tests.processes import alive

pytestmark = pytest.mark.skipif(os.environ.get("TEST_STACK") == "containers", reason="about the embedded stack alone")

PARTS = ("redis", "asterisk", "carrier", "service")


class Operator:
    """Types the stack's commands, and looks at what runs."""

    def __init__(self, folder):
        self.home = Home(folder)
        self._env = {name: value for name, value in os.environ.items() if name == "ORBIT_TREE" or "ORBIT_" not in name}
        self._env |= {f"ORBIT_{name.upper()}": "0" for name in SETTINGS} | {"ORBIT_HOME": str(folder)}

    async def start(self, command):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", "stack", command, env=self._env, stdout=asyncio.subprocess.PIPE
        )

    async def types(self, command):
        """The exit status and what was printed."""
        process = await self.start(command)
        printed, _ = await process.communicate()
        return process.returncode, printed.decode()

    async def demo(self):
        status, printed = await self.types("demo")
        assert status == 0
        return printed

    def pid(self, part):
        return int(self.home.pid_file(part).read_text())

    def workers(self):
        return list(workers(self.home).values())

    def pids(self):
        return {part: self.pid(part) for part in PARTS if self.home.pid_file(part).exists()}


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
async def operator(tmp_path):
    one = Operator(tmp_path / "home")
    yield one
    await one.types("down")


async def test_up_status_demo_and_down(operator):
    """`up` returns when calls can be placed; a call is placed and recorded; `down` leaves no process."""
    status, printed = await operator.types("up")
    env = read_variables(operator.home.env)
    assert status == 0
    assert f"curl -X POST {env['ORBIT_URL']}/v1/voice/calls" in printed
    assert env["ORBIT_TEST_KEY"] in printed
    assert not [log for log in operator.home.log.iterdir() if env["ORBIT_TEST_KEY"] in log.read_text()]
    assert (await operator.types("status"))[0] == 0

    shown = await operator.demo()
    for event in ("call.initiated", "call.answered", "call.completed", "call.recording.ready"):
        assert event in shown
    assert str(operator.home.recordings) in shown
    assert "silent" not in shown

    pids, workers = operator.pids(), operator.workers()
    assert (await operator.types("down"))[0] == 0
    assert (len(pids), len(workers)) == (4, 1)
    assert not [pid for pid in (*pids.values(), *workers) if alive(pid)]
    assert (await operator.types("status"))[0] == 1


async def test_parts_that_die_come_back(operator):
    """Each part is killed; each is started again, and the next call goes through."""
    await operator.types("up")
    before = operator.pids()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    await until(lambda: operator.pids().keys() == before.keys() and not operator.pids().items() & before.items())
    async with asyncio.timeout(20):
        while (await operator.types("status"))[0]:
            pass
    assert "call.recording.ready" in await operator.demo()


async def test_a_killed_launcher_leaves_no_process_and_the_next_one_starts(operator):
    await operator.types("up")
    pids = [*operator.pids().values(), *operator.workers()]
    os.kill(operator.home.owner(), signal.SIGKILL)
    await until(lambda: not [pid for pid in pids if alive(pid)])
    assert (await operator.types("up"))[0] == 0


@pytest.mark.parametrize("part", ["redis", "asterisk", "service"])
async def test_a_stop_while_it_starts_leaves_no_process(operator, part):
    """SIGINT comes as soon as one of the parts runs, ready or not."""
    launcher = await operator.start("run")
    await until(lambda: part in operator.pids() or launcher.returncode is not None)
    pids = operator.pids()
    launcher.send_signal(signal.SIGINT)
    printed, _ = await launcher.communicate()
    assert printed.decode().endswith("Stopped.\n")
    assert launcher.returncode == 0
    assert part in pids
    assert not [pid for pid in pids.values() if alive(pid)]
    assert operator.home.owner() is None


async def test_a_second_stack_in_the_same_folder_is_refused(operator):
    await operator.types("up")
    launcher = operator.home.owner()
    status, printed = await operator.types("up")
    assert (status, f"runs already (process {launcher})" in printed) == (0, True)
    assert (await operator.types("run"))[0] == 1
    assert operator.home.owner() == launcher
