"""Replaces the workers of a running stack one by one, and counts the calls before and after."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp

from service.stack import probes
from service.stack.errors import StackError
from service.stack.home import Home, read_variables
from service.stack.workers import workers

POLL = 0.05  # seconds
WORKER = 60.0  # seconds that one replacement may take: the fleet's own patience, and some
LIVE = ("initiating", "ringing", "in_progress")
KEPT = "max_duration"  # the one reason by which the system itself ends a call that it has


async def upgrade(home: Home, say: Callable[[str], None]) -> None:
    """Says what was replaced. Raises `StackError` where a successor did not come up or a call was lost."""
    env = read_variables(home.env)
    before = workers(home)
    if home.owner() is None or not before or not await probes.part("service", env):
        raise StackError("no stack is ready here; run `make up` first")
    headers = {"X-API-Key": env["ORBIT_TEST_KEY"]}
    try:
        async with aiohttp.ClientSession(f"{env['ORBIT_URL']}/v1/voice/", headers=headers) as api:
            calls = await _live(api)
            await _replace(home, before, say)
            ended, lost = await _fate(api, calls)
    except aiohttp.ClientError as error:
        raise StackError(f"the API does not answer: {error}") from None
    say(f"calls: {len(calls)} were live before, {len(calls) - ended - lost} still are, {ended} ended, {lost} lost")
    if lost:
        raise StackError("calls were lost; `make logs -n` may tell why")


async def _replace(home: Home, before: dict[str, int], say: Callable[[str], None]) -> None:
    """Returns when each of these workers has ended, and as many others are there."""
    service = int(home.pid_file("service").read_text())
    os.kill(service, signal.SIGHUP)
    left, seen = dict(before), set[int]()
    begun = time.monotonic()
    while left:
        await asyncio.sleep(POLL)
        now = workers(home)
        for name in [name for name, pid in left.items() if now.get(name) != pid]:
            say(f"  {name:<16} replaced, {time.monotonic() - begun:.1f} s")
            del left[name]
            begun = time.monotonic()
        new = set(now.values()) - set(before.values())
        if seen - new or time.monotonic() - begun > WORKER:
            raise StackError(f"a successor did not come up; {', '.join(left)} stayed; see {home.log / 'service.log'}")
        seen |= new


async def _live(api: aiohttp.ClientSession) -> set[str]:
    """The ids of all live calls."""
    found = set()
    for status in LIVE:
        query = {"status": status, "limit": "100"}
        while True:
            body = await _ask(api, "calls", **query)
            found |= {call["id"] for call in body["data"]}
            if not body["meta"]["pagination"]["has_more"]:
                break
            query["cursor"] = body["meta"]["pagination"]["cursor"]
    return found


async def _fate(api: aiohttp.ClientSession, calls: Iterable[str]) -> tuple[int, int]:
    """How many of these calls have ended since, and how many of them were lost."""
    gone = [await _ask(api, f"calls/{call_id}") for call_id in set(calls) - await _live(api)]
    ended = [body["data"] for body in gone if body["data"]["status"] not in LIVE]
    lost = [call for call in ended if call["hangup"]["by"] == "system" and call["hangup"]["reason"] != KEPT]
    return len(ended) - len(lost), len(lost)


async def _ask(api: aiohttp.ClientSession, path: str, **query: str) -> Any:
    async with api.get(path, params=query) as answer:
        body = await answer.json()
        if answer.status != 200:
            raise StackError(f"GET {path}: {answer.status} {body['error']['code']}")
        return body
