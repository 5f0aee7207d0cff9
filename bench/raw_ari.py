"""R1, the least that places calls through Asterisk: originate → answered → hang up over ARI, with no state but the
calls in flight. What any service on top of ARI costs, it costs more than this.

    python -m bench.raw_ari <ARI URL> <user> <password>
"""

import asyncio
import itertools
import json
import sys
import time

import aiohttp

from bench.order import Attempt, Order, obey

APP, CALLER = "bench", "+12025551234"
FILTER = {"allowed": [{"type": "StasisStart"}, {"type": "ChannelDestroyed"}]}


class RawAri:
    """One event socket, one HTTP session, two futures a call."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._waiting: dict[tuple[str, str], asyncio.Future[float]] = {}
        self._serial = itertools.count()

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            event = json.loads(frame.data)
            waiting = self._waiting.pop((event["type"], event["channel"]["id"]), None)
            if waiting and not waiting.done():
                waiting.set_result(time.time())

    async def place(self, attempt: Attempt, order: Order) -> None:
        attempt.id = f"bench-{next(self._serial)}"
        answered, ended = self._expect("StasisStart", attempt.id), self._expect("ChannelDestroyed", attempt.id)
        query = {"endpoint": f"PJSIP/{attempt.to}@sandbox", "app": APP, "channelId": attempt.id, "callerId": CALLER}
        attempt.asked = time.time()
        async with self._session.post(f"{self._url}/channels", params=query) as answer:
            answer.raise_for_status()
            await answer.read()
        attempt.accepted = time.time()
        attempt.answered = await answered
        if order.ends == "nobody":
            return
        if order.ends == "us":
            async with self._session.delete(f"{self._url}/channels/{attempt.id}") as answer:
                answer.raise_for_status()
        attempt.ended = await ended

    def _expect(self, kind: str, channel: str) -> asyncio.Future[float]:
        future = self._waiting[kind, channel] = asyncio.get_running_loop().create_future()
        return future


async def main(url: str, user: str, password: str) -> None:
    connector = aiohttp.TCPConnector(limit=128)
    headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
    async with (
        aiohttp.ClientSession(headers=headers, connector=connector) as session,
        session.ws_connect(f"{url}/events", params={"app": APP}, max_msg_size=0) as socket,
    ):
        raw = RawAri(session, url)
        listening = asyncio.create_task(raw.listen(socket))
        async with session.put(f"{url}/applications/{APP}/eventFilter", json=FILTER) as answer:
            answer.raise_for_status()
        await obey(raw.place)
        listening.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
