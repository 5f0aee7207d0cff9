"""What a call takes and costs, at a low rate and at half of what we sustain: R1, us, and a bare handler in turn."""

from typing import Any

from redis.asyncio import Redis

from bench import arms
from bench.child import Child, FarEnd, Generator
from bench.figures import Row, percentile
from bench.order import Report
from bench.processes import cpu_seconds
from bench.rig import Rig, rig
from bench.rows.plan import Plan

LOW = 20.0  # calls/s
SECONDS = 5.0


async def measure(plan: Plan) -> list[Row]:
    rounds = arms.Rounds()
    seconds = 4.0 if plan.quick else SECONDS
    async with rig(plan.home("cost")) as on, FarEnd(on.far_port) as far:
        for _ in range(plan.rounds):
            async with arms.without_service(on), arms.raw(on) as raw:
                for at, rate in (("low", LOW), ("half", plan.half)):
                    await _raw(rounds, at, raw, far, rate, seconds)
            async with arms.us(on) as us:
                for at, rate in (("low", LOW), ("half", plan.half)):
                    await _us(rounds, at, on, us, far, rate, seconds)
            await _bare(rounds, on, seconds)
            plan.say(f"CPU per call: R1 {rounds['R1 half cpu']:.2f} ms, Us {rounds['Us half cpu']:.2f} ms")
    return _rows(rounds, plan.half)


async def _raw(rounds: arms.Rounds, at: str, raw: Generator, far: FarEnd, rate: float, seconds: float) -> None:
    await far.noted()
    before = cpu_seconds([raw.pid])
    report = await raw.run(rate, seconds)
    rounds.note(f"R1 {at} cpu", _each(cpu_seconds([raw.pid]) - before, report))
    await _reach(rounds, f"R1 {at}", report, far)


async def _us(rounds: arms.Rounds, at: str, on: Rig, us: Generator, far: FarEnd, rate: float, seconds: float) -> None:
    await far.noted()
    service, store = on.pids("service"), on.pids("redis")
    redis: Any = Redis.from_url(on.stack.env["ORBIT_REDIS_URL"])
    async with redis:
        before = cpu_seconds(service), cpu_seconds(store), await _reads(redis)
        report = await us.run(rate, seconds)
        after = cpu_seconds(service), cpu_seconds(store), await _reads(redis)
    rounds.note(f"Us {at} cpu", _each(after[0] - before[0], report))
    rounds.note(f"Us {at} redis cpu", _each(after[1] - before[1], report))
    rounds.note(f"Us {at} trips", (after[2] - before[2]) / len(report.attempts))
    await _reach(rounds, f"Us {at}", report, far)
    rounds.note(f"Us {at} accepted", _accepted(report))


async def _bare(rounds: arms.Rounds, on: Rig, seconds: float) -> None:
    async with (
        Child("bench.bare_handler", on.stack.env["ORBIT_REDIS_URL"]) as bare,
        Generator("bench.api_load", bare.greeting) as load,
    ):
        await load.run(LOW, 1, "accepted")
        rounds.note("bare accepted", _accepted(await load.run(LOW, seconds, "accepted")))


async def _reads(redis: Any) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])


async def _reach(rounds: arms.Rounds, name: str, report: Report, far: FarEnd) -> None:
    noted = await far.noted()
    reached = [(noted[a.to] - a.asked) * 1000 for a in report.attempts if a.to in noted]
    for share in (50, 99):
        rounds.note(f"{name} p{share}", percentile(reached, share / 100))


def _each(seconds: float, report: Report) -> float:
    """Milliseconds a call."""
    return seconds * 1000 / len(report.attempts)


def _accepted(report: Report) -> float:
    return percentile([(a.accepted - a.asked) * 1000 for a in report.attempts if a.accepted], 0.5)


def _rows(rounds: arms.Rounds, half: float) -> list[Row]:
    rows = []
    invite = "the request's start to the kernel's time stamp of the INVITE at a far end of the bench's own"
    for at, rate in (("low", LOW), ("half", half)):
        for share, target in (("p50", 1.3), ("p99", 2.0)):
            raw, us = rounds[f"R1 {at} {share}"], rounds[f"Us {at} {share}"]
            detail = f"R1 {raw:.1f}, Us {us:.1f} ms"
            rows.append(
                Row(f"POST → INVITE {share} at {rate:.0f} calls/s, Us ÷ R1", us / raw, target, "", detail, invite)
            )
    bare, accepted = rounds["bare accepted"], rounds["Us low accepted"]
    raw_cpu, us_cpu, store = rounds["R1 half cpu"], rounds["Us half cpu"], rounds["Us half redis cpu"]
    return [
        *rows,
        Row(
            "POST accepted p50 ÷ bare handler", accepted / bare, 1.5, "", f"bare {bare:.2f}, Us {accepted:.2f} ms",
            f"{LOW:.0f} a second to each; the bare one is `bench/bare_handler.py` on asyncio's own loop",
        ),
        Row(
            f"CPU per call at {half:.0f} calls/s, Us ÷ R1", us_cpu / raw_cpu, 3, "",
            f"R1 {raw_cpu:.2f}, Us {us_cpu:.2f} ms, Redis beside it {store:.2f} ms",
            "user and system time of the service's processes, and of R1's script, which is its own load generator",
        ),
        Row(
            f"Redis round trips per call at {half:.0f} calls/s", rounds["Us half trips"], 12, "",
            f"at {LOW:.0f} calls/s {rounds['Us low trips']:.1f}",
            "Redis' `total_reads_processed`: reads of clients' sockets, a pipeline that comes in one piece is one; the "
            "service's polling is in it",
        ),
    ]  # fmt: skip
