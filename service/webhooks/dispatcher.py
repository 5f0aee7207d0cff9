"""Drains the outbox: the only place from which a webhook is ever sent."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from service.calls.times import now_ms
from service.errors import StoreUnavailable
from service.webhooks.fanout import BLOCK_MS, FanOut
from service.webhooks.ports import Lanes, Outbox, Webhooks
from service.webhooks.roster import Roster
from service.webhooks.sender import Sender
from service.webhooks.worker import Worker

log = structlog.get_logger()

BACKOFF_SECONDS = 0.5
DRAIN_SECONDS = 5.0


class Dispatcher:
    """One per process; any number work side by side on the same store.

    `account_secret` signs what goes to the own URLs of resources. Opens and closes `sender`. `check` raises `Fenced`
    while another process may have taken over.
    """

    def __init__(
        self,
        outbox: Outbox,
        lanes: Lanes,
        webhooks: Webhooks,
        sender: Sender,
        account_secret: bytes,
        *,
        per_endpoint: int,
        retry_seconds: Sequence[float],
        check: Callable[[], None] = lambda: None,
        clock: Callable[[], int] = now_ms,
        block_ms: int = BLOCK_MS,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        roster = Roster(webhooks, account_secret)
        self._sender, self._drain_seconds = sender, drain_seconds
        self._worker = Worker(lanes, roster, sender, clock, per_endpoint, retry_seconds, check)
        self._fan_out = FanOut(outbox, roster, clock, self._worker.wake, block_ms)
        self._away = False

    def wake(self) -> None:
        """Something may be due: a replay, a test event. Without it, that is seen within half a second."""
        self._worker.wake()

    async def run(self) -> None:
        """Runs until cancelled, whatever Redis and receivers do; then requests under way get time to finish."""
        async with self._sender:
            fanning = asyncio.create_task(self._forever(self._fan_out.turn))
            try:
                await self._forever(self._worker.turn)
            finally:
                fanning.cancel()
                await asyncio.gather(fanning, return_exceptions=True)
                await self._worker.drain(self._drain_seconds)

    async def _forever(self, turn: Callable[[], Awaitable[None]]) -> None:
        while not _cancelled():
            try:
                await turn()
                self._seen(away=False)
                continue
            except StoreUnavailable:
                self._seen(away=True)
            except Exception:
                log.exception("webhooks: a turn failed")
            await asyncio.sleep(BACKOFF_SECONDS)

    def _seen(self, *, away: bool) -> None:
        """One line per outage, and one when it is over."""
        if away != self._away:
            self._away = away
            log.warning("webhooks wait for the store" if away else "webhooks go on")


def _cancelled() -> bool:
    """`asyncio.wait_for` before Python 3.12, and so the Redis client, can swallow a cancellation: ask, do not only wait
    for it to be raised."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
