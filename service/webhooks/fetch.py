"""Brings the audio that a URL of a user leads to, from where webhooks may go and by https alone."""

import asyncio
import ssl
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import aiohttp
from yarl import URL

from service.errors import OrbitError
from service.webhooks.guard import Guard, fault_of
from service.webhooks.sender import describe

MAX_BYTES = 10_000_000
SECONDS = 10.0
REDIRECTS = 3
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that can pass


class NotFetched(OrbitError):
    """It will not be otherwise: `str(error)` tells why."""

    code, status, message = "VALIDATION_ERROR", 422, "The audio cannot be fetched."


class NotFetchedNow(OrbitError):
    """The other side is away, or slow."""

    code: ClassVar[str] = "VALIDATION_ERROR"
    status: ClassVar[int] = 503
    message: ClassVar[str] = "The audio cannot be fetched now."


class Fetcher:
    """Owns the HTTP session between `async with`. `ca`: PEM file of the authorities to trust; None: the system's."""

    def __init__(self, guard: Guard, ca: Path | None = None) -> None:
        self._guard, self._ca = guard, ca
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = self._guard.session(
            {"User-Agent": "Orbit-Voice", "Accept": "audio/*", "Accept-Encoding": "identity"},
            ssl=ssl.create_default_context(cafile=str(self._ca) if self._ca else None),
            force_close=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str) -> bytes:
        """Raises `NotFetched` and `NotFetchedNow`. Each redirect is looked at as the first URL is."""
        place = URL(url, encoded=url.isascii())
        try:
            async with asyncio.timeout(SECONDS):
                for _ in range(REDIRECTS + 1):
                    found = await self._get(place)
                    if isinstance(found, bytes):
                        return found
                    place = found
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            refused = describe(failure)
            kind = NotFetched if refused in ("address not allowed", "invalid URL", "TLS failed") else NotFetchedNow
            raise kind(f"greeting_url: {refused}.") from None
        raise NotFetched(f"greeting_url: more than {REDIRECTS} redirects.")

    async def _get(self, place: URL) -> bytes | URL:
        """The body, or where it is instead."""
        assert self._session is not None, "use `async with`"
        fault = fault_of(str(place)) or (None if place.scheme == "https" else "must start with https://")
        if fault:
            raise NotFetched(f"greeting_url: a URL {fault}.")
        async with self._session.get(place, allow_redirects=False) as response:
            if response.status in _REDIRECT and (to := response.headers.get("Location")):
                return place.join(URL(to))
            if response.status != 200:
                kind = NotFetchedNow if response.status in _AGAIN else NotFetched
                raise kind(f"greeting_url: HTTP {response.status}.")
            return await _body(response)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        read += piece
        if len(read) > MAX_BYTES:
            response.close()  # the rest is not waited for
            raise NotFetched(f"greeting_url: more than {MAX_BYTES // 1_000_000} MB.")
    return bytes(read)
