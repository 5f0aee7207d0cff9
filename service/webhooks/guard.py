"""Keeps webhooks from reaching what only we can reach: rules for the URL at creation, for the address at connect."""

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from service.webhooks.addresses import refusal
from service.webhooks.names import Names

MAX_URL = 2048
RESOLVE_SECONDS = 2.0

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\\]")
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?")
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)")


def fault_of(url: str) -> str | None:
    """What is wrong with a URL as it is written, or None."""
    if not 0 < len(url) <= MAX_URL:
        return f"must have 1 to {MAX_URL} characters"
    if _UNPRINTABLE.search(url):
        return "must not contain spaces, control characters or backslashes"
    try:
        parsed, authority = URL(url), urlsplit(url).netloc
    except ValueError:
        return "is not a URL"
    if parsed.scheme not in ("http", "https"):
        return "must start with http:// or https://"
    if "@" in authority:
        return "must not contain a user or a password"
    if not parsed.raw_host:
        return "must name a host"
    if not parsed.port:
        return "must have a port from 1 to 65535"
    return _host_fault(parsed.raw_host)


def _host_fault(host: str) -> str | None:
    if _literal(host):
        return None
    if _NAME.fullmatch(host) is None:
        return "has a host name that is not valid"
    # A name that ends in a number is read as an IPv4 address by some (WHATWG URL, inet_aton): 127.1, 0x7f000001.
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return "must give an IPv4 address as four decimal numbers"
    return None


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class Guard:
    """`allow_private` lets loopback and private addresses pass; link-local and multicast never do."""

    def __init__(self, allow_private: bool, names: Names | None = None) -> None:
        self._allow_private = allow_private
        self.names = names or Names()

    async def check(self, url: str) -> str | None:
        """Why a URL is refused, or None. A name that does not resolve within `RESOLVE_SECONDS` passes for now."""
        fault = fault_of(url)
        if fault:
            return fault
        host = URL(url).raw_host or ""
        if _literal(host):
            addresses = [host]
        else:
            try:
                async with asyncio.timeout(RESOLVE_SECONDS):
                    addresses = [address for _, address in await self.names.addresses(host)]
            except OSError:
                return None
        refusals = [refusal(address, self._allow_private) for address in addresses]
        return next((f"must not lead to a {reason} address" for reason in refusals if reason), None)

    def open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Every connection starts here, after names are resolved: aiohttp's `socket_factory`."""
        family, kind, proto, _, address = info
        if refusal(str(address[0]), self._allow_private):
            raise PermissionError(errno.EACCES, "address not allowed")
        return socket.socket(family, kind, proto)

    def session(self, headers: Mapping[str, str], **connection: Any) -> aiohttp.ClientSession:
        """A session that reaches what it may and brings bodies as they are; `connection` is for aiohttp's connector."""
        connector = aiohttp.TCPConnector(
            resolver=self.names, use_dns_cache=False, socket_factory=self.open_socket, **connection
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            headers=headers,
        )

    async def close(self) -> None:
        await self.names.close()
