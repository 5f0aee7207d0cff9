"""A call to the sandbox, through the API like any user's: its timeline as it happens, and its recording."""

import asyncio
import io
import math
import time
import wave
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from service.stack import probes
from service.stack.errors import StackError
from service.stack.home import Home, read_variables

CALL = {"to": "+15005550007", "from": "+12025551234", "record": True}
TALK = 4.0  # seconds from the answer to the hang-up
LONGEST = 30.0  # seconds that an answer or the recording may take
POLL = 0.1  # seconds
LAST = {"call.recording.ready", "call.failed", "call.busy", "call.no_answer", "call.cancelled"}


async def demo(home: Home) -> None:
    """Prints what happens. Raises `StackError` where the stack does not run or the call does not come about."""
    env = read_variables(home.env)
    if home.owner() is None or not await probes.part("service", env):
        raise StackError("no stack is ready here; run `make up` first")
    try:
        await _call(home, env)
    except aiohttp.ClientError as error:
        raise StackError(f"the API does not answer: {error}") from None


async def _call(home: Home, env: Mapping[str, str]) -> None:
    headers = {"X-API-Key": env["ORBIT_TEST_KEY"]}
    async with aiohttp.ClientSession(f"{env['ORBIT_URL']}/v1/voice/", headers=headers) as api:
        call = await _ask(api, "POST", "calls", json=CALL)
        print(f"{call['id']}: {CALL['from']} calls {CALL['to']}")
        async for event in _timeline(api, call["id"]):
            print(f"  {event['created_at']}  {event['type']}", flush=True)
            if event["type"] == "call.answered":
                await asyncio.sleep(TALK)
                await _ask(api, "POST", f"calls/{call['id']}/hangup")
        call = await _ask(api, "GET", f"calls/{call['id']}")
        if not call["recording_url"]:
            raise StackError(f"the call ended as {call['status']}, without a recording")
        async with api.get(call["recording_url"]) as answer:
            answer.raise_for_status()
            audio = await answer.read()
    print(f"Recording: {_file(home.recordings, call['id'], audio)}\n{describe(audio)}")


async def _ask(api: aiohttp.ClientSession, method: str, path: str, **options: Any) -> Any:
    """The `data` of an answer."""
    async with api.request(method, path, **options) as answer:
        body = await answer.json()
        if answer.status >= 400:
            raise StackError(f"{method} {path}: {answer.status} {body['error']['code']} {body['error']['message']}")
        return body["data"]


async def _timeline(api: aiohttp.ClientSession, call_id: str) -> AsyncIterator[Mapping[str, Any]]:
    """The call's events, each once and in order, until its recording is ready or it ended without an answer."""
    seen = 0
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        events = sorted(await _ask(api, "GET", f"calls/{call_id}/events"), key=lambda event: int(event["sequence"]))
        for event in events[seen:]:
            yield event
            if event["type"] in LAST:
                return
        seen = len(events)
        await asyncio.sleep(POLL)
    raise StackError(f"no end of the call within {LONGEST:g} s; `make logs -n` may tell why")


def _file(folder: Path, call_id: str, audio: bytes) -> Path:
    """The recording in the stack's own storage; where that is elsewhere, a copy of what was downloaded."""
    for stored in folder.glob(f"**/{call_id}.wav"):
        return stored
    copy = folder / f"{call_id}.wav"
    copy.write_bytes(audio)
    return copy


def describe(audio: bytes) -> str:
    """How long a two-channel WAV is and how loud each side: RMS in dB below full scale."""
    with wave.open(io.BytesIO(audio)) as file:
        seconds = file.getnframes() / file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))
    left, right = (_dbfs(samples[side::2]) for side in (0, 1))
    return f"{seconds:.1f} s, caller (left) {left}, callee (right) {right}"


def _dbfs(samples: Sequence[int]) -> str:
    power = sum(sample * sample for sample in samples) / (len(samples) or 1)
    return f"{10 * math.log10(power / 32768**2):.1f} dBFS" if power else "silent"
