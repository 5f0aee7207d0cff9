"""What runs in an ORBIT_HOME, as a table."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.stack import probes
from service.stack.home import Home, read_variables
from service.stack.parts import NAMES

URLS = {
    "redis": "ORBIT_REDIS_URL",
    "asterisk": "ORBIT_ARI_URL",
    "carrier": "ORBIT_CARRIER_ARI_URL",
    "service": "ORBIT_URL",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One part. `state` is `up`, `not ready` (it runs and does not answer) or `down`; uptime in seconds."""

    part: str
    pid: int | None = None
    port: int | None = None
    state: str = "down"
    uptime: float | None = None


async def status(home: Home) -> list[Row]:
    """A row for each part."""
    if home.owner() is None:
        return [Row(name) for name in NAMES]
    env = read_variables(home.env)
    return list(await asyncio.gather(*(_row(home, name, env) for name in NAMES)))


async def _row(home: Home, name: str, env: dict[str, str]) -> Row:
    try:
        file = home.pid_file(name)
        pid, uptime = int(file.read_text()), time.time() - file.stat().st_mtime
    except (FileNotFoundError, ValueError):
        return Row(name)
    answers = await probes.part(name, env)
    return Row(name, pid, urlsplit(env[URLS[name]]).port, "up" if answers else "not ready", uptime)


def table(rows: list[Row]) -> str:
    """The rows for a terminal."""
    lines = [("part", "pid", "port", "state", "uptime")]
    lines += [(r.part, str(r.pid or "-"), str(r.port or "-"), r.state, _ago(r.uptime)) for r in rows]
    return "\n".join("{:<10}{:>8}{:>8}  {:<10}{:>12}".format(*line) for line in lines)


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
