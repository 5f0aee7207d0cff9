"""The third arm: calls through the API, as a user places them. A call is hung up when the webhook tells that it was
answered, and is over when the webhook tells that it has ended.

    python -m bench.api_load <API URL> <key>    without a key, no webhook is subscribed
"""

import asyncio
import json
import sys
import time
from datetime import datetime

import aiohttp

from bench.order import Attempt, Order, obey
from bench.receiver import listen

ENDED = {"call.completed", "call.failed", "call.busy", "call.no_answer", "call.cancelled"}
FROM = "+12025551234"


class ApiLoad:
    """Owns the calls in flight and what their webhooks told."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._told: dict[tuple[str, bool], asyncio.Future[tuple[str, float]]] = {}
        self.delays: list[tuple[str, float]] = []

    def heard(self, body: bytes, at: float) -> None:
        event = json.loads(body)
        kind = event["type"]
        self.delays.append((kind, at - datetime.fromisoformat(event["created_at"]).timestamp()))
        if kind == "call.answered" or kind in ENDED:
            for ended in (False, kind in ENDED):  # an end without an answer ends the wait for that too
                told = self._tell(event["data"]["id"], ended)
                if not told.done():
                    told.set_result((kind, at))

    def _tell(self, call_id: str, ended: bool) -> "asyncio.Future[tuple[str, float]]":
        """A webhook may come before the answer to its POST."""
        if (call_id, ended) not in self._told:
            self._told[call_id, ended] = asyncio.get_running_loop().create_future()
        return self._told[call_id, ended]

    async def place(self, attempt: Attempt, order: Order) -> None:
        attempt.asked = time.time()
        body = {"to": attempt.to, "from": FROM, "max_duration": 3600 if order.ends == "nobody" else 10, "timeout": 3}
        async with self._session.post("/v1/voice/calls", json=body) as answer:
            data = await answer.json()
            if answer.status != 201:
                raise RuntimeError(f"{answer.status} {data['error']['code']}")
        attempt.accepted = time.time()
        attempt.id = data["data"]["id"]
        if order.ends == "accepted":
            return
        try:
            kind, attempt.answered = await self._tell(attempt.id, False)
            if kind in ENDED:
                attempt.answered, attempt.ended, attempt.fault = 0, attempt.answered, kind
                return
            if order.ends == "nobody":
                return
            if order.ends == "us":
                async with self._session.post(f"/v1/voice/calls/{attempt.id}/hangup") as answer:
                    await answer.read()
                    if answer.status != 200:
                        raise RuntimeError(f"hang-up {answer.status}")
            kind, attempt.ended = await self._tell(attempt.id, True)
            attempt.fault = "" if kind == "call.completed" else kind
        finally:
            self._told.pop((attempt.id, False), None)
            self._told.pop((attempt.id, True), None)


async def main(url: str, key: str = "") -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, headers={"X-API-Key": key}, connector=connector) as session:
        load = ApiLoad(session)
        server, hook = await listen(load.heard)
        if key:
            async with session.post("/v1/webhooks", json={"url": hook, "events": ["call.*"]}) as answer:
                assert answer.status == 201, await answer.text()
        await obey(load.place, load.delays)
        server.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
