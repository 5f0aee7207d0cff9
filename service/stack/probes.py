"""Does a part answer? Each probe takes at most a second and never raises."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from service.stack.nodes import number_of, numbered

SECONDS = 1.0


async def redis(url: str) -> bool:
    """Whether Redis answers PING."""
    return (await _ask(url, b"PING\r\n")).startswith(b"+PONG")


async def http(url: str, user: str = "", password: str = "") -> bool:
    """Whether a GET is answered with 200."""
    at = urlsplit(url)
    sign_in = f"Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}\r\n" if user else ""
    request = f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: close\r\n{sign_in}\r\n"
    return b" 200 " in await _ask(url, request.encode())


async def part(name: str, env: Mapping[str, str]) -> bool:
    """Whether the named part of the stack answers; `env` is the stack's environment."""
    if name == "redis":
        return await redis(env["ORBIT_REDIS_URL"])
    if name == "service":
        return await http(f"{env['ORBIT_URL']}/readyz")
    ari = env["ORBIT_CARRIER_ARI_URL" if name == "carrier" else numbered("ORBIT_ARI_URL", number_of(name))]
    return await http(f"{ari}/asterisk/ping", env["ORBIT_ARI_USER"], env["ORBIT_ARI_PASSWORD"])


async def _ask(url: str, request: bytes) -> bytes:
    """The first line of the answer; nothing where there is none."""
    at = urlsplit(url)
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(at.hostname, at.port)
            try:
                writer.write(request)
                return await reader.readline()
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    return b""
