"""What a live call holds in the service's memory."""

from bench.child import FarEnd, Generator
from bench.figures import Row
from bench.processes import memory_kb
from bench.rig import rig
from bench.rows.plan import Plan

CALLS, RATE = 1000, 40.0


async def measure(plan: Plan) -> list[Row]:
    calls = CALLS // 2 if plan.quick else CALLS
    async with (
        rig(plan.home("memory"), calls=calls + 500) as on,
        FarEnd(on.far_port),
        Generator("bench.api_load", on.url, on.key) as us,
    ):
        await us.run(RATE, 8)  # what is made once, is made
        service = on.pids("service")
        before = memory_kb(service)
        report = await us.run(RATE, calls / RATE, "nobody")
        live = sum(1 for attempt in report.attempts if attempt.good)
        each = (memory_kb(service) - before) / live
    plan.say(f"memory: {each:.1f} KB for each of {live} live calls")
    how = "growth of the service's own memory after a warm-up, by the calls that are held; their media is `inactive`"
    return [Row("memory per live call in the service", each, 20, "KB", f"{live} live calls", how)]
