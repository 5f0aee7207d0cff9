"""Puts the room together over the ports that the store implements, and runs it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from service.errors import StoreUnavailable
from service.settings import Settings
from service.webhooks.desk import Desk
from service.webhooks.dispatcher import Dispatcher
from service.webhooks.fetch import Fetcher
from service.webhooks.guard import Guard
from service.webhooks.ports import Deliveries, Lanes, Outbox, Webhooks
from service.webhooks.sender import Sender
from service.webhooks.worker import PERMISSION_SECONDS

FLUSH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Post:
    """What the rest of the service sees of the room. `check_url`: why a URL is refused at creation, or None; `fetch`
    brings what a user's URL leads to (`Fetcher`)."""

    courier: Desk
    check_url: Callable[[str], Awaitable[str | None]]
    fetch: Callable[[str], Awaitable[bytes]]


@asynccontextmanager
async def webhooks(
    settings: Settings,
    outbox: Outbox,
    lanes: Lanes,
    deliveries: Deliveries,
    documents: Webhooks,
    secret: bytes,
    check: Callable[[], None],
) -> AsyncIterator[Post]:
    """Sends until it is left, then empties the outbox and lets requests under way finish. `secret` is the account's,
    `check` raises `Fenced` while another process may have taken over."""
    guard = Guard(settings.webhook_allow_private)
    dispatcher = Dispatcher(
        outbox,
        lanes,
        documents,
        Sender(guard, settings.webhook_timeout_seconds),
        secret,
        per_endpoint=settings.webhook_per_endpoint,
        retry_seconds=settings.webhook_retry_seconds,
        check=check,
        block_ms=min(300, settings.redis_timeout_ms // 2),
    )
    running = asyncio.create_task(dispatcher.run())
    try:
        async with Fetcher(guard) as fetcher:
            yield Post(Desk(deliveries, outbox, dispatcher.wake), guard.check, fetcher.fetch)
        await flushed(outbox)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await guard.close()


async def flushed(outbox: Outbox) -> None:
    """Waits until every event has become its deliveries, or `FLUSH_SECONDS`; the rest is another process's, or the
    next start's."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(FLUSH_SECONDS):
            while await outbox.depth():  # noqa: ASYNC110 (it is in the store)
                await asyncio.sleep(0.05)


def lease_ms(timeout_seconds: float) -> int:
    """How long a lane is leased for one request. What is above the timeout covers Redis, and clocks that differ."""
    return round((timeout_seconds + PERMISSION_SECONDS) * 1000) + 5000
