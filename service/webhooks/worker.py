"""Works on lanes that are due: claims them, sends what is at their head, records the outcome, goes on.

Each endpoint has at most `per_endpoint` requests at once, and no endpoint waits for another one's slots.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

import structlog

from service.control.ports import OutboxEntry
from service.errors import StoreUnavailable
from service.webhooks import metrics
from service.webhooks.beat import Beat
from service.webhooks.ports import Claimed, Lanes
from service.webhooks.retries import verdict
from service.webhooks.roster import Roster
from service.webhooks.sender import Answer

log = structlog.get_logger()

T = TypeVar("T")

CLAIM = 100  # lanes claimed in one round trip
REQUESTS = 512  # at once in this process; from half of it on, each endpoint is given one at a time
POLL_SECONDS = 0.5  # what other processes made due is seen after so long
PERMISSION_SECONDS = 5.0  # how long a claimed lane waits until it is sure that nobody has taken over
ADDRESS_SECONDS = 2.0  # how long a claimed lane waits for Redis before its request, within the lease
STORE_PAUSE_SECONDS = 0.2
BEAT_SECONDS = 0.003  # outcomes are recorded together: Redis and this process do less for the same
SWEEP_MS = 1000  # between two looks for lanes that are leased to us and that we do not know of
OUTCOME_SECONDS = 60.0  # how long an outcome waits for Redis; where another process took the lane, it is dropped


class Sends(Protocol):
    """The HTTP side, `Sender` but in tests."""

    async def send(self, url: str, secret: bytes, delivery_id: str, event: OutboxEntry) -> Answer: ...


class Worker:
    """Owns one task per lane that it holds."""

    def __init__(
        self,
        lanes: Lanes,
        roster: Roster,
        sender: Sends,
        clock: Callable[[], int],
        per_endpoint: int,
        retry_seconds: Sequence[float],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._lanes, self._roster, self._sender, self._clock = lanes, roster, sender, clock
        self._check = check
        self._per_endpoint, self._retry_seconds = per_endpoint, retry_seconds
        self._each = per_endpoint
        self._busy: Counter[str] = Counter()
        self._in_hand: set[str] = set()
        self._swept_at = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._closing = False
        self._beat = Beat(BEAT_SECONDS)

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def turn(self) -> None:
        """Starts what is due and fits, then sleeps until more is due or `wake` is called."""
        self._woken.clear()
        seconds = await self._claim()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _claim(self) -> float:
        room = min(CLAIM, REQUESTS - len(self._tasks))
        if room <= 0:
            return POLL_SECONDS
        self._each = self._per_endpoint if len(self._tasks) < REQUESTS / 2 else 1
        self._check()
        now = self._clock()
        if now - self._swept_at >= SWEEP_MS:
            self._swept_at = now
            await self._lanes.sweep(self._in_hand, now)
        claimed, next_due = await self._lanes.claim(now, self._each, room, self._busy)
        for held in claimed:
            self._busy[held.endpoint] += 1
            self._in_hand.add(held.id)
            task = asyncio.create_task(self._carry(held))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(claimed) == room:
            return 0
        return POLL_SECONDS if next_due is None else min(POLL_SECONDS, max(0, next_due - now) / 1000)

    async def drain(self, seconds: float) -> None:
        """Lets requests under way finish for `seconds`; the lanes of the rest are given back."""
        self._closing = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            while late:  # the Redis client may swallow a cancellation, see `dispatcher`
                for task in late:
                    task.cancel()
                _, late = await asyncio.wait(late, timeout=1)

    async def _carry(self, first: Claimed) -> None:
        held: Claimed | None = first
        try:
            while held is not None:
                self._in_hand.add(held.id)
                following = await self._attempt(held)
                self._in_hand.discard(held.id)
                held = following
        except asyncio.CancelledError:
            await self._give_back(held)
            raise
        except StoreUnavailable:
            pass  # nobody has it in hand any more, so it is swept up
        except Exception:
            log.exception("webhook delivery not carried out", endpoint=first.endpoint)
        finally:
            if held is not None:
                self._in_hand.discard(held.id)
            self._free(first.endpoint)

    def _free(self, endpoint: str) -> None:
        if self._busy[endpoint] >= self._each or len(self._tasks) >= REQUESTS:
            self.wake()
        self._busy[endpoint] -= 1
        if not self._busy[endpoint]:
            del self._busy[endpoint]

    async def _attempt(self, held: Claimed) -> Claimed | None:
        """Sends once and records it. Returns the lane's next delivery where it goes on at once."""
        address = await self._patiently(lambda: self._roster.address(held), ADDRESS_SECONDS)
        if address is None:
            metrics.DEAD.labels("webhook_deleted").inc()
            return await self._settle(held, "dead", self._clock(), {"error": "webhook deleted"})
        url, secret = address
        await self._patiently(self._permitted, PERMISSION_SECONDS)
        if held.untried:
            metrics.FIRST_ATTEMPT.observe(max(0, self._clock() - held.created_at) / 1000)
        answer = await self._sender.send(url, secret, held.id, held.event)
        return await self._record(held, url, answer)

    async def _permitted(self) -> None:
        """A process that lay halted must not send what another one has sent since."""
        self._check()

    async def _record(self, held: Claimed, url: str, answer: Answer) -> Claimed | None:
        attempts = held.attempts + 1
        status, due = verdict(not answer.error, attempts, self._clock(), self._retry_seconds)
        metrics.ATTEMPTS.labels("failed" if answer.error else "delivered").inc()
        if answer.error:
            log.info(
                "webhook not delivered",
                delivery_id=held.id,
                endpoint=held.endpoint,
                event_type=held.event.type,
                attempts=attempts,
                error=answer.error,
            )
        if status == "dead":
            metrics.DEAD.labels("attempts_used_up").inc()
            log.warning("webhook delivery is dead", delivery_id=held.id, endpoint=held.endpoint)
        fields: dict[str, str | int] = {
            "attempts": attempts,
            "url": url,
            "error": answer.error,
            "response_status": answer.status or "",
            "response_body": answer.body,
            "duration_ms": answer.duration_ms,
        }
        return await self._settle(held, status, due, fields)

    async def _settle(self, held: Claimed, status: str, due: int, fields: dict[str, str | int]) -> Claimed | None:
        if not self._closing:
            await self._beat.wait()
        go_on = not self._closing
        return await self._patiently(
            lambda: self._lanes.settle(held, self._clock(), status, due, fields, go_on), OUTCOME_SECONDS
        )

    async def _give_back(self, held: Claimed | None) -> None:
        if held is not None:
            with suppress(StoreUnavailable):
                await self._lanes.settle(held, self._clock(), held.status, self._clock(), {}, False)

    async def _patiently(self, ask: Callable[[], Awaitable[T]], seconds: float) -> T:
        """An outcome is not lost because Redis is away for a moment."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                if self._closing or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(STORE_PAUSE_SECONDS)
