"""Several workers side by side, on stand-ins: scripts that write down what happens to them."""

import asyncio
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from service.cli import main
from service.fleet import post, serve
from service.fleet.fleet import Fleet, Patience
from service.fleet.worker import Workers
from tests.processes import alive

WORKER = """
import os, signal, socket, sys, time
folder, name = sys.argv[1], os.environ["ORBIT_PROCESS"]

def told(what):
    return os.path.exists(f"{folder}/{what}")

def note(what):
    with open(f"{folder}/notes", "a") as notes:
        notes.write(f"{what} {name}\\n")

def stop(*_):
    note("stops")
    sys.exit(0)

assert os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
assert socket.socket(fileno=3).getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
signal.signal(signal.SIGTERM, signal.SIG_IGN if told("deaf") else stop)
note("starts")
if told("fenced"):
    sys.exit(75)
if not told("slow"):
    note("ready")
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.connect("\\0" + os.environ["NOTIFY_SOCKET"][1:])
    line.send(b"READY=1")
while True:
    time.sleep(60)
"""


class World:
    """A fleet named `f`, and what its workers have written down."""

    def __init__(self, folder):
        self.folder = folder
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind("")
        self._socket.listen()
        self.workers = Workers((sys.executable, "-I", "-S", "-c", WORKER, str(folder)), self._socket, folder)

    async def start(self, size=1, **seconds):
        """Returns when all are ready."""
        patience = Patience(**{"ready": 20.0, "stop": 20.0} | seconds)
        self.fleet = Fleet("f", size, self.workers.start, patience)
        self.running = asyncio.create_task(self.fleet.run())
        await self.until(lambda: self.count("ready") == size and len(self.pids()) == size)

    async def end(self):
        for _ in range(2):
            self.fleet.stop()
        await self.over()
        self.workers.close()
        self._socket.close()

    async def over(self, seconds=10):
        async with asyncio.timeout(seconds):
            await asyncio.shield(self.running)

    def tell(self, what):
        (self.folder / what).touch()

    def forget(self, what):
        (self.folder / what).unlink()

    def notes(self):
        file = self.folder / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def count(self, what):
        return sum(line.startswith(what) for line in self.notes())

    def pids(self):
        found = {}
        for file in self.folder.glob("worker-*.pid"):
            if text := file.read_text():
                found[file.stem.removeprefix("worker-")] = int(text)
        return found

    async def until(self, condition):
        await until(condition)


async def until(condition):
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def world(tmp_path):
    one = World(tmp_path)
    yield one
    await one.end()


async def test_each_worker_has_a_name_and_its_number_is_in_a_file(world):
    await world.start(3)
    pids = world.pids()
    assert pids.keys() == {"f-1", "f-2", "f-3"}
    assert all(map(alive, pids.values()))


async def test_one_that_is_killed_is_started_again_at_once_under_its_name(world):
    await world.start(2)
    before = world.pids()
    os.kill(before["f-1"], signal.SIGKILL)
    await world.until(lambda: world.notes().count("ready f-1") == 2)
    after = world.pids()
    assert after.keys() == before.keys()
    assert after["f-1"] != before["f-1"]
    assert after["f-2"] == before["f-2"]


async def test_one_that_was_fenced_is_started_again(world):
    with capture_logs() as logs:
        await world.start()
        world.tell("fenced")
        os.kill(world.pids()["f-1"], signal.SIGKILL)
        await world.until(lambda: world.count("starts") >= 2)
        world.forget("fenced")
        await world.until(lambda: world.count("ready") == 2)
    assert "fenced: another has its calls" in [line["why"] for line in logs if line["event"] == "worker ended"]


async def test_one_that_keeps_dying_is_given_a_pause(world, monkeypatch):
    monkeypatch.setattr(post, "BACK_OFF", (0.0, 0.0, 0.0, 1000.0))
    with capture_logs() as logs:
        await world.start()
        world.tell("fenced")
        os.kill(world.pids()["f-1"], signal.SIGKILL)
        await world.until(lambda: [line for line in logs if line.get("next_in_seconds") == 1000])
    assert world.count("starts") == 3
    world.fleet.stop()
    await world.over(2)  # the pause keeps nobody


async def test_the_successor_is_ready_before_the_old_one_is_told_to_stop(world):
    await world.start(2)
    before = world.pids()
    world.fleet.replace()
    await world.until(lambda: world.count("stops") == 2)
    await world.until(lambda: not [pid for pid in before.values() if alive(pid)])
    one_by_one = ["starts f-3", "ready f-3", "stops f-1", "starts f-1", "ready f-1", "stops f-2"]
    assert world.notes()[4:] == one_by_one
    await world.until(lambda: world.pids().keys() == {"f-1", "f-3"})


