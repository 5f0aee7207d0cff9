"""The API, asked as a user asks it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

ENDED = ("completed", "failed", "busy", "no_answer", "cancelled")


async def until(what: Callable[[], Awaitable[Any]], seconds: float = 15, pause: float = 0.05) -> Any:
    """The first true answer of `what`, asked again and again. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = await what()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {getattr(what, '__doc__', None) or what}"
        await asyncio.sleep(pause)


class Api:
    """One key's view of the API. `ask` returns status, headers and the decoded body."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    async def __aenter__(self) -> "Api":
        self.session = aiohttp.ClientSession(headers={"X-API-Key": self.key})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
        async with self.session.request(method, self.url + path, **options) as response:
            body = await response.json() if "json" in response.content_type else await response.read()
            return response.status, response.headers, body

    async def get(self, path: str, **options: Any) -> Any:
        status, _, body = await self.ask("GET", "/v1" + path, **options)
        assert status == 200, body
        return body["data"]

    async def call(self, to: str, **more: Any) -> dict[str, Any]:
        """Places a call from the account's number."""
        status, _, body = await self.ask("POST", "/v1/voice/calls", json={"to": to, "from": "+12025551234", **more})
        assert status == 201, body
        return body["data"]

    async def hang_up(self, call_id: str) -> dict[str, Any]:
        status, _, body = await self.ask("POST", f"/v1/voice/calls/{call_id}/hangup")
        assert status == 200, body
        return body["data"]

    async def reaches(self, call_id: str, *statuses: str, seconds: float = 15) -> dict[str, Any]:
        """The call, once it has one of the statuses."""

        async def there() -> Any:
            found = await self.get(f"/voice/calls/{call_id}")
            assert found["status"] in statuses or found["status"] not in ENDED, found
            return found if found["status"] in statuses else None

        return await until(there, seconds)

    async def ends(self, call_id: str, seconds: float = 15) -> dict[str, Any]:
        """The call, once it has ended."""
        return await self.reaches(call_id, *ENDED, seconds=seconds)

    async def timeline(self, call_id: str) -> list[str]:
        return [row["type"].removeprefix("call.") for row in await self.get(f"/voice/calls/{call_id}/events")]

    async def recording(self, call_id: str) -> bytes:
        """The WAV of an ended call, by its signed URL and without a key."""

        async def ready() -> Any:
            return (await self.get(f"/voice/calls/{call_id}"))["recording_url"]

        url = await until(ready)
        async with aiohttp.ClientSession() as nobody, nobody.get(url) as response:
            assert response.status == 200
            assert response.content_type == "audio/wav"
            return await response.read()

    async def ready(self, wanted: bool = True, seconds: float = 20) -> None:
        """Waits until /readyz says so."""

        async def is_so() -> bool:
            try:
                status, _, _ = await self.ask("GET", "/readyz")
            except aiohttp.ClientError:
                return False
            return (status == 200) is wanted

        await until(is_so, seconds)
