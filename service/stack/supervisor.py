"""Keeps the parts of a stack running: starts, stops, signals them, and starts again one that ended by itself."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress

from service.stack.errors import StackError
from service.stack.home import Home
from service.stack.parts import Part
from service.stack.process import end, ended, last_lines, send, spawn
from service.stack.progress import Progress
from service.stack.settings import StackSettings

POLL = 0.03  # seconds between two looks at a part that starts
BACK_OFF = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before a restart, by how often the part ended lately
LATELY = 120.0  # seconds


class Supervisor:
    """Owns the processes of one stack. With `keep` it starts a part again that ends without having been told to."""

    def __init__(
        self, parts: Mapping[str, Part], home: Home, settings: StackSettings, progress: Progress, *, keep: bool
    ) -> None:
        self._parts, self._home, self._progress, self._keep = parts, home, progress, keep
        self._start_seconds, self._stop_seconds = settings.start_seconds, settings.stop_seconds
        self._processes: dict[str, Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._ready: set[str] = set()

    async def start(self, name: str) -> None:
        """Starts a part and returns when it is ready. Raises `StackError` where it ends or takes too long."""
        if name in self._keepers or self._alive(name):
            raise StackError(f"{name} runs already")
        with self._progress.step(name) as step:
            await self._launch(name)
            step.result = self._parts[name].at
        if self._keep:
            self._keepers[name] = asyncio.create_task(self._restart(name), name=f"keep {name}")

    async def stop(self, name: str, seconds: float | None = None) -> None:
        """Stops a part and waits for its end; after `seconds` (the setting's by default, 0: at once) it is killed.

        One that is not ready yet is killed at once: Asterisk ignores SIGTERM until it has booted.
        """
        await self._let_go(name)
        if process := self._processes.pop(name, None):
            patience = self._stop_seconds if seconds is None else seconds
            await end(process, patience if name in self._ready else 0)
        self._home.pid_file(name).unlink(missing_ok=True)

    def pid(self, name: str) -> int:
        """The process id of a part that runs."""
        if not self._alive(name):
            raise StackError(f"{name} does not run")
        return self._processes[name].pid

    def signal(self, name: str, number: signal.Signals) -> None:
        self.pid(name)
        send(self._processes[name], number)

    async def stop_all(self, order: Iterable[str]) -> None:
        """Stops the parts one after the other. From its first moment on, none is started again."""
        for name in tuple(self._keepers):
            await self._let_go(name)
        for name in order:
            await self.stop(name)

    def hurry(self) -> None:
        """Kills everything that still runs."""
        for keeper in self._keepers.values():
            keeper.cancel()
        for process in self._processes.values():
            send(process, signal.SIGKILL)

    def _alive(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.returncode is None

    async def _launch(self, name: str) -> None:
        part = self._parts[name]
        written = part.log.stat().st_size if part.log.exists() else 0
        self._ready.discard(name)
        process = self._processes[name] = await spawn(part.argv, part.env, part.log)
        self._home.pid_file(name).write_text(f"{process.pid}\n")
        try:
            async with asyncio.timeout(self._start_seconds):
                await self._until_ready(part, process)
        except TimeoutError:
            await end(process, 0)
            why = f"was not ready within {self._start_seconds:g} s"
            raise StackError(f"{name} {why}; see {part.log}\n{_tail(part, written)}") from None
        except StackError as error:
            raise StackError(f"{error}; see {part.log}\n{_tail(part, written)}") from None
        self._ready.add(name)

    async def _until_ready(self, part: Part, process: Process) -> None:
        while True:
            answers = await part.ready()
            if process.returncode is not None:
                raise StackError(f"{part.name} ended at once ({ended(process.returncode)})")
            if answers:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), POLL)

    async def _restart(self, name: str) -> None:
        ends: deque[float] = deque()
        while True:
            code = await self._processes[name].wait()
            await end(self._processes[name], 0)
            now = time.monotonic()
            while ends and now - ends[0] > LATELY:
                ends.popleft()
            pause = BACK_OFF[min(len(ends), len(BACK_OFF) - 1)]
            ends.append(now)
            self._progress.line(f"  {name:<9} ended ({ended(code)}); it is started again in {pause:g} s")
            await asyncio.sleep(pause)
            try:
                with self._progress.step(name) as step:
                    await self._launch(name)
                    step.result = "is back"
            except (StackError, OSError) as error:
                self._progress.line(f"  {error}")

    async def _let_go(self, name: str) -> None:
        if keeper := self._keepers.pop(name, None):
            keeper.cancel()
            await asyncio.wait((keeper,))


def _tail(part: Part, start: int) -> str:
    with part.log.open("rb") as log:
        log.seek(start if start <= part.log.stat().st_size else 0)
        return last_lines(log.read().decode(errors="replace").strip())
