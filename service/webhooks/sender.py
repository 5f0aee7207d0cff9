"""One HTTP request to one webhook."""

import asyncio
import errno
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from service.control.ports import OutboxEntry
from service.webhooks.guard import Guard, fault_of
from service.webhooks.signature import sign

BODY_BYTES = 1024
BODY_SECONDS = 1.0  # the status is what counts; a body that trickles holds nothing up
KEEPALIVE_SECONDS = 1.5  # less than common servers keep a connection, so that it is rarely closed under a request

# First match wins. Texts of exceptions are not passed on: they name URLs.
_ERRORS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name not resolved"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (aiohttp.ClientConnectorError, "connection failed"),
    (aiohttp.ClientOSError, "connection lost"),
    (aiohttp.ServerDisconnectedError, "connection lost"),
    (aiohttp.InvalidURL, "invalid URL"),
    (aiohttp.ClientError, "invalid answer"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `error` is empty exactly where the event is delivered."""

    status: int | None
    error: str
    duration_ms: int
    body: str = ""


class Sender:
    """Owns the HTTP session between `async with`."""

    def __init__(self, guard: Guard, timeout_seconds: float) -> None:
        self._guard, self._timeout = guard, timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = self._guard.session(
            {
                "User-Agent": "Devotel-Webhooks/1.0",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
            limit=0,
            keepalive_timeout=KEEPALIVE_SECONDS,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, url: str, secret: bytes, delivery_id: str, event: OutboxEntry) -> Answer:
        """POSTs the event's body. Whatever goes wrong is in the answer; only a cancellation is raised."""
        started = time.monotonic()
        status, error, body = None, "invalid URL" if fault_of(url) else "", ""
        if not error:
            try:
                async with asyncio.timeout(self._timeout):
                    status, body = await self._post(url, secret, delivery_id, event)
                error = _refusal(status)
            except Exception as failure:
                error = describe(failure)
        return Answer(status, error, round((time.monotonic() - started) * 1000), body)

    async def _post(self, url: str, secret: bytes, delivery_id: str, event: OutboxEntry) -> tuple[int, str]:
        assert self._session is not None, "use `async with`"
        headers = {
            "X-Devotel-Event-Id": event.id,
            "X-Devotel-Event-Type": event.type,
            "X-Devotel-Delivery-Id": delivery_id,
            "X-Devotel-Signature": sign(secret, event.body, int(time.time())),
        }
        exact = URL(url, encoded=url.isascii())  # a signed query stays as its owner wrote it
        async with self._session.post(exact, data=event.body, headers=headers, allow_redirects=False) as response:
            return response.status, await _beginning(response)


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first `BODY_BYTES` of a body as printable text; where more follows, the connection is not used again."""
    read = b""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            while len(read) < BODY_BYTES and (chunk := await response.content.read(BODY_BYTES - len(read))):
                read += chunk
    text = read.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return f"HTTP {status}, redirects are not followed" if 300 <= status < 400 else f"HTTP {status}"


def describe(failure: Exception) -> str:
    """Why a request failed, in a few words that name no URL."""
    if isinstance(failure, aiohttp.ClientConnectorError) and failure.os_error.errno == errno.EACCES:
        return "address not allowed"
    return next((text for kind, text in _ERRORS if isinstance(failure, kind)), "failed")
