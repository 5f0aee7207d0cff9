"""Child processes: each in a session of its own, so that a terminal's Ctrl-C reaches only the launcher, and each ended
by the kernel when the launcher dies."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.fleet.child import leashed
from service.stack.errors import StackError

LOG_BYTES = 16_000_000


async def spawn(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Process:
    """Starts a program that writes to `log` (an overlong one is first put aside as `.1`). Its files are private."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as out:
        return await _start("KILL", argv, env=dict(env), stdout=out, umask=0o077)


async def _start(at_launchers_end: str, argv: Sequence[str], **options: Any) -> Process:
    """Where the caller is cancelled meanwhile, the process is ended: asyncio alone would lose track of it."""
    command = leashed(argv, at_launchers_end)
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stderr=STDOUT, start_new_session=True, **options)
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await end(await starting, 0)
        raise
    except FileNotFoundError:
        raise StackError("setpriv is missing (package util-linux)") from None


async def end(process: Process, seconds: float) -> None:
    """Asks the process to stop, kills it after `seconds` with what is left of its process group, and waits."""
    try:
        if seconds > 0:
            send(process, signal.SIGTERM)
            send(process, signal.SIGCONT)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def send(process: Process, number: signal.Signals) -> None:
    """Sends a signal; a process that has ended is no error."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)  # `Process.send_signal` would reap an ended one behind asyncio's back


async def output(*argv: str, env: Mapping[str, str] | None = None, keep: tuple[int, ...] = ()) -> str:
    """Runs a program to its end and returns what it wrote. Raises `StackError` where it fails.

    Where the caller is cancelled, the program and its children end first. They inherit the file descriptors of `keep`.
    """
    process = await _start("TERM", argv, env={**os.environ, **(env or {})}, stdout=PIPE, pass_fds=keep)
    try:
        written, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await end(process, 10)
        raise
    text = written.decode(errors="replace").strip()
    if process.returncode:
        raise StackError(f"{Path(argv[0]).name} failed ({ended(process.returncode)}):\n{last_lines(text)}")
    return text


def last_lines(text: str, count: int = 12) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:])


def ended(code: int) -> str:
    """How a process ended, in words."""
    return signal.Signals(-code).name if code < 0 else f"status {code}"
