"""What a thousand trunks cost beside ten: push, update, calls out and in; and what a scan costs good calls."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bench import arms
from bench.child import FarEnd, Generator
from bench.figures import Row, percentile
from bench.rig import Rig, rig
from bench.rows.plan import Plan
from bench.trunk_caller import Caller
from service.stack.process import end

FEW, MANY = 10, 1000
RATE, SECONDS = 20.0, 4.0
IN_CALLS, IN_PAUSE = 40, 0.02
UPDATES = 30
NUMBER = "+12025551234"
CARRIER, SCANNER = "127.0.0.40", "127.0.0.66"
SCAN_RATE = 100.0  # a second, of each method
SCANS = ("scan_options.xml", "scan_register.xml", "scan_invite.xml")
SETTINGS = {"ORBIT_TRUNK_KEEPALIVE_SECONDS": "60"}


async def measure(plan: Plan) -> list[Row]:
    rounds = arms.Rounds()
    async with (
        rig(plan.home("trunks"), SETTINGS) as on,
        FarEnd(on.far_port) as far,
        aiohttp.ClientSession(on.url, headers={"X-API-Key": on.stack.env["ORBIT_LIVE_KEY"]}) as api,
    ):
        ids = [await _trunk(api, on, 0, default=True, origination_uris=[f"sip:{CARRIER}"])]
        ids += [await _trunk(api, on, serial) for serial in range(1, FEW)]
        async with Generator("bench.api_load", on.url, on.stack.env["ORBIT_LIVE_KEY"]) as us:
            await us.run(RATE, 1)
            for _ in range(plan.rounds):
                await _calls(rounds, "few", on, us, far)
                async with scan(on):
                    await _calls(rounds, "scanned", on, us, far)
            ids += [await _trunk(api, on, serial) for serial in range(FEW, MANY)]
            plan.say(f"trunks: {len(ids)} are there")
            for _ in range(plan.rounds):
                await _calls(rounds, "many", on, us, far)
        for serial in range(UPDATES):
            rounds.note("update", await _update(api, ids[serial], serial))
        await on.stack.stop("asterisk")
        (on.stack.home.folder / "asterisk/lib/astdb.sqlite3").unlink()
        await on.stack.start("asterisk")
        rounds.note("push", await _pushed(on))
    return _rows(rounds)


async def _trunk(api: aiohttp.ClientSession, on: Rig, serial: int, **more: Any) -> str:
    body = {
        "name": f"trunk {serial}",
        "termination_uri": f"sip:127.0.0.1:{on.far_port}",
        "origination_uris": [f"sip:10.{serial // 250}.{serial % 250}.1"],
        "encryption": "none",
        "auth_username": "orbit",
        "auth_password": "secret",
        **more,
    }
    async with api.post("/v1/voice/sip-trunks", json=body) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["data"]["id"])


async def _update(api: aiohttp.ClientSession, trunk_id: str, serial: int) -> float:
    """Seconds of a PUT: it is answered when the node has it."""
    codecs = ["PCMA", "PCMU"] if serial % 2 else ["PCMU", "OPUS"]
    start = time.perf_counter()
    async with api.put(f"/v1/voice/sip-trunks/{trunk_id}", json={"codecs": codecs}) as answer:
        assert answer.status == 200, await answer.text()
    return time.perf_counter() - start


async def _calls(rounds: arms.Rounds, name: str, on: Rig, us: Generator, far: FarEnd) -> None:
    await far.noted()
    report = await us.run(RATE, SECONDS)
    assert not report.wrong, report.wrong
    noted = await far.noted()
    rounds.note(f"{name} out", percentile([(noted[a.to] - a.asked) * 1000 for a in report.attempts], 0.5))
    caller = Caller(CARRIER, ("127.0.0.1", on.ports["sip_udp"]), NUMBER)
    try:
        taken = await caller.calls(IN_CALLS, IN_PAUSE)
    finally:
        caller.close()
    rounds.note(f"{name} in", percentile(taken, 0.5) * 1000)


async def _pushed(on: Rig) -> float:
    """Seconds until a node that came back empty has every trunk."""
    start = time.monotonic()
    url, user, password = on.ari
    login = {"Authorization": aiohttp.encode_basic_auth(user, password)}
    async with aiohttp.ClientSession(headers=login) as session, asyncio.timeout(60):
        while True:
            async with session.get(f"{url}/endpoints/PJSIP") as answer:
                if len(await answer.json()) > MANY:
                    return time.monotonic() - start
            await asyncio.sleep(0.05)


@asynccontextmanager
async def scan(on: Rig) -> AsyncIterator[None]:
    """Somebody whom nobody knows asks for options, registers and calls, all the time."""
    load = ("-s", "100", "-r", f"{SCAN_RATE:.0f}", "-m", "6000", "-l", "3000", "-timeout", "30")
    scanners = [await on.sipp.spawn(scenario, 0, on.sip_addr, *load, ip=SCANNER) for scenario in SCANS]
    try:
        yield
    finally:
        for scanner in scanners:
            await end(scanner, 0)


def _rows(rounds: arms.Rounds) -> list[Row]:
    rows = [
        Row(
            f"{MANY} trunks to a node that has none", rounds["push"], 10, "s", "",
            "Asterisk without its database is started; from its start's end to all endpoints there",
        ),
        Row(
            f"one update beside {MANY} trunks, p50", rounds["update"] * 1000, 50, "ms", "",
            "a PUT, which is answered once the node has it",
        ),
    ]  # fmt: skip
    out = f"POST → INVITE, p50 at {RATE:.0f} calls/s by a trunk; {FEW} trunks, then {MANY}"
    into = f"INVITE → 200 of a call from a carrier to one of our numbers, p50 of {IN_CALLS} calls, one after the other"
    flood = f"the same while {SCANNER} sends {SCAN_RATE:.0f} OPTIONS, REGISTER and INVITE a second each, {FEW} trunks"
    for figure, target, less, more, how in (
        (f"call out with {MANY} trunks ÷ with {FEW}", 1.1, "few out", "many out", out),
        (f"call in with {MANY} trunks ÷ with {FEW}", 1.1, "few in", "many in", into),
        ("call out during a scan ÷ without", 1.5, "few out", "scanned out", flood),
        ("call in during a scan ÷ without", 1.5, "few in", "scanned in", flood),
    ):
        detail = f"{rounds[less]:.1f}, {rounds[more]:.1f} ms"
        rows.append(Row(figure, rounds[more] / rounds[less], target, "", detail, how))
    return rows
