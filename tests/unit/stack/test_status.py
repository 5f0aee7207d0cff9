"""What runs in an ORBIT_HOME."""

import asyncio
import os

import pytest

from service.stack import probes
from service.stack.home import ENV, NODE_ENV, Home
from service.stack.nodes import names, numbered
from service.stack.status import Row, status, table

URLS = ("ORBIT_REDIS_URL", "ORBIT_ARI_URL", "ORBIT_CARRIER_ARI_URL", "ORBIT_URL", "ORBIT_ARI_URL_2")
ONE, TWO = (names(dict.fromkeys(("ORBIT_ARI_URL", "ORBIT_ARI_URL_2")[:count])) for count in (1, 2))


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    home.hold()
    urls = {name: f"http://127.0.0.1:{n}" for n, name in enumerate(URLS, 1)}
    home.write_env(dict.fromkeys((*ENV, *(numbered(name, 2) for name in NODE_ENV)), "") | urls)
    yield home
    home.release()


async def test_nothing_runs_where_nobody_holds_it(tmp_path):
    assert await status(Home(tmp_path)) == [Row(name) for name in ONE]


async def test_a_part_is_up_when_it_answers(home, monkeypatch):
    async def answers(name, _env):
        return name == "redis"

    monkeypatch.setattr(probes, "part", answers)
    for name in ("redis", "asterisk2"):
        home.pid_file(name).write_text(f"{os.getpid()}\n")
    rows = {row.part: row for row in await status(home)}
    assert [rows[name].state for name in TWO] == ["up", "down", "not ready", "down", "down"]
    assert (rows["redis"].pid, rows["redis"].port) == (os.getpid(), 1)
    assert rows["asterisk2"].port == 5
    assert 0 <= rows["redis"].uptime < 60


async def test_the_workers_of_the_service_have_rows_of_their_own(home, monkeypatch):
    """Their pid files are believed as far as the kernel agrees."""

    async def answers(_name, _env):
        return True

    monkeypatch.setattr(probes, "part", answers)
    home.pid_file("service").write_text(f"{os.getpid()}\n")
    child = await asyncio.create_subprocess_exec("sleep", "60")
    numbers = {"p-1": child.pid, "p-2": os.getppid(), "p-3": 4_000_000}
    for name, pid in numbers.items():
        home.worker_file(name).write_text(f"{pid}\n")
    home.worker_file("p-4").touch()
    shown = [(row.part, row.pid, row.state) for row in await status(home) if row.part not in TWO]
    assert shown == [("  p-1", child.pid, "up")]
    child.kill()
    await child.wait()
    assert [row.part for row in await status(home) if row.part not in TWO] == []


def test_the_table():
    worker = Row(f"  {'w' * 20}-1", 14, None, "up", 1)
    assert table([worker]).splitlines()[1].split() == [f"{'w' * 20}-1", "14", "-", "up", "1", "s"]
    rows = [Row("redis", 12, 6390, "up", 5.2), Row("service", 13, 8080, "not ready", 125), Row("carrier")]
    lines = [line.split() for line in table([*rows, Row("asterisk", 1, 2, "up", 7260)]).splitlines()]
    assert lines == [
        ["part", "pid", "port", "state", "uptime"],
        ["redis", "12", "6390", "up", "5", "s"],
        ["service", "13", "8080", "not", "ready", "2", "min", "5", "s"],
        ["carrier", "-", "-", "down", "-"],
        ["asterisk", "1", "2", "up", "2", "h", "1", "min"],
    ]
