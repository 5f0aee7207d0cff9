"""The stack in the foreground and in the background."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from service.stack.errors import StackError
from service.stack.home import Home, read_variables
from service.stack.nodes import names
from service.stack.progress import Progress
from service.stack.settings import StackSettings
from service.stack.stack import Stack

LAUNCHER = (sys.executable, "-m", "service.stack", "run", "--background")
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL = 0.05  # seconds


async def run(settings: StackSettings, *, background: bool) -> None:
    """Brings the stack up and keeps it up until a signal stops it. A second signal kills what has not stopped yet."""
    progress = Progress()
    stack = Stack(settings, keep=True, progress=progress)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if asked.is_set():
            stack.hurry()
        asked.set()

    for number in STOPPING:
        loop.add_signal_handler(number, ask)
    begun = time.monotonic()
    work, wait = asyncio.create_task(stack.up()), asyncio.create_task(asked.wait())
    try:
        await asyncio.wait((work, wait), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            progress.line(f"Ready after {time.monotonic() - begun:.1f} s.")
            if not background:
                progress.line(welcome(stack.env) + "\nCtrl-C stops everything; `make logs` shows the logs.")
            await wait
    finally:
        if asked.is_set():
            progress.line("Stopping ... (Ctrl-C again: at once)")
        wait.cancel()
        work.cancel()
        await asyncio.gather(work, wait, return_exceptions=True)
        await stack.down()
        if asked.is_set():
            progress.line("Stopped.")


def up(settings: StackSettings) -> None:
    """Starts the stack in the background and returns when it is ready. Raises `StackError` where it fails."""
    home, progress = Home(settings.home), Progress()
    if owner := home.owner():
        _await_ready(home, owner)
        progress.line(f"The stack runs already (process {owner}).\n{welcome(read_variables(home.env))}")
        return
    home.make()
    log = home.log / "stack.log"
    with log.open("ab") as out:
        start = out.tell()
        process = subprocess.Popen(LAUNCHER, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        with log.open(encoding="utf-8", errors="replace") as written:
            written.seek(start)
            while not (home.ready.exists() and home.owner() == process.pid):
                ended = process.poll() is not None
                print(written.read(), end="", flush=True)
                if ended:
                    raise StackError(f"the stack did not start; see {log}")
                time.sleep(POLL)
            print(written.read(), end="", flush=True)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    progress.line(f"{welcome(read_variables(home.env))}\n`make down` stops it, `make logs` shows its logs.")


def down(settings: StackSettings) -> None:
    """Stops the stack of this ORBIT_HOME and waits for it."""
    home, progress = Home(settings.home), Progress()
    owner = home.owner()
    if owner is None:
        progress.line(f"No stack runs in {home.folder}.")
        return
    with progress.step("stack", "stopping") as step:
        with suppress(ProcessLookupError):
            os.kill(owner, signal.SIGTERM)
            if not _gone(home, owner, settings.stop_seconds * len(names(read_variables(home.env))) + 5):
                os.kill(owner, signal.SIGKILL)  # the kernel ends its parts with it
                _gone(home, owner, 5)
        step.result = "stopped"


def welcome(env: dict[str, str]) -> str:
    """What to do next: the API's address, the test key, and a call to paste."""
    return f"""
  API       {env["ORBIT_URL"]}
  test key  {env["ORBIT_TEST_KEY"]}
  all else  {Path(env["ORBIT_HOME"]) / "env"}

Place a call to the sandbox:

  curl -X POST {env["ORBIT_URL"]}/v1/voice/calls \\
    -H "X-API-Key: {env["ORBIT_TEST_KEY"]}" \\
    -H "Content-Type: application/json" \\
    -d '{{"to": "+15005550007", "from": "+12025551234", "record": true}}'
"""


def _await_ready(home: Home, owner: int) -> None:
    while not home.ready.exists():
        if home.owner() != owner:
            raise StackError("the stack that was starting has stopped; see its log")
        time.sleep(POLL)


def _gone(home: Home, owner: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while home.owner() == owner:
        if time.monotonic() > until:
            return False
        time.sleep(POLL)
    return True
