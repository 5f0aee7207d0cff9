"""How soon a webhook goes out at 500 events a second, alone and beside an endpoint that takes and never answers."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench import arms
from bench.figures import Row, percentile
from bench.order import Report
from bench.rig import Rig, rig
from bench.rows.plan import Plan

EVENTS_EACH = 4  # initiated, ringing, answered, completed
RATE = 500 / EVENTS_EACH
SECONDS = 6.0


async def measure(plan: Plan) -> list[Row]:
    rounds = arms.Rounds()
    seconds = 4.0 if plan.quick else SECONDS
    async with rig(plan.home("webhooks")) as on, on.sipp.far_end(on.far_port, "uas_hangs_up.xml"), arms.us(on) as us:
        for _ in range(plan.rounds):
            _note(rounds, "alone", await us.run(RATE, seconds, "far"))
            await on.quiet(40)
        async with dead_endpoint(on):
            for _ in range(plan.rounds):
                _note(rounds, "beside", await us.run(RATE, seconds, "far"))
                await on.quiet(40)
    plan.say(f"webhooks: p50 {rounds['alone p50']:.1f} ms, p99 {rounds['alone p99']:.1f} ms")
    how = (
        f"{RATE:.0f} calls/s of {EVENTS_EACH} events, hung up by the far end; from the event's `created_at`, which is "
        "Asterisk's time, to the receiver's first byte"
    )
    dead = "the same beside a subscribed endpoint that takes connections and never answers"
    beside = {share: rounds[f"beside {share}"] for share in ("p50", "p99")}
    rate = f"{rounds['alone rate']:.0f} events/s, {rounds['alone good']:.0f} % of the calls good"
    return [
        Row("event → first webhook p50", rounds["alone p50"], 10, "ms", rate, how),
        Row("event → first webhook p99", rounds["alone p99"], 50, "ms", "", how),
        *(
            Row(
                f"the same with a dead endpoint {share}, ÷ without", value / rounds[f"alone {share}"], 1.2, "",
                f"{value:.1f} ms", dead,
            )
            for share, value in beside.items()
        ),
    ]  # fmt: skip


def _note(rounds: arms.Rounds, name: str, report: Report) -> None:
    delays = [seconds * 1000 for _, seconds in report.delays]
    for share in (50, 99):
        rounds.note(f"{name} p{share}", percentile(delays, share / 100))
    took = max(a.ended for a in report.attempts) - min(a.asked for a in report.attempts)
    rounds.note(f"{name} rate", len(delays) / took)
    rounds.note(f"{name} good", 100 * sum(a.good for a in report.attempts) / len(report.attempts))


@asynccontextmanager
async def dead_endpoint(on: Rig) -> AsyncIterator[None]:
    """Subscribes an endpoint whose connections the kernel takes, and nobody else."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as dead:
        url = f"http://127.0.0.1:{dead.getsockname()[1]}/"
        async with (
            aiohttp.ClientSession(on.url, headers={"X-API-Key": on.key}) as session,
            session.post("/v1/webhooks", json={"url": url, "events": ["*"]}) as answer,
        ):
            assert answer.status == 201, await answer.text()
        yield