@pytest.mark.parametrize("trouble", ["slow", "fenced"])
async def test_where_the_successor_does_not_become_ready_the_old_one_stays(world, trouble):
    await world.start(2, ready=0.5 if trouble == "slow" else 20.0)
    before = world.pids()
    world.tell(trouble)
    with capture_logs() as logs:
        world.fleet.replace()
        await world.until(lambda: [line for line in logs if line["event"].startswith("successor not ready")])
    assert [(line["stays"], line["successor"]) for line in logs if "stays" in line] == [("f-1", "f-3")]
    assert world.pids() == before
    assert world.count("stops") == 0
    world.forget(trouble)
    world.fleet.replace()
    await world.until(lambda: world.count("stops") == 2)


async def test_told_during_a_replacement_it_replaces_once_more(world):
    await world.start()
    world.fleet.replace()
    await world.until(lambda: "starts f-2" in world.notes())
    for _ in range(3):
        world.fleet.replace()
    await world.until(lambda: world.count("stops") == 2)
    await world.until(lambda: world.pids().keys() == {"f-1"})
    assert world.notes() == [
        *("starts f-1", "ready f-1", "starts f-2", "ready f-2", "stops f-1", "starts f-1", "ready f-1", "stops f-2"),
    ]


async def test_a_halted_worker_is_killed_when_its_turn_comes(world):
    await world.start()
    frozen = world.pids()["f-1"]
    os.kill(frozen, signal.SIGSTOP)
    world.fleet.replace()
    await world.until(lambda: world.pids().keys() == {"f-2"})
    assert not alive(frozen)
    assert world.count("stops") == 0


async def test_a_stop_lets_all_of_them_end_in_order(world):
    await world.start(2)
    pids = world.pids()
    world.fleet.stop()
    await world.over()
    assert sorted(world.notes()[-2:]) == ["stops f-1", "stops f-2"]
    assert not [pid for pid in pids.values() if alive(pid)]
    assert world.pids() == {}


async def test_one_that_does_not_listen_is_killed_in_the_end(world):
    world.tell("deaf")
    await world.start(stop=0.3)
    pid = world.pids()["f-1"]
    world.fleet.stop()
    await world.over()
    assert not alive(pid)


async def test_told_twice_to_stop_it_kills_them(world):
    world.tell("deaf")
    await world.start()
    world.fleet.stop()
    await asyncio.sleep(0)
    world.fleet.stop()
    await world.over(2)
    assert world.pids() == {}


async def test_a_stop_during_a_replacement_leaves_nobody(world):
    await world.start()
    world.tell("slow")
    world.fleet.replace()
    await world.until(lambda: "starts f-2" in world.notes())
    pids = world.pids()
    world.fleet.stop()
    await world.over()
    assert len(pids) == 2
    assert not [pid for pid in pids.values() if alive(pid)]


async def test_the_workers_end_with_a_parent_that_is_killed(tmp_path):
    argv = (sys.executable, "-I", "-S", "-c", WORKER, str(tmp_path))
    script = f"""
import asyncio, pathlib, socket
from service.fleet.fleet import Fleet
from service.fleet.worker import Workers
async def main():
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("")
    listening.listen()
    workers = Workers({argv!r}, listening, pathlib.Path({str(tmp_path)!r}))
    await Fleet("f", 2, workers.start).run()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.DEVNULL)
    files = [tmp_path / f"worker-f-{slot}.pid" for slot in (1, 2)]
    await until(lambda: all(file.exists() and file.read_text() for file in files))
    pids = [int(file.read_text()) for file in files]
    parent.kill()
    await parent.wait()
    await until(lambda: not [pid for pid in pids if alive(pid)])


def test_what_a_killed_fleet_has_left_is_cleared_and_nothing_else(tmp_path):
    for name in ("worker-f-1.pid", "worker-f-12.pid", "worker-f-g-1.pid", "worker-other-1.pid", "service.pid"):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).touch()
    folder = serve.folder_of_pids(tmp_path / "run", "f")
    assert {file.name for file in folder.iterdir()} == {"worker-f-g-1.pid", "worker-other-1.pid", "service.pid"}


@pytest.mark.usefixtures("socket_enabled")
def test_faults_of_the_operator_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(serve, "FREED", 0)
    monkeypatch.setenv("ORBIT_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for env, said in (
            ({"ORBIT_API_PORT": str(port)}, f"Address already in use (while attempting to bind on address .*{port}"),
            ({"ORBIT_PROCESSES": "0"}, "Error: ORBIT_PROCESSES: Input should be greater than or equal to 1$"),
        ):
            result = CliRunner().invoke(main, ["serve"], env=env)
            assert result.exit_code == 1
            assert re.search(said.replace("(", r"\("), result.output)
            assert result.output.count("\n") == 1


def test_the_parent_loads_neither_the_server_nor_the_stack():
    files = [Path(serve.__file__), *Path(serve.__file__).parent.glob("*.py")]
    assert not [file for file in files if "aiohttp" in file.read_text() or "service.stack" in file.read_text()]
