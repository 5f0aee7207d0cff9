"""What the bench and its load generators say to each other: an order in, one line of JSON; the attempts out, another.

Load is open-loop: calls are placed when the schedule says so, however the ones before them fare.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields

ANSWER_SECONDS = 2.0  # an answer later than this after its call was due is a failure
PATIENCE_SECONDS = 6.0  # for a whole call
LINE_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Order:
    """So many calls a second, for so long, to the numbers from `first` on. `ends` says who hangs up: `us`, `far`, or
    `nobody`, and then an attempt is over once it is answered; at `accepted` once its request is."""

    rate: float
    seconds: float
    first: int
    ends: str = "us"


@dataclass(slots=True)
class Attempt:
    """One call. Times are seconds since 1970; `fault` is empty where all went well."""

    to: str
    due: float
    asked: float = 0
    accepted: float = 0
    answered: float = 0
    ended: float = 0
    id: str = ""
    fault: str = ""

    @property
    def good(self) -> bool:
        return not self.fault and self.answered - self.due <= ANSWER_SECONDS


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an order. `delays` are (event type, seconds from the event to the webhook) where there are any."""

    attempts: list[Attempt]
    delays: list[tuple[str, float]]

    @property
    def wrong(self) -> str:
        """What went wrong with how many of the calls; empty where nothing did."""
        kinds = Counter(attempt.fault or "late" for attempt in self.attempts if not attempt.good)
        return ", ".join(f"{count} of {len(self.attempts)} calls: {kind}" for kind, count in kinds.items())


def number(serial: int) -> str:
    """A telephone number of our own for each call, so that its INVITE can be told from all others."""
    return f"+1202{5550000 + serial % 4_000_000:07d}"


Place = Callable[[Attempt, Order], Awaitable[None]]


async def obey(place: Place, delays: list[tuple[str, float]] | None = None) -> None:
    """Carries out the orders of standard input until it ends. `place` sees one call through."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        order = Order(**json.loads(line))
        attempts = await _carry_out(order, place)
        rows = [[getattr(a, f.name) for f in fields(Attempt)] for a in attempts]
        print(json.dumps({"attempts": rows, "delays": delays or []}), flush=True)
        if delays:
            delays.clear()


async def _carry_out(order: Order, place: Place) -> list[Attempt]:
    async def see_through(attempt: Attempt) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await place(attempt, order)
        except Exception as error:
            attempt.fault = f"{type(error).__name__}: {error}"[:120]

    start = time.time() + 0.05
    tasks, attempts = [], []
    for serial in range(round(order.rate * order.seconds)):
        attempt = Attempt(number(order.first + serial), start + serial / order.rate)
        if (pause := attempt.due - time.time()) > 0:
            await asyncio.sleep(pause)
        attempts.append(attempt)
        tasks.append(asyncio.create_task(see_through(attempt)))
    await asyncio.gather(*tasks)
    return attempts
