"""Whether a page of calls costs the same however many there are, and however deep it lies."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from redis.asyncio import Redis

from bench import arms
from bench.child import FarEnd, Generator
from bench.figures import Row, percentile
from bench.fill import DAYS, fill
from bench.rig import Rig, rig
from bench.rows.plan import Plan

FEW, MANY, LIMIT = 1_000, 1_000_000, 50
REQUESTS = 100  # a round


async def measure(plan: Plan) -> list[Row]:
    many = MANY // 10 if plan.quick else MANY
    rounds = arms.Rounds()
    async with rig(plan.home("pages")) as on:
        async with FarEnd(on.far_port), Generator("bench.api_load", on.url, on.key) as us:
            (call,) = (await us.run(1, 1)).attempts
        async with aiohttp.ClientSession(on.url, headers={"X-API-Key": on.key}) as api:
            await _fill(on, call.id, FEW)
            for _ in range(plan.rounds):
                rounds.note("few", await _page(api))
            start = time.monotonic()
            await _fill(on, call.id, many - FEW)
            plan.say(f"{many:,} calls in {time.monotonic() - start:.0f} s")
            cursor = await _deep(api)
            for _ in range(plan.rounds):
                rounds.note("many", await _page(api))
                rounds.note("deep", await _page(api, cursor=cursor))
    few, first, deep = rounds["few"], rounds["many"], rounds["deep"]
    where = f"the cursor lies at the middle of {many:,} calls"
    how = f"p50 of {REQUESTS} requests one after the other, `limit={LIMIT}`; copies of an ended call in Redis"
    return [
        Row(f"page of {LIMIT} at {many:,} calls ÷ at {FEW:,}", first / few, 1.2, "", f"{few:.2f}, {first:.2f} ms", how),
        Row("deep page ÷ first", deep / first, 1.2, "", f"{deep:.2f} ms", where),
    ]


async def _fill(on: Rig, call_id: str, count: int) -> None:
    redis: Any = Redis.from_url(on.stack.env["ORBIT_REDIS_URL"])
    async with redis:
        await redis.config_set("appendonly", "no")  # for the time of the fill
        await fill(redis, call_id, count)


async def _page(api: aiohttp.ClientSession, **query: str) -> float:
    """Milliseconds that one page takes."""
    took = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        await _get(api, **query)
        took.append((time.perf_counter() - start) * 1000)
    return percentile(took, 0.5)


async def _deep(api: aiohttp.ClientSession) -> str:
    """A cursor in the middle of all calls."""
    middle = datetime.now(UTC) - timedelta(days=DAYS / 2)
    page = await _get(api, created_before=middle.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    return str(page["meta"]["pagination"]["cursor"])


async def _get(api: aiohttp.ClientSession, **query: str) -> Any:
    async with api.get("/v1/voice/calls", params={"limit": str(LIMIT), **query}) as answer:
        page = await answer.json()
        assert answer.status == 200, page
        assert len(page["data"]) == LIMIT
        return page
