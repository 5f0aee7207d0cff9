"""What runs in an ORBIT_HOME, as a table."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.stack import probes
from service.stack.home import Home, read_variables
from service.stack.nodes import names, number_of, numbered
from service.stack.workers import workers

URLS = {"redis": "ORBIT_REDIS_URL", "carrier": "ORBIT_CARRIER_ARI_URL", "service": "ORBIT_URL"}


@dataclass(frozen=True, slots=True)
class Row:
    """One part, or one worker of the service. `state` is `up`, `not ready` (it runs and does not answer) or `down`;
    uptime in seconds."""

    part: str
    pid: int | None = None
    port: int | None = None
    state: str = "down"
    uptime: float | None = None


async def status(home: Home) -> list[Row]:
    """A row for each part, and for each worker after the service."""
    env = read_variables(home.env)
    if home.owner() is None:
        return [Row(name) for name in names(env)]
    rows = list(await asyncio.gather(*(_row(home, name, env) for name in names(env))))
    return rows + [_worker(home, name, pid) for name, pid in workers(home).items()]


async def _row(home: Home, name: str, env: dict[str, str]) -> Row:
    try:
        file = home.pid_file(name)
        pid, uptime = int(file.read_text()), time.time() - file.stat().st_mtime
    except (FileNotFoundError, ValueError):
        return Row(name)
    answers = await probes.part(name, env)
    return Row(name, pid, urlsplit(env[_url(name)]).port, "up" if answers else "not ready", uptime)


def _url(name: str) -> str:
    return URLS.get(name) or numbered("ORBIT_ARI_URL", number_of(name))


def _worker(home: Home, name: str, pid: int) -> Row:
    file = home.worker_file(name)
    since = file.stat().st_mtime if file.exists() else time.time()
    return Row(f"  {name}", pid, None, "up", time.time() - since)


def table(rows: list[Row]) -> str:
    """The rows for a terminal."""
    wide = max(10, *(len(row.part) + 2 for row in rows))
    lines = [("part", "pid", "port", "state", "uptime")]
    lines += [(r.part, str(r.pid or "-"), str(r.port or "-"), r.state, _ago(r.uptime)) for r in rows]
    return "\n".join(f"{part:<{wide}}{pid:>8}{port:>8}  {state:<10}{up:>12}" for part, pid, port, state, up in lines)


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
