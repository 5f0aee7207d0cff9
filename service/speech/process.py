"""One worker process of an engine: started on first use, one request at a time, ended when idle.

A worker that dies or gives no sign for `bound` seconds is killed, and the request is tried once more with a new one.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from service.speech import frames
from service.speech.errors import NotAudio, SpeechUnavailable

IDLE_SECONDS = 300.0
BOUND_SECONDS = 90.0  # a model is loaded and 400 characters are spoken, on a machine that has more to do
ATTEMPTS = 2
# What a worker gets of the service's environment; keys and passwords are in the rest.
PASSED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "OMP_NUM_THREADS")

log = structlog.get_logger()


def worker(name: str, models: Path) -> tuple[str, ...]:
    """The command of the worker of that engine; of the one that converts audio for every other name."""
    return (sys.executable, "-m", "service.speech.worker", name, str(models.absolute()))


class Failed(Exception):
    """The worker answered that it could not."""


class WorkerProcess:
    """Owns the process that `argv` starts."""

    def __init__(
        self, name: str, argv: Sequence[str], *, bound: float = BOUND_SECONDS, idle: float = IDLE_SECONDS
    ) -> None:
        self._name, self._argv, self._bound, self._idle = name, argv, bound, idle
        self._process: Process | None = None
        self._words: asyncio.Task[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._ending: set[asyncio.Task[None]] = set()
        self._one = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    async def ask(self, head: dict[str, Any], payload: bytes = b"") -> bytes:
        """The worker's answer. Raises `NotAudio` where it refuses, `SpeechUnavailable` where it failed twice."""
        async with self._one:
            if self._timer:
                self._timer.cancel()
            try:
                return await self._attempts(frames.packed(head, payload))
            finally:
                if not self._closed:
                    self._timer = asyncio.get_running_loop().call_later(self._idle, self._end_idle)

    async def close(self) -> None:
        """Ends it at once and for good. Who waits for an answer gets an error."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        await self._kill("")
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _attempts(self, request: bytes) -> bytes:
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt(request)
            except NotAudio:
                raise
            except Failed as error:  # it lives, and would fail again
                reason = str(error)
                break
            except TimeoutError:
                reason = f"it gave no sign for {self._bound:g} seconds"
            except (OSError, EOFError, ValueError, KeyError) as error:
                reason = "it ended" if isinstance(error, EOFError | OSError) else "it answered nonsense"
            except BaseException:  # nobody waits any more, and its answer would be taken for the next one's
                await self._kill("")
                raise
            words = await self._kill(reason)
            if self._closed:
                raise SpeechUnavailable("The service is being stopped.")
            log.warning("speech.worker_lost", engine=self._name, attempt=attempt, reason=reason, said=words)
        log.error("speech.failed", engine=self._name, reason=reason)
        raise SpeechUnavailable(f"The speech engine {self._name} failed: {reason}.")

    async def _attempt(self, request: bytes) -> bytes:
        if self._closed:
            raise EOFError
        process = self._process if self._process and self._process.returncode is None else await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        while True:
            async with asyncio.timeout(self._bound):
                await process.stdin.drain()
                head, payload = await frames.receive(process.stdout)
            if head.get("refused"):
                raise NotAudio(head["refused"])
            if head.get("failed"):
                raise Failed(head["failed"])
            if head["done"]:
                return payload

    async def _start(self) -> Process:
        await self._kill("")
        env = {name: os.environ[name] for name in PASSED if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(*self._argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env)
        assert self._process.stderr is not None
        self._words = asyncio.create_task(_last_words(self._process.stderr))
        log.info("speech.worker_started", engine=self._name, pid=self._process.pid)
        return self._process

    async def _kill(self, reason: str) -> str:
        """Ends the process, if there is one, and returns the end of what it printed."""
        process, words, self._process, self._words = self._process, self._words, None, None
        if process is None or words is None:
            return ""
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                return (await words).decode(errors="replace") if reason else ""
        return ""

    def _end_idle(self) -> None:
        if not self._one.locked():
            task = asyncio.ensure_future(self._end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _end(self) -> None:
        async with self._one:
            await self._kill("")


async def _last_words(stream: asyncio.StreamReader) -> bytes:
    """The end of what comes, when it has ended."""
    said = b""
    while piece := await stream.read(4096):
        said = (said + piece)[-2000:]
    return said
