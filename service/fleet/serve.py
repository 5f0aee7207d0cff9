"""The parent: it owns the API's socket and the workers that accept from it, and does nothing else."""

import asyncio
import re
import signal
import socket
import sys
import time
from pathlib import Path

import structlog

from service import log
from service.fleet.fleet import Fleet
from service.fleet.scoreboard import scoreboard
from service.fleet.worker import Workers
from service.settings import Settings

WORKER = (sys.executable, "-m", "service", "serve")
WAITING = 1024  # connections that wait to be accepted
LONGEST_NAME = 30  # of a fleet; a worker's has its number too
FREED = 2.0  # seconds in which the workers of a parent that was killed must have let the port go

logger = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT; SIGHUP replaces the workers one by one. Raises `OSError` where the address cannot
    be bound or ORBIT_HOME cannot be written."""
    if len(settings.process_name) > LONGEST_NAME:
        raise OSError(f"ORBIT_PROCESS: {LONGEST_NAME} letters at most")
    with bound(settings.api_host, settings.api_port) as listener, scoreboard():
        log.configure(settings.log_level)
        asyncio.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    name = settings.process_name
    workers = Workers(WORKER, listener, folder_of_pids(settings.home / "run", name))
    fleet = Fleet(name, settings.processes, workers.start)

    def stop() -> None:
        listener.close()  # nobody waits for workers that are about to leave
        fleet.stop()

    loop = asyncio.get_running_loop()
    for number, act in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, fleet.replace)):
        loop.add_signal_handler(number, act)
    logger.info("fleet started", workers=settings.processes)
    try:
        await fleet.run()
    finally:
        workers.close()


def bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    end = time.monotonic() + FREED
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=WAITING)
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def folder_of_pids(folder: Path, fleet: str) -> Path:
    """The folder, without what workers of a fleet that was killed have left there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("worker-*.pid"):
        ours = re.fullmatch(rf"worker-{re.escape(fleet)}-\d+\.pid", file.name)
        if ours and not Path("/proc", file.read_text().strip() or "none").exists():
            file.unlink()
    return folder
