"""What keeps the parts running, on stand-ins: shell scripts that are ready when they have made a file."""

import asyncio
import io
import os
import signal

import pytest

from service.stack.errors import StackError
from service.stack.home import Home
from service.stack.parts import Part
from service.stack.progress import Progress
from service.stack.settings import StackSettings
from service.stack.supervisor import Supervisor

STAYS = "touch $READY; trap 'rm $READY; exit 0' TERM; while :; do sleep 0.02; done"


class World:
    """A supervisor of one part, what it says, and what is there in the end."""

    def __init__(self, folder, **seconds):
        self.home = Home(folder)
        self.home.make()
        self.ready = folder / "is-ready"
        self.said = io.StringIO()
        self.settings = StackSettings(home=folder, **{"start_seconds": 5, "stop_seconds": 5} | seconds)

    def supervisor(self, script, *, keep=False):
        async def ready():
            return self.ready.exists()

        env = {"PATH": os.environ["PATH"], "READY": str(self.ready)}
        part = Part("part", ("sh", "-c", script), env, self.home.log / "part.log", "here", ready)
        self.running = Supervisor({"part": part}, self.home, self.settings, Progress(self.said), keep=keep)
        return self.running

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def world(tmp_path):
    one = World(tmp_path)
    yield one
    await one.running.stop_all(["part"])


async def test_a_start_returns_when_the_part_is_ready(world):
    supervisor = world.supervisor(STAYS)
    await supervisor.start("part")
    assert world.ready.exists()
    assert world.home.pid_file("part").read_text() == f"{supervisor.pid('part')}\n"
    assert "here" in world.said.getvalue()
    with pytest.raises(StackError, match="runs already"):
        await supervisor.start("part")


async def test_a_stop_lets_it_end_in_order_and_it_stays_down(world):
    supervisor = world.supervisor(STAYS, keep=True)
    await supervisor.start("part")
    await supervisor.stop("part")
    assert not world.ready.exists()
    assert not world.home.pid_file("part").exists()
    with pytest.raises(StackError, match="does not run"):
        supervisor.pid("part")
    await supervisor.start("part")
    assert supervisor.pid("part")


async def test_a_kill_gives_it_no_time_and_it_stays_down(world):
    supervisor = world.supervisor(STAYS, keep=True)
    await supervisor.start("part")
    await supervisor.stop("part", seconds=0)
    assert world.ready.exists()
    with pytest.raises(StackError, match="does not run"):
        supervisor.pid("part")


async def test_one_that_ends_at_its_start_says_why(world):
    (world.home.log / "part.log").write_text("of an earlier run\n")
    supervisor = world.supervisor("echo the port is taken; exit 3")
    with pytest.raises(StackError) as failure:
        await supervisor.start("part")
    assert "part ended at once (status 3)" in str(failure.value)
    assert str(failure.value).endswith("\n    the port is taken")


async def test_one_that_is_never_ready_is_given_up(tmp_path):
    world = World(tmp_path, start_seconds=0.2)
    supervisor = world.supervisor("echo thinking; sleep 100")
    with pytest.raises(StackError, match=r"part was not ready within 0\.2 s(.|\n)*thinking"):
        await supervisor.start("part")
    with pytest.raises(StackError, match="does not run"):
        supervisor.pid("part")


async def test_one_that_ends_by_itself_is_started_again(world):
    supervisor = world.supervisor(STAYS, keep=True)
    await supervisor.start("part")
    for times in (1, 2):
        pid = supervisor.pid("part")
        world.ready.unlink()
        os.kill(pid, signal.SIGKILL)
        await world.until(lambda times=times: world.said.getvalue().count("is back") == times)
        assert supervisor.pid("part") != pid
    assert world.said.getvalue().count("ended (SIGKILL); it is started again") == 2


async def test_a_start_again_that_fails_is_tried_once_more(world):
    supervisor = world.supervisor(f"[ ! -e $READY.broken ] || exit 5; {STAYS}", keep=True)
    await supervisor.start("part")
    broken = world.ready.with_suffix(".broken")
    broken.touch()
    world.ready.unlink()
    os.kill(supervisor.pid("part"), signal.SIGKILL)
    await world.until(lambda: "ended at once (status 5)" in world.said.getvalue())
    broken.unlink()
    await world.until(world.ready.exists)


async def test_without_keep_it_stays_as_it_ended(world):
    supervisor = world.supervisor(STAYS)
    await supervisor.start("part")
    os.kill(supervisor.pid("part"), signal.SIGKILL)

    def down():
        try:
            return not supervisor.pid("part")
        except StackError:
            return True

    await world.until(down)
    assert "started again" not in world.said.getvalue()


async def test_one_that_is_not_ready_is_killed_at_once(tmp_path):
    world = World(tmp_path, start_seconds=60, stop_seconds=60)
    supervisor = world.supervisor("trap '' TERM; echo up; while :; do sleep 0.02; done")
    start = asyncio.create_task(supervisor.start("part"))
    log = world.home.log / "part.log"
    await world.until(lambda: log.exists() and log.read_text())
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    async with asyncio.timeout(5):
        await supervisor.stop_all(["part"])


async def test_a_halted_part_goes_on_when_it_is_told_to(world):
    supervisor = world.supervisor(STAYS)
    await supervisor.start("part")

    def state():
        with open(f"/proc/{supervisor.pid('part')}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0]

    supervisor.signal("part", signal.SIGSTOP)
    await world.until(lambda: state() == "T")
    supervisor.signal("part", signal.SIGCONT)
    await world.until(lambda: state() != "T")


async def test_in_a_hurry_nothing_is_waited_for(world):
    supervisor = world.supervisor("touch $READY; trap '' TERM; while :; do sleep 0.02; done", keep=True)
    await supervisor.start("part")
    stopping = asyncio.create_task(supervisor.stop_all(["part"]))
    await asyncio.sleep(0)
    supervisor.hurry()
    async with asyncio.timeout(2):
        await stopping
    assert "started again" not in world.said.getvalue()
