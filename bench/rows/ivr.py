"""What a menu costs: from a key to the next prompt, beside Asterisk's plainest menu; ten thousand flows beside ten."""

import asyncio
import re
import time
from typing import Any

import aiohttp

from bench import arms
from bench.figures import Row, percentile
from bench.key_caller import KeyCaller
from bench.rig import Rig, rig
from bench.rows.plan import Plan
from bench.trunk_caller import Caller

CARRIER = "127.0.0.40"
NUMBER, NATIVE = "+12025557001", "998"
KEYS, KEY = 12, 1  # a call's keys; each leads to the other one of two menus
FEW, MANY, QUICKLY = 10, 10_000, 1_000
AT_ONCE = 8  # flows that are made side by side
CALLS, PAUSE = 40, 0.02
UPDATES = 30
FAR_AWAY = 60.0  # seconds until all flows are on the node
ROW = re.compile(r"Value: (.*)")


async def measure(plan: Plan) -> list[Row]:
    rounds, taken = arms.Rounds(), {"ours": list[float](), "native": list[float]()}
    many = QUICKLY if plan.quick else MANY
    async with (
        rig(plan.home("ivr")) as on,
        aiohttp.ClientSession(on.url, headers={"X-API-Key": on.stack.env["ORBIT_LIVE_KEY"]}) as api,
    ):
        trunk = {
            "name": "carrier", "termination_uri": f"sip:127.0.0.1:{on.far_port}", "encryption": "none",
            "origination_uris": [f"sip:{CARRIER}"], "default": True,
        }  # fmt: skip
        await _made(api, "/v1/voice/sip-trunks", trunk)
        first, second = await _pair(api)
        await _made(api, "/v1/numbers", {"number": NUMBER, "route": {"type": "ivr", "target": first}})
        await _native(on, await _prompt(on, first), await _prompt(on, second))
        for _ in range(plan.rounds):
            for name, number in (("native", NATIVE), ("ours", NUMBER)):
                caller = KeyCaller(CARRIER, ("127.0.0.1", on.ports["sip_udp"]), number)
                taken[name] += [1000 * each for each in await asyncio.to_thread(caller.presses, KEY, KEYS)]
        plan.say("ivr: keys are pressed")
        flows = await _flows(api, range(FEW - 2))
        for _ in range(plan.rounds):
            rounds.note("few", await _set_up(on))
        start = time.monotonic()
        flows += await _flows(api, range(FEW - 2, many - 2))
        await _row(on, flows[-1], FAR_AWAY)
        plan.say(f"ivr: {many} flows are there, {1000 * (time.monotonic() - start) / (many - FEW):.1f} ms each")
        for _ in range(plan.rounds):
            rounds.note("many", await _set_up(on))
        pushes = [1000 * await _push(api, on, flows[serial], serial) for serial in range(UPDATES)]
    return _rows(taken, rounds, pushes, many)


async def _made(api: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> str:
    async with api.post(path, json=body) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["data"]["id"])


async def _flow(api: aiohttp.ClientSession, name: str, greeting: str, *options: dict[str, str]) -> str:
    menu = {"options": [{"key": "0", "action": "hangup"}, *options]}
    return await _made(api, "/v1/voice/ivr", {"name": name, "greeting": greeting, "menu": menu})


async def _pair(api: aiohttp.ClientSession) -> tuple[str, str]:
    """Two menus, whose key 1 leads to the other one."""
    second = await _flow(api, "second", "Two.")
    first = await _flow(api, "first", "One.", {"key": str(KEY), "action": "ivr", "target": second})
    back = [{"key": "0", "action": "hangup"}, {"key": str(KEY), "action": "ivr", "target": first}]
    async with api.put(f"/v1/voice/ivr/{second}", json={"menu": {"options": back}}) as answer:
        assert answer.status == 200, await answer.text()
    for flow in (first, second):
        await _active(api, flow)
    return first, second


async def _active(api: aiohttp.ClientSession, flow: str) -> None:
    async with asyncio.timeout(FAR_AWAY):
        while True:
            async with api.get(f"/v1/voice/ivr/{flow}") as answer:
                if (await answer.json())["data"]["status"] == "active":
                    return
            await asyncio.sleep(0.1)


