"""`make soak`: places calls at a steady rate, waits until all is quiet, and looks at what is left. Exits with 1 where
anything is, or where a process of the service or Asterisk grows.

    python -m bench.soak [--calls 10000] [--rate 50] [--retention 60]
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import click
from redis.asyncio import Redis

from bench.child import FarEnd, Generator
from bench.growth import Growth
from bench.leftovers import stray
from bench.rig import Rig, rig
from service.store import keys

NUMBER = "+12025551234"
INBOUND = 0.1  # of all calls
BOUNDS = {"service": 200.0, "asterisk": 400.0}  # KB that a process may grow for each 1,000 calls, over the second half
WARM = 300  # calls before the first look
QUIET_SECONDS = 60
DAY = 86_400
EXPECTED = {"": 0.8, "call.busy": 0.1, "call.no_answer": 0.1}  # by the last digit of the number called


@click.command()
@click.option("--calls", default=10_000, help="calls to place")
@click.option("--rate", default=50.0, help="calls a second, outbound and inbound together")
@click.option("--retention", default=60.0, help="how long an ended call is kept, seconds")
def main(calls: int, rate: float, retention: float) -> None:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        left = asyncio.run(soak(Path(folder), calls, rate, retention))
    for fault in left:
        print(f"FAULT  {fault}")
    print("soak: " + ("nothing left, nothing grows" if not left else f"{len(left)} faults"))
    sys.exit(1 if left else 0)


async def soak(folder: Path, calls: int, rate: float, retention: float) -> list[str]:
    """Prints what was seen, and returns what is wrong with it."""
    out, seconds, growth = rate * (1 - INBOUND), calls / rate, Growth()
    async with (
        rig(folder, {"ORBIT_RETENTION_DAYS": f"{retention / DAY:.6f}"}) as on,
        FarEnd(on.far_port, "ends"),
        Generator("bench.api_load", on.url, on.key) as us,
    ):
        await us.run(out, WARM / out)
        watching = asyncio.create_task(growth.watch(rate, watched(on)))
        report, inbound = await asyncio.gather(
            us.run(out, seconds), on.sipp.call(NUMBER, on.sip_addr, rate * INBOUND, seconds)
        )
        watching.cancel()
        ended = Counter(attempt.fault for attempt in report.attempts)
        kinds = ", ".join(f"{count} {kind or 'completed'}" for kind, count in ended.items())
        print(f"{ended.total()} calls outbound: {kinds}")
        print(f"{inbound[0]} calls inbound: {inbound[1]} answered and hung up")
        left = await remains(on, retention)
    for name in growth.points:
        shown = " → ".join(f"{mb:.1f}" for mb in growth.over_time(name))
        print(f"{name:<24} {shown} MB, {growth.per_thousand(name):+.0f} KB per 1,000 calls")
    return left + wrong_ends(ended, inbound) + growing(growth)


def watched(on: Rig) -> dict[str, int]:
    """The processes to watch: each of the service, Asterisk, Redis."""
    named = {"asterisk": on.stack.pid("asterisk"), "redis": on.stack.pid("redis")}
    return {f"service {pid}": pid for pid in on.pids("service")} | named


def wrong_ends(ended: Mapping[str, int], inbound: tuple[int, int]) -> list[str]:
    """Calls that did not end as the far end wanted it."""
    wrong = [f"{count} calls ended with {kind}" for kind, count in ended.items() if kind not in EXPECTED]
    total = sum(ended.values())
    wrong += [
        f"{ended.get(kind, 0)} of {total} calls ended with {kind or 'completed'}, {share:.0%} were to"
        for kind, share in EXPECTED.items()
        if abs(ended.get(kind, 0) - share * total) > 1
    ]
    return wrong + ([f"{inbound[0] - inbound[1]} inbound calls failed"] if inbound[0] != inbound[1] else [])


def growing(growth: Growth) -> list[str]:
    """Processes that grow by more than their bound."""
    found = []
    for name in growth.points:
        bound = BOUNDS.get(name.split()[0])
        if bound is not None and growth.per_thousand(name) > bound:
            found.append(f"{name} grows by {growth.per_thousand(name):.0f} KB per 1,000 calls, more than {bound:.0f}")
    return found


async def remains(on: Rig, retention: float) -> list[str]:
    """What is there once all is quiet and no call is kept any more; printed, and returned where it should not be."""
    redis: Any = Redis.from_url(on.stack.env["ORBIT_REDIS_URL"])
    async with redis:
        memory = [(await redis.info("memory"))["used_memory"]]
        stored = await redis.zcard(keys.calls_by("all"))
        found = await _settled(on, redis, QUIET_SECONDS)
        kept = stored
        deadline = time.monotonic() + retention + QUIET_SECONDS
        while kept and time.monotonic() < deadline:
            await asyncio.sleep(1)
            kept = await redis.zcard(keys.calls_by("all"))
        memory.append((await redis.info("memory"))["used_memory"])
        found |= await stray(redis)
    found["calls kept longer than the retention"] = kept
    print(f"Redis: {memory[0] / 1e6:.1f} MB with {stored} calls, {memory[1] / 1e6:.1f} MB with {kept}")
    for what, count in found.items():
        print(f"{count:>6}  {what}")
    return [f"{count} {what}" for what, count in found.items() if count]


async def _settled(on: Rig, redis: Any, seconds: float) -> dict[str, int]:
    """Channels, bridges, live calls and strays, once all are 0, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = {**await _in_asterisk(on), "live calls": await redis.scard(keys.LIVE), **await stray(redis)}
        if not any(found.values()) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


async def _in_asterisk(on: Rig) -> dict[str, int]:
    url, user, password = on.ari
    headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
    found = {}
    async with aiohttp.ClientSession(headers=headers) as session:
        for what in ("channels", "bridges"):
            async with session.get(f"{url}/{what}") as answer:
                found[what] = len(await answer.json())
    return found


if __name__ == "__main__":
    main()
