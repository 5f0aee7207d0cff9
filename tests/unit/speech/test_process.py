"""A worker is started when it is needed, and nobody waits for a dead one."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from service.speech.errors import NotAudio, SpeechUnavailable
from service.speech.process import WorkerProcess

FAKE = (sys.executable, str(Path(__file__).with_name("worker.py")))
ROOT = str(Path(__file__).parents[3])


@pytest.fixture
async def worker(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ROOT)
    worker = WorkerProcess("fake", FAKE, bound=10)
    yield worker
    await worker.close()


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_starts_on_first_use_and_stays(worker):
    assert worker.pid is None
    first = await worker.ask({"do": "who"})
    assert await worker.ask({"do": "who"}) == first
    assert worker.pid == int(first)
    await worker.close()
    assert not alive(int(first))


async def test_requests_wait_for_one_another(worker):
    payloads = [bytes([n]) * 100_000 for n in range(5)]
    assert await asyncio.gather(*(worker.ask({"do": "echo"}, each) for each in payloads)) == payloads


async def test_it_gets_no_secrets(worker, monkeypatch):
    monkeypatch.setenv("ORBIT_ARI_PASSWORD", "secret")
    seen = (await worker.ask({"do": "environment"})).decode().split()
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith("ORBIT")]


async def test_a_request_whose_worker_dies_is_tried_once_more(worker, tmp_path):
    assert await worker.ask({"do": "die once", "once": str(tmp_path / "once")}) == b"second"


@pytest.mark.parametrize(("what", "reason"), [("die", "ended"), ("babble", "nonsense"), ("fail", "broken")])
async def test_the_second_failure_is_told(worker, what, reason):
    with pytest.raises(SpeechUnavailable, match=reason):
        await worker.ask({"do": what})
    assert await worker.ask({"do": "echo"}, b"next") == b"next"


async def test_a_worker_that_hangs_is_killed(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ROOT)
    worker = WorkerProcess("fake", FAKE, bound=0.5)
    with pytest.raises(SpeechUnavailable, match="no sign"):
        await worker.ask({"do": "hang"})
    assert worker.pid is None


async def test_a_refusal_is_no_failure(worker):
    pid = int(await worker.ask({"do": "who"}))
    with pytest.raises(NotAudio, match="no audio"):
        await worker.ask({"do": "refuse"})
    assert int(await worker.ask({"do": "who"})) == pid


async def test_who_gives_up_leaves_no_answer_for_the_next(worker):
    asked = asyncio.create_task(worker.ask({"do": "hang"}))
    await until(lambda: worker.pid)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await worker.ask({"do": "echo"}, b"mine") == b"mine"


async def test_who_waits_when_it_is_closed_gets_an_error(worker):
    asked = asyncio.create_task(worker.ask({"do": "hang"}))
    await until(lambda: worker.pid)
    await worker.close()
    with pytest.raises(SpeechUnavailable, match="stopped"):
        await asked
    assert worker.pid is None


async def test_an_idle_worker_ends(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ROOT)
    worker = WorkerProcess("fake", FAKE, idle=0.05)
    pid = int(await worker.ask({"do": "who"}))
    await until(lambda: not alive(pid))
    assert int(await worker.ask({"do": "who"})) != pid
    await worker.close()


async def test_a_program_that_cannot_start_is_told():
    worker = WorkerProcess("fake", ("/nowhere/python",))
    with pytest.raises(SpeechUnavailable, match="ended"):
        await worker.ask({"do": "who"})
    await worker.close()
