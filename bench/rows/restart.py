"""How long after a SIGKILL with live calls a new process has them all."""

import asyncio
import time
from collections.abc import Collection

import aiohttp

from bench import arms
from bench.child import FarEnd, Generator
from bench.figures import Row
from bench.rig import Rig, rig
from bench.rows.plan import Plan

CALLS, RATE = 500, 40.0
POLL = 0.01


async def measure(plan: Plan) -> list[Row]:
    rounds = arms.Rounds()
    async with (
        rig(plan.home("restart")) as on,
        FarEnd(on.far_port),
        Generator("bench.api_load", on.url, on.key) as us,
    ):
        report = await us.run(RATE, CALLS / RATE, "nobody")
        live = [attempt.id for attempt in report.attempts if attempt.good]
        for _ in range(plan.rounds):
            chosen = {live[0], live[len(live) // 2], live[-1]}  # other ones in each round
            live = [call_id for call_id in live if call_id not in chosen]
            await on.stack.kill("service")
            await _start(rounds, on, chosen)
    plan.say(f"restart: ready after {rounds['ready']:.2f} s, adopted after {rounds['adopted']:.2f} s")
    how = (
        f"SIGKILL with {CALLS} live calls, a new process at once; from its start to /readyz 200 and the end, by the "
        "API's hang-up and Asterisk's event, of the first, a middle and the last of them"
    )
    detail = f"{len(report.attempts)} live calls, ready after {rounds['ready']:.2f} s"
    return [Row("restart with 500 live calls, to adopted", rounds["adopted"], 2, "s", detail, how)]


async def _start(rounds: arms.Rounds, on: Rig, chosen: Collection[str]) -> None:
    start = time.monotonic()
    starting = asyncio.create_task(on.stack.start("service"))
    async with aiohttp.ClientSession(on.url, headers={"X-API-Key": on.key}) as api:
        await _ready(api)
        rounds.note("ready", time.monotonic() - start)
        await asyncio.gather(*(_end(api, call_id) for call_id in chosen))
        rounds.note("adopted", time.monotonic() - start)
    await starting


async def _ready(api: aiohttp.ClientSession) -> None:
    while True:
        try:
            async with api.get("/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(POLL)


async def _end(api: aiohttp.ClientSession, call_id: str) -> None:
    async with api.post(f"/v1/voice/calls/{call_id}/hangup") as answer:
        assert answer.status == 200, await answer.text()
    while True:
        async with api.get(f"/v1/voice/calls/{call_id}") as answer:
            if (await answer.json())["data"]["status"] == "completed":
                return
        await asyncio.sleep(POLL)
