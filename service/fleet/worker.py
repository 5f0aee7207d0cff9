"""One process that serves, from its start to its end."""

import asyncio
import os
import signal
import socket
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from service.fleet.child import handed, leashed
from service.fleet.scoreboard import gone
from service.handover import Notices, tell

log = structlog.get_logger()


class Worker:
    """A child under its name. `ready` is set once it takes calls; `pid_file` is there as long as it runs."""

    def __init__(self, name: str, process: Process, ready: asyncio.Event, pid_file: Path) -> None:
        self.name, self.pid, self.ready = name, process.pid, ready
        self._process, self._pid_file = process, pid_file
        with suppress(OSError):  # a full disk is no reason not to serve
            pid_file.write_text(f"{self.pid}\n")

    async def ended(self) -> int:
        """Its exit status, once it has ended; the negative number of a signal that killed it."""
        status = await self._process.wait()
        self._pid_file.unlink(missing_ok=True)
        gone(self.pid)
        return status

    async def end(self, seconds: float) -> None:
        """Asks it to stop and returns when it is gone. After `seconds` it is killed, and at once where it is halted."""
        if seconds > 0 and not halted(self.pid):
            self._send(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), seconds)
        if self._process.returncode is None:
            log.warning("worker killed", worker=self.name, pid=self.pid)
            self.kill()
        await self.ended()

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)  # `Process.send_signal` would reap an ended one behind asyncio's back


class Workers:
    """Starts workers that run `argv`, share one listening socket, and have their pid files in one folder. Hears which
    of them are ready, and passes it on to whoever watches over the fleet."""

    def __init__(self, argv: Sequence[str], listener: socket.socket, folder: Path) -> None:
        self._command, self._listener, self._folder = leashed(handed(argv)), listener, folder
        self._notices = Notices()
        self._ready: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)  # by pid
        asyncio.get_running_loop().add_reader(self._notices, self._hear)

    async def start(self, name: str) -> Worker:
        """A new process. Raises `OSError` where there can be none."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, "ORBIT_PROCESS": name, "LISTEN_FDS": "1", "NOTIFY_SOCKET": self._notices.address},
            stdin=self._listener.fileno(),
            start_new_session=True,  # a terminal's Ctrl-C is the fleet's to hand on
        )
        self._ready[process.pid] = asyncio.Event()  # a number that was used before is nobody's any more
        return Worker(name, process, self._ready[process.pid], self._folder / f"worker-{name}.pid")

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._notices)
        self._notices.close()

    def _hear(self) -> None:
        for pid in self._notices.ready():
            self._ready[pid].set()
            tell("READY=1")


def halted(pid: int) -> bool:
    """Whether a process is stopped by a signal (proc_pid_stat(5))."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt"
    return False
