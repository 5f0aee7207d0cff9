"""The telephone network of the stories: the sandbox carrier's channels, and calls that it makes to us."""

import asyncio
import secrets
from typing import Any

import aiohttp

from tests.stories.client import until


class Network:
    """The carrier's ARI, since it was opened. `arrived` lists the numbers dialled, one per INVITE; `ended` has
    the cause and the SIP code of each channel that ended."""

    def __init__(self, env: dict[str, str]) -> None:
        self._url = env["ORBIT_CARRIER_ARI_URL"] + "/"
        self._login = aiohttp.encode_basic_auth(env["ORBIT_ARI_USER"], env["ORBIT_ARI_PASSWORD"])
        self.arrived: list[str] = []
        self.ended: list[tuple[int, int | None]] = []

    async def __aenter__(self) -> "Network":
        self.session = aiohttp.ClientSession(self._url, headers={"Authorization": self._login})
        app = f"stories-{secrets.token_hex(4)}"
        self._socket = await self.session.ws_connect("events", params={"app": app})
        async with self.session.post(f"applications/{app}/subscription", params={"eventSource": "channel:"}) as answer:
            assert answer.status == 200
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._socket.close()
        await self.session.close()

    async def _read(self) -> None:
        async for frame in self._socket:
            message = frame.json()
            if message["type"] == "ChannelCreated" and message["channel"]["state"] == "Ring":
                self.arrived.append(message["channel"]["dialplan"]["exten"])
            elif message["type"] == "ChannelDestroyed":
                self.ended.append((message["cause"], message.get("tech_cause")))

    async def dials(self, number: str, caller: str = "+14155550100", who: str = "speak", at: str = "") -> str:
        """Calls one of our numbers; `who` is the carrier's context of the caller, `at` the SIP address of another node
        than the first. Returns the carrier's channel."""
        channel = secrets.token_hex(6)
        endpoint = f"PJSIP/orbit/sip:{number}@{at}" if at else f"PJSIP/{number}@orbit"
        parameters = {
            "endpoint": endpoint, "context": who, "extension": "s", "priority": 1,
            "callerId": caller, "channelId": channel,
        }  # fmt: skip
        async with self.session.post("channels", json=parameters) as answer:
            assert answer.status == 200, await answer.text()
        return channel

    async def hangs_up(self, channel: str) -> None:
        async with self.session.delete(f"channels/{channel}") as answer:
            assert answer.status in (204, 404)

    async def channels(self) -> list[dict[str, Any]]:
        async with self.session.get("channels") as answer:
            return list(await answer.json())

    async def quiet(self) -> None:
        """Returns once no call is on."""

        async def nobody() -> bool:
            return not await self.channels()

        await until(nobody)

    async def everybody_hangs_up(self) -> None:
        for channel in await self.channels():
            await self.hangs_up(channel["id"])
        await self.quiet()
