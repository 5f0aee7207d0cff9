"""What runs in an ORBIT_HOME."""

import os

import pytest

from service.stack import probes
from service.stack.home import ENV, Home
from service.stack.parts import NAMES
from service.stack.status import URLS, Row, status, table


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    home.hold()
    home.write_env(dict.fromkeys(ENV, "") | {name: f"http://127.0.0.1:{n}" for n, name in enumerate(URLS.values(), 1)})
    yield home
    home.release()


async def test_nothing_runs_where_nobody_holds_it(tmp_path):
    assert await status(Home(tmp_path)) == [Row(name) for name in NAMES]


async def test_a_part_is_up_when_it_answers(home, monkeypatch):
    async def answers(name, _env):
        return name == "redis"

    monkeypatch.setattr(probes, "part", answers)
    for name in ("redis", "asterisk"):
        home.pid_file(name).write_text(f"{os.getpid()}\n")
    rows = {row.part: row for row in await status(home)}
    assert [rows[name].state for name in NAMES] == ["up", "not ready", "down", "down"]
    assert (rows["redis"].pid, rows["redis"].port) == (os.getpid(), 1)
    assert 0 <= rows["redis"].uptime < 60


def test_the_table():
    rows = [Row("redis", 12, 6390, "up", 5.2), Row("service", 13, 8080, "not ready", 125), Row("carrier")]
    lines = [line.split() for line in table([*rows, Row("asterisk", 1, 2, "up", 7260)]).splitlines()]
    assert lines == [
        ["part", "pid", "port", "state", "uptime"],
        ["redis", "12", "6390", "up", "5", "s"],
        ["service", "13", "8080", "not", "ready", "2", "min", "5", "s"],
        ["carrier", "-", "-", "down", "-"],
        ["asterisk", "1", "2", "up", "2", "h", "1", "min"],
    ]
