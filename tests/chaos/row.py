"""One row of the table: a steady flow, a fault, its end, and the three books afterwards."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from tests.chaos import sipp
from tests.chaos.compare import Books, Findings, compare
from tests.chaos.faults import Fault
from tests.chaos.flow import Flow
from tests.chaos.numbers import Plan, callers
from tests.chaos.outcome import Death
from tests.chaos.records import ENDED, party, records
from tests.chaos.recovery import recovery
from tests.chaos.scene import Scene

CALLS_A_SECOND = 8.0  # that the API is asked for
CALLERS_A_SECOND = 2.0  # on all nodes together
TALK_SECONDS = 5
IN_FLIGHT = 45  # calls, before a fault strikes
STEADY_SECONDS = 12  # longest wait for them
WHOLE_SECONDS = 15  # longest wait for all parts to run again
DRAIN_SECONDS = 30  # longest wait for the books to be complete
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a fault. `last`: the last sign that something did not work."""

    fault: Fault
    began: float
    in_flight: int
    calls: int
    findings: Findings
    seconds: float
    last: str
    books: Books

    @property
    def failures(self) -> list[str]:
        """Every difference, and a target that was missed."""
        late = self.seconds > self.fault.target
        missed = [f"recovery: {self.seconds:.1f} s, {self.fault.target:g} s at most: {self.last}"] if late else []
        return [f"{self.fault.name}: {line}" for line in (*self.findings.differences, *missed)]


async def failures(scene: Scene, row: Row) -> list[str]:
    """The row's failures once all rows are done: marks what has come right since, and adds what has gone wrong."""
    known = {*row.books.orders, *row.books.callers}
    mine = [record for record in await records(scene.api, row.began) if party(record) in known]
    arrivals, sightings = tuple(scene.receiver.arrivals), tuple(scene.book.read())
    books = replace(row.books, records=tuple(mine), arrivals=arrivals, sightings=sightings)
    now = [f"{row.fault.name}: {line}" for line in compare(books).differences]
    then = [line if line in now or ": recovery: " in line else f"{line} (right by the end)" for line in row.failures]
    return [*then, *(f"{line} (since its row)" for line in now if line not in row.failures)]


async def run(scene: Scene, fault: Fault, plans: Iterator[Plan], wanted: int = IN_FLIGHT) -> Row:
    """Runs one fault and returns when its calls have ended and the books are complete, or will not be. It strikes when
    as many calls as `wanted` are on."""
    began = time.time()
    async with AsyncExitStack() as opened:
        inbound, numbers = await _callers(scene, opened)
        flow = await opened.enter_async_context(Flow(scene.url, scene.key, plans, CALLS_A_SECOND))

        def alive() -> int:
            mine = [seen for seen in scene.book.read() if seen.number in flow.orders or seen.number in numbers]
            return sum(not seen.end for seen in mine)

        end = time.monotonic() + STEADY_SECONDS
        while alive() < wanted and time.monotonic() < end:  # noqa: ASYNC110 (it is in SIPp's log)
            await asyncio.sleep(LOOK_SECONDS)
        in_flight = alive()
        since = time.time()
        lifted = since
        death = Death(scene.sip_ports[0], since) if fault.node_dies else None
        await fault.strike(scene)
        if fault.lift:
            await asyncio.sleep(fault.seconds)
            since = since if fault.cope else time.time()
            await fault.lift(scene)
            lifted = time.time()
        await _whole(scene)
        await asyncio.sleep(max(0.0, lifted + fault.target + 1 - time.time()))
        await flow.stop()
        for each in inbound:
            each.finish()
        end = time.monotonic() + DRAIN_SECONDS
        while True:
            books = Books(
                flow.orders,
                numbers,
                tuple(scene.book.read()),
                tuple(await records(scene.api, began)),
                tuple(scene.receiver.arrivals),
                death,
                fault.node_away,
            )
            findings = compare(books)
            if (_over(books, flow) and not findings.differences) or time.monotonic() > end:
                break
            await asyncio.sleep(1)
    seconds, last = recovery(books, since, fault.recordings, fault.cope)
    calls = len(books.orders) + sum(seen.number in numbers for seen in books.sightings)
    return Row(fault, began, in_flight, calls, findings, seconds, last, books)


async def _callers(scene: Scene, opened: AsyncExitStack) -> tuple[list[sipp.Sipp], frozenset[str]]:
    """One SIPp that calls us on each node, and all their numbers."""
    scene.rows += 1
    started, numbers = [], []
    for node, port in enumerate(scene.sip_ports):
        mine = callers(scene.rows, node)
        name, rate = f"caller-{scene.rows}-{node}", CALLERS_A_SECOND / len(scene.sip_ports)
        each = await sipp.caller(scene.tree, scene.folder, name, port, mine, rate, TALK_SECONDS).start(scene.book)
        opened.push_async_callback(each.stop)
        started.append(each)
        numbers += mine
    return started, frozenset(numbers)


def _over(books: Books, flow: Flow) -> bool:
    """Whether nothing can be added to the books any more."""
    mine = [seen for seen in books.sightings if seen.number in books.orders or seen.number in books.callers]
    ended = all(seen.end or (books.death and books.death.took(seen)) for seen in mine)
    return ended and flow.settled and all(record["status"] in ENDED for record in books.records)


async def _whole(scene: Scene) -> None:
    end = time.monotonic() + WHOLE_SECONDS
    while time.monotonic() < end and not await scene.whole():  # noqa: ASYNC110 (it is other processes that are asked)
        await asyncio.sleep(LOOK_SECONDS)
