"""Child processes: private, ended with the launcher, and never left behind."""

import asyncio
import os
import signal
import stat
import sys

import pytest

from service.stack import process
from service.stack.errors import StackError
from service.stack.process import end, output, spawn
from tests.processes import alive

PATH = {"PATH": os.environ["PATH"]}


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return value


async def test_what_it_writes_is_private_and_goes_to_its_log(tmp_path):
    child = await spawn(["sh", "-c", f"echo said; echo wrong >&2; touch {tmp_path}/made"], PATH, tmp_path / "log")
    assert await child.wait() == 0
    assert (tmp_path / "log").read_text() == "said\nwrong\n"
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


async def test_an_overlong_log_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LOG_BYTES", 3)
    log = tmp_path / "part.log"
    log.write_text("long")
    await (await spawn(["echo", "new"], PATH, log)).wait()
    assert log.read_text() == "new\n"
    assert (tmp_path / "part.log.1").read_text() == "long"


async def test_the_end_takes_the_children_with_it(tmp_path):
    child = await spawn(["sh", "-c", f"sleep 100 & echo $! > {tmp_path}/pid; wait"], PATH, tmp_path / "log")
    grandchild = int(await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    await end(child, 5)
    assert child.returncode == -signal.SIGTERM
    await until(lambda: not alive(grandchild))


async def test_one_that_does_not_listen_is_killed(tmp_path):
    child = await spawn(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], PATH, tmp_path / "log")
    await until(lambda: (tmp_path / "log").read_text())
    await end(child, 0.2)
    assert child.returncode == -signal.SIGKILL


async def test_one_that_was_halted_stops_in_order(tmp_path):
    child = await spawn(["sh", "-c", "trap 'exit 7' TERM; echo up; sleep 100 & wait"], PATH, tmp_path / "log")
    await until(lambda: (tmp_path / "log").read_text())
    child.send_signal(signal.SIGSTOP)
    await end(child, 5)
    assert child.returncode == 7


async def test_it_ends_with_its_launcher(tmp_path):
    script = f"""
import asyncio, pathlib, service.stack.process as process
async def main():
    child = await process.spawn(["sleep", "100"], {PATH}, pathlib.Path("{tmp_path}/log"))
    print(child.pid, flush=True)
    await asyncio.sleep(100)
asyncio.run(main())
"""
    launcher = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    child = int(await launcher.stdout.readline())
    assert alive(child)
    launcher.kill()
    await launcher.wait()
    await until(lambda: not alive(child))


async def test_output_is_what_a_program_says():
    assert await output("sh", "-c", 'echo "$A"; echo err >&2', env={"A": "b"}) == "b\nerr"


async def test_a_failure_shows_its_last_lines():
    with pytest.raises(StackError) as failure:
        await output("sh", "-c", "seq 100; exit 3")
    assert str(failure.value) == "sh failed (status 3):\n" + "\n".join(f"    {n}" for n in range(89, 101))


async def test_a_program_that_is_missing_is_named():
    with pytest.raises(StackError, match="no-such-program"):
        await output("no-such-program")


@pytest.mark.parametrize("seconds", [0, 0.003, 0.01, 0.03, 0.1])
async def test_whenever_it_is_cancelled_nothing_is_left(tmp_path, seconds):
    mark = f"4{os.getpid()}{seconds * 1000:03.0f}"  # the argument by which the processes are found
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(output("sh", "-c", f"sleep {mark} & wait"), seconds)

    def left():
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and mark.encode() in cmdline(pid)]  # noqa: PTH208

    await until(lambda: not left())


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""
