"""The calls that the API is asked for: placed at a steady pace, some hung up, requests repeated until answered.

A POST that fails is repeated with its Idempotency-Key, as a careful client does it; so one order is one call, whatever
happens on the way. Each call has a client, and so a connection, of its own: they reach all processes of the service.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from tests.chaos.numbers import Plan

REQUEST_SECONDS = 3.0  # longest wait for one answer
PAUSE_SECONDS = 0.1  # before a request is repeated
GIVE_UP_SECONDS = 45.0


@dataclass(slots=True)
class Order:
    """One call as its user sees it; times in seconds since 1970. `failures`: requests that had to be repeated, and why;
    `refused`: an answer that ended it."""

    plan: Plan
    ordered: float
    accepted: float | None = None
    call_id: str = ""
    asked_to_end: float | None = None
    settled: bool = False
    refused: str = ""
    failures: list[tuple[float, str]] = field(default_factory=list)


class Flow:
    """Orders `rate` calls a second from `async with` to `stop`; what was ordered goes on until it is `settled`."""

    def __init__(self, url: str, key: str, plans: Iterator[Plan], rate: float) -> None:
        self._url, self._key, self._plans, self._rate = url, key, plans, rate
        self.orders: dict[str, Order] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._pace = asyncio.create_task(self._order())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = (self._pace, *self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        self._pace.cancel()
        with suppress(asyncio.CancelledError):
            await self._pace

    @property
    def settled(self) -> bool:
        return all(order.settled for order in self.orders.values())

    async def _order(self) -> None:
        due = time.monotonic()
        while True:
            plan = next(self._plans)
            order = self.orders[plan.number] = Order(plan, time.time())
            task = asyncio.create_task(self._follow(order))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            due += 1 / self._rate
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def _follow(self, order: Order) -> None:
        plan, bound = order.plan, aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        async with aiohttp.ClientSession(self._url, headers={"X-API-Key": self._key}, timeout=bound) as session:
            once = {"Idempotency-Key": f"chaos-{plan.number}"}
            call = await insist(session, order, 201, "/v1/voice/calls", json=plan.body, headers=once)
            if call is not None:
                order.accepted, order.call_id = time.time(), call["id"]
                if plan.hang_up_after is not None:
                    await asyncio.sleep(plan.hang_up_after)
                    order.asked_to_end = time.time()
                    await insist(session, order, 200, f"/v1/voice/calls/{order.call_id}/hangup")
        order.settled = True


async def insist(
    session: aiohttp.ClientSession, order: Order, wanted: int, path: str, **request: Any
) -> dict[str, Any] | None:
    """The answer's `data`; None where it was refused, with why in the order."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while True:
        again = True
        try:
            async with session.post(path, **request) as response:
                answer = await response.json()
            if response.status == wanted:
                return dict(answer["data"])
            error = answer["error"]
            why, again = f"{response.status} {error['code']}: {error['message']}", response.status == 503
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            why = type(fault).__name__
        if not again or time.monotonic() > until:
            order.refused = f"POST {path}: {why}"
            return None
        order.failures.append((time.time(), why))
        await asyncio.sleep(PAUSE_SECONDS)
