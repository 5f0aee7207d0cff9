"""People at telephones of a far Asterisk: they dial, listen, press keys in three ways, and hang up."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from tests.stories.client import until
from tests.stories.farends.far_asterisk import FarAsterisk

ENDPOINTS = {"rfc4733": "orbit", "info": "orbit-info", "inband": "orbit-inband"}
KINDS = tuple(ENDPOINTS)
BEGINS, ENDS = "begins", "ends"  # when something is heard; when what was heard is over, for a second
When = float | str
TOUCH, GAP = 100, 100  # milliseconds that a key is held, and between two
SILENCE = 1.0  # seconds
A_FEW = 5  # packets


class Callers:
    """Calls from `far` to the node `at` (`host:port;transport=…`)."""

    def __init__(self, far: FarAsterisk, at: str) -> None:
        self.far, self._at = far, at
        self._app = f"callers-{secrets.token_hex(4)}"
        self._callers: dict[str, Caller] = {}

    async def __aenter__(self) -> Self:
        self.session = self.far.network.session
        self._socket = await self.session.ws_connect("events", params={"app": self._app, "subscribeAll": "true"})
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        for caller in self._callers.values():
            await caller.hangs_up()
        self._reading.cancel()
        await self._socket.close()

    async def dial(
        self,
        number: str,
        keys: Sequence[tuple[When, str]] = (),
        *,
        dtmf: str = "rfc4733",
        caller: str = "+14155550100",
    ) -> "Caller":
        """Somebody calls `number`. What `keys` names they press one after the other: so many seconds after the one
        before (or the answer), or once something is heard (`BEGINS`) or is over (`ENDS`); "" is to wait. `dtmf` is one
        of KINDS."""
        made = Caller(self, secrets.token_hex(6), caller, dtmf)
        self._callers[made.channel] = made
        body = {
            "endpoint": f"PJSIP/{ENDPOINTS[dtmf]}/sip:{number}@{self._at}",
            "context": "presses", "extension": "s", "priority": 1,
            "callerId": caller, "channelId": made.channel, "variables": {"FAR_APP": self._app},
        }  # fmt: skip
        async with self.session.post("channels", json=body) as answer:
            assert answer.status == 200, await answer.text()
        made.follows(keys)
        return made

    async def _read(self) -> None:
        async for frame in self._socket:
            event = frame.json()
            caller = self._callers.get(event.get("channel", {}).get("id"))
            if caller:
                caller.take(event)


class Caller:
    """One call. Seconds are those of `time.monotonic`; `keys` has when each was pressed, `sounds` when each stretch of
    sound began, and when it was silent for a second; the last may go on."""

    def __init__(self, callers: Callers, channel: str, number: str, dtmf: str) -> None:
        self.channel, self.number, self._dtmf = channel, number, dtmf
        self._far, self._session = callers.far, callers.session
        self.answered_at: float | None = None
        self.ended: tuple[int, int | None] | None = None
        self.keys: list[tuple[float, str]] = []
        self.sounds: list[list[float]] = []
        self._received = 0  # packets, when the last key was pressed
        self._pressing: asyncio.Task[None] | None = None

    def take(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        match event["type"]:
            case "StasisStart":
                self.answered_at = now
            case "ChannelTalkingStarted":
                self.sounds.append([now])
            case "ChannelTalkingFinished" if self.sounds:
                self.sounds[-1].append(now)
            case "ChannelDestroyed":
                self.ended = (event["cause"], event.get("tech_cause"))

    def follows(self, keys: Sequence[tuple[When, str]]) -> None:
        self._pressing = asyncio.create_task(self._follow(keys)) if keys else None

    async def _follow(self, keys: Sequence[tuple[When, str]]) -> None:
        await self.answered()
        for when, digits in keys:
            if isinstance(when, str):
                await (self.hears if when == BEGINS else self.quiet)()
            else:
                await asyncio.sleep(when)
            if digits:
                await self.presses(digits)

    async def answered(self, seconds: float = 15) -> None:
        """Returns once the call was answered."""
        await self._until(lambda: self.answered_at is not None or self.ended, "answered", seconds)
        assert self.answered_at is not None, f"{self.number} was refused: {self.ended}"

    async def hears(self, seconds: float = 15) -> None:
        """Returns once there is sound, now or since the last key."""
        await self.answered(seconds)
        since = self.keys[-1][0] if self.keys else 0
        await self._until(lambda: any(len(s) == 1 or s[0] > since for s in self.sounds), "something heard", seconds)

    async def quiet(self, seconds: float = 30) -> None:
        """Returns once what was heard since the last key is over, for a second. (While nobody speaks there may be no
        packets at all, and then Asterisk does not notice the silence.)"""
        await self.answered(seconds)
        since = self.keys[-1][0] if self.keys else 0
        received, changed = self._received, time.monotonic()

        async def over() -> bool:
            """silence"""
            nonlocal received, changed
            now, before, received = time.monotonic(), received, await self._packets()
            changed = now if received != before else changed
            silent = any(len(sound) == 2 and sound[1] > since for sound in self.sounds[-1:])
            return silent or (received > self._received + A_FEW and now - changed > SILENCE)

        await until(over, seconds, pause=0.1)

    async def _packets(self) -> int:
        """How many have come."""
        async with self._session.get(f"channels/{self.channel}/rtp_statistics") as answer:
            return int((await answer.json())["rxcount"]) if answer.status == 200 else self._received

    async def presses(self, digits: str) -> None:
        """All of them, one after the other, as fast as a telephone can; returns once they are on their way, tones once
        they have been heard."""
        self.keys += [(time.monotonic(), digit) for digit in digits]
        self._received = await self._packets()
        if self._dtmf != "inband":
            await self._ask("dtmf", digits)
            return
        for digit in digits:
            await self._ask("dtmf", digit)
            await self._ask("silence")  # as from any telephone: a tone ends where another sound begins
            await asyncio.sleep((TOUCH + GAP) / 1000)

    async def _ask(self, what: str, digits: str = "") -> None:
        parameters = {"dtmf": digits, "before": 0, "between": GAP, "duration": TOUCH, "after": 0} if digits else {}
        async with self._session.post(f"channels/{self.channel}/{what}", params=parameters) as answer:
            assert answer.status == 204, await answer.text()

    async def says(self, sound: Path) -> None:
        """Plays a WAV to the other side; returns once it is on its way."""
        media = {"media": f"sound:{sound.with_suffix('')}"}
        async with self._session.post(f"channels/{self.channel}/play", params=media) as answer:
            assert answer.status == 201, await answer.text()

    async def pressed(self) -> None:
        """Returns once all keys that were scripted are pressed."""
        if self._pressing:
            await self._pressing

    async def hangs_up(self) -> None:
        if self._pressing:
            self._pressing.cancel()
        async with self._session.delete(f"channels/{self.channel}") as answer:
            assert answer.status in (204, 404)

    async def gone(self, seconds: float = 30) -> tuple[int, int | None]:
        """Cause and SIP code of the call's end, as the caller's side saw them, once it has ended."""
        await self._until(lambda: self.ended is not None, "the end of the call", seconds)
        assert self.ended is not None
        return self.ended

    def heard(self) -> np.ndarray:
        """8 kHz samples of what came, as far as it is written; whole once the call has ended. Where nothing came,
        there is no silence."""
        return self._far.recording(self.channel).heard

    async def _until(self, what: Any, name: str, seconds: float) -> None:
        async def so() -> bool:
            return bool(what())

        so.__doc__ = f"{name}, at {self.number}"
        await until(so, seconds, pause=0.02)
