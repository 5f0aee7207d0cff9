"""How many calls a second each arm sustains: the highest rate with no failure, no late answer, no long queue."""

from collections.abc import Awaitable, Callable

from bench import arms
from bench.child import Generator
from bench.figures import Row
from bench.rig import DIALPLAN, Rig, rig
from bench.rows.plan import Plan
from bench.search import highest

SECONDS = 3.0  # of a step
QUEUE = 450  # Asterisk takes no new calls from 500 on
START = {"R0": 200.0, "R1": 80.0, "Us": 40.0}  # calls/s
COARSE, FINE = 1.4, 1.07

Trial = Callable[[float], Awaitable[str]]  # what went wrong at a rate, or nothing


async def measure(plan: Plan) -> list[Row]:
    seconds = 2.0 if plan.quick else SECONDS
    rounds = arms.Rounds()

    async def search(arm: str, on: Rig, trial: Trial) -> None:
        async def holds(rate: float) -> bool:
            await on.longest_queue()
            wrong, queue = await trial(rate), await on.longest_queue()
            if not wrong and queue > QUEUE:
                wrong = f"a queue of {queue}"
            if wrong:
                plan.say(f"{arm} at {rate:.0f} calls/s: {wrong}")
            await on.quiet(15)
            return not wrong

        known = arm in rounds  # near what was found before
        rate = await highest(holds, rounds[arm] * 0.85 if known else START[arm], 1.15 if known else COARSE, FINE)
        rounds.note(arm, rate)
        plan.say(f"{arm} sustained {rate:.0f} calls/s")

    def through(generator: Generator) -> Trial:
        async def trial(rate: float) -> str:
            return (await generator.run(rate, seconds)).wrong

        return trial

    async with rig(plan.home("sustained")) as on:

        async def dialplan(rate: float) -> str:
            placed, good = await on.sipp.call(DIALPLAN, on.sip_addr, rate, seconds)
            return f"{placed - good} of {placed} calls" if good < placed else ""

        for _ in range(plan.rounds):
            async with arms.without_service(on):
                await search("R0", on, dialplan)
                async with on.sipp.far_end(on.far_port), arms.raw(on) as raw:
                    await search("R1", on, through(raw))
            async with on.sipp.far_end(on.far_port), arms.us(on) as us:
                await search("Us", on, through(us))
    plan.half = rounds["Us"] / 2
    detail = f"R0 {rounds['R0']:.0f}, R1 {rounds['R1']:.0f}, Us {rounds['Us']:.0f} calls/s"
    how = (
        f"open-loop, steps of {seconds:g} s, up until a call fails, an answer comes later than 2 s after it was due, "
        f"or a task processor's queue passes {QUEUE}; R0 is SIPp straight to the dialplan, R1 `bench/raw_ari.py`"
    )
    return [Row("sustained calls/s, Us ÷ R1", rounds["Us"] / rounds["R1"], 0.85, "", detail, how, least=True)]