async def _flows(api: aiohttp.ClientSession, serials: range) -> list[str]:
    """More flows, the last one of them active. All have the prompts of the first two."""
    found: list[str] = []
    for at in range(serials.start, serials.stop, AT_ONCE):
        block = range(at, min(at + AT_ONCE, serials.stop))
        found += await asyncio.gather(*(_flow(api, f"flow {serial}", "One.") for serial in block))
    await _active(api, found[-1])
    return found


async def _prompt(on: Rig, flow: str) -> str:
    """The greeting's file of a flow, as Asterisk names it."""
    fields = (await _row(on, flow, FAR_AWAY)).split("|")
    return str(on.stack.home.folder / "asterisk/spool/recording/prompts" / fields[3])


async def _row(on: Rig, flow: str, patience: float) -> str:
    """What the node has of a flow, once it has it."""
    async with asyncio.timeout(patience):
        while not (found := ROW.search(await on.console(f"database get flow {flow}"))):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found[1]


async def _native(on: Rig, one: str, two: str) -> None:
    """The plainest menu that plays the same files: Background, WaitExten."""
    for context, prompt, other in (("bench-one", one, "bench-two"), ("bench-two", two, "bench-one")):
        for line in (
            "s,1,Answer",
            f"s,2,Background({prompt})",
            "s,3,WaitExten(10)",
            f"{KEY},1,Goto({other},s,1)",
        ):
            await on.console(f"dialplan add extension {line} into {context}")
    await on.console(f"dialplan add extension {NATIVE},1,Goto(bench-one,s,1) into orbit-inbound")


async def _set_up(on: Rig) -> float:
    """Milliseconds from INVITE to 200 of a call to the menu."""
    caller = Caller(CARRIER, ("127.0.0.1", on.ports["sip_udp"]), NUMBER)
    try:
        return percentile(await caller.calls(CALLS, PAUSE), 0.5) * 1000
    finally:
        caller.close()


async def _push(api: aiohttp.ClientSession, on: Rig, flow: str, serial: int) -> float:
    """Seconds from a change to the row on the node."""
    reader, writer = await asyncio.open_connection(*on.stack.env["ORBIT_AMI_ADDR"].split(":"))
    env = on.stack.env
    login = f"Username: {env['ORBIT_AMI_USER']}\r\nSecret: {env['ORBIT_AMI_PASSWORD']}\r\nEvents: off"
    writer.write(f"Action: Login\r\n{login}\r\n\r\n".encode())
    await reader.readuntil(b"Authentication accepted")
    await reader.readuntil(b"\r\n\r\n")
    start = time.perf_counter()
    async with api.put(f"/v1/voice/ivr/{flow}", json={"timeout_seconds": 11 + serial}) as answer:
        assert answer.status == 200, await answer.text()
    async with asyncio.timeout(FAR_AWAY):
        value = ""
        while f"|{11 + serial}|" not in value:
            writer.write(f"Action: DBGet\r\nFamily: flow\r\nKey: {flow}\r\n\r\n".encode())
            value = (await reader.readuntil(b"EventList: Complete")).decode()
            await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return time.perf_counter() - start


def _rows(taken: dict[str, list[float]], rounds: arms.Rounds, pushes: list[float], many: int) -> list[Row]:
    rows = []
    for share in (0.5, 0.9):
        ours, native = percentile(taken["ours"], share), percentile(taken["native"], share)
        rows.append(
            Row(
                f"key → next prompt, p{share * 100:.0f}, over a native menu", ours - native, 20, "ms",
                f"{ours:.1f} − {native:.1f} ms",
                "end of the key (RFC 4733) to the first packet of the next prompt; native: Background, WaitExten, Goto",
            )
        )  # fmt: skip
    return [
        *rows,
        Row(
            f"call set-up with {many} flows ÷ with {FEW}", rounds["many"] / rounds["few"], 1.2, "",
            f"{rounds['few']:.1f}, {rounds['many']:.1f} ms",
            f"INVITE → 200 of a call to a number of a menu, p50 of {CALLS} calls, one after the other",
        ),
        Row(
            f"one flow pushed beside {many}, p50", percentile(pushes, 0.5), 20, "ms",
            f"p90 {percentile(pushes, 0.9):.1f} ms", "PUT of a flow whose prompts are there, to its row on the node",
        ),
    ]  # fmt: skip
