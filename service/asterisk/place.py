"""Keeps a name open in a node's Stasis for a process that is gone: its calls find their way in, and hear no error.

Nothing is read here: the events of every channel reach the own application of whoever follows these calls.
"""

import asyncio

import aiohttp
import structlog

from service.asterisk.ari import Ari, AriRefused
from service.errors import AsteriskUnavailable

log = structlog.get_logger()

HEARTBEAT = 5.0  # seconds between two looks whether the other end is still there (RFC 6455, 5.5.2)
AGAIN = 0.5  # seconds


async def keep_place(ari: Ari, app: str) -> None:
    """Until cancelled; then the name is given up for good."""
    url = (ari.url / "events").with_scheme("wss" if ari.url.scheme == "https" else "ws")
    while True:
        try:
            bounds = aiohttp.ClientTimeout(total=None, sock_connect=2)
            async with (
                aiohttp.ClientSession(headers=ari.authorization, timeout=bounds) as session,
                session.ws_connect(url, params={"app": app}, heartbeat=HEARTBEAT) as socket,
            ):
                await _hear_nothing(ari, app)
                await socket.receive()
        except (AsteriskUnavailable, AriRefused, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.debug("place not kept", app=app, error=type(error).__name__)
        await asyncio.sleep(AGAIN)


async def _hear_nothing(ari: Ari, app: str) -> None:
    """The subscription to all channels was the dead process's; without it the node sends nothing more."""
    await ari.filter_events(app, ["ApplicationReplaced"])
    try:
        await ari.call("applications", "unsubscribe", applicationName=app, eventSource="channel:")
    except AriRefused:
        log.debug("there was no subscription", app=app)
