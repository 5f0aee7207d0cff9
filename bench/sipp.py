"""SIPp: the far end of calls, and the first arm, which calls the dialplan itself."""

import csv
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from service.stack.process import end, spawn

SCENARIOS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sipp:
    """`argv` runs SIPp; what it writes goes to `folder`; its media port is `media_port`, where nothing is heard."""

    argv: tuple[str, ...]
    folder: Path
    media_port: int

    @asynccontextmanager
    async def far_end(self, port: int, scenario: str = "uas.xml") -> AsyncIterator[Process]:
        """Answers every call to `port`."""
        process = await self.spawn(scenario, port)
        try:
            yield process
        finally:
            await end(process, 0)

    async def call(self, to: str, at: str, rate: float, seconds: float) -> tuple[int, int]:
        """Places calls to `to` at `at` (host:port), open-loop. Returns how many were placed and how many were good:
        answered within 2 s and ended in order."""
        figures = self.folder / "uac.csv"
        figures.unlink(missing_ok=True)
        count = round(rate * seconds)
        process = await self.spawn(
            "uac.xml", 0, at, "-s", to, "-r", f"{rate:.0f}", "-m", f"{count}", "-l", f"{count}",
            "-trace_stat", "-fd", "1", "-stf", str(figures), "-timeout", f"{seconds + 8:.0f}",
        )  # fmt: skip
        try:
            await process.wait()
        finally:
            await end(process, 0)
        return count, good(figures.read_text())

    async def spawn(self, scenario: str, port: int, *more: str, ip: str = "127.0.0.1") -> Process:
        """Starts SIPp with a scenario of this folder; `port` 0 is any. Whoever starts it ends it."""
        own = ("-p", f"{port}") if port else ()
        argv = (
            *self.argv, "-sf", str(SCENARIOS / scenario), "-i", ip, *own, "-mp", f"{self.media_port}",
            "-nostdin", "-trace_err", "-error_file", str(self.folder / f"{scenario}.err"), *more,
        )  # fmt: skip
        return await spawn(argv, {"PATH": "/usr/bin:/bin", "TERM": "dumb"}, self.folder / f"{scenario}.log")


def good(figures: str) -> int:
    """Calls that went well and were answered within 2 s, by the last row of SIPp's statistics."""
    rows = list(csv.DictReader(figures.splitlines(), delimiter=";"))
    if not rows:
        return 0
    late = int(rows[-1]["ResponseTimeRepartition1_>=2000(C)"])
    return int(rows[-1]["SuccessfulCall(C)"]) - late
