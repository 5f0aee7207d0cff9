"""Keeps calls from being sent back to ourselves: a trunk that leads to this site would call it again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import structlog

from service.trunks.uri import parse

log = structlog.get_logger()

LOOK_UP_SECONDS = 1.5

Address = IPv4Address | IPv6Address
LookUp = Callable[[str, float], Awaitable[Iterable[str]]]
"""The addresses of a host name that are known within so many seconds; none where it does not resolve."""


class LoopCheck:
    """`own` are hosts of this site, `host` or `host:port`, as addresses or as names. `allowed` lets calls go to them
    and to loopback; to what is no single host's address, never."""

    def __init__(self, own: Sequence[str], allowed: bool, look_up: LookUp) -> None:
        self._own = [host for each in own if (host := _host(each))]
        self._allowed, self._look_up = allowed, look_up

    async def fault(self, uri: str) -> str | None:
        """What a SIP URI has to be instead, or None where calls may go to it. A name that does not resolve in
        `LOOK_UP_SECONDS` may."""
        parsed = parse(uri)
        if parsed is None:
            return None
        if not self._allowed and _localhost(parsed.host):
            return "another host than this one: it is a loopback name"
        found, own = await asyncio.gather(self._addresses(parsed.host), self._all(self._own))
        for address in found:
            if why := _nowhere(address):
                return f"the address of a host: {_named(parsed.host, address)} is {why}"
        if self._allowed:
            return None
        for address in found:
            if address.is_loopback:
                return f"another host than this one: {_named(parsed.host, address)} is a loopback address"
            if address in own:
                return f"another host than this one: {_named(parsed.host, address)} is an address of ours"
        return None

    async def _all(self, hosts: Iterable[str]) -> set[Address]:
        if self._allowed:
            return set()
        found = await asyncio.gather(*map(self._addresses, hosts))
        return {address for addresses in found for address in addresses}

    async def _addresses(self, host: str) -> list[Address]:
        try:
            return [_plain(ip_address(host.strip("[]")))]
        except ValueError:
            pass
        texts = await self._look_up(host, LOOK_UP_SECONDS)
        if not texts:
            log.info("a host does not resolve now", host=host)
        return [_plain(ip_address(text.partition("%")[0])) for text in texts]


def _host(text: str) -> str:
    """The host of `host`, `host:port`, `[v6]:port` or a bare IPv6 address."""
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text if text.count(":") > 1 else text.partition(":")[0]


def _localhost(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")  # RFC 6761, 6.3


def _plain(address: Address) -> Address:
    """An IPv4 address that is written as an IPv6 one, as what it is."""
    return getattr(address, "ipv4_mapped", None) or address


def _nowhere(address: Address) -> str:
    if address.is_unspecified or (address.version == 4 and address.packed[0] == 0):
        return "unspecified"
    if address.is_multicast:
        return "a multicast address"
    if address.is_link_local:
        return "a link-local address"
    return "the broadcast address" if address == IPv4Address("255.255.255.255") else ""


def _named(host: str, address: Address) -> str:
    return host if host.strip("[]") == str(address) else f"{host} ({address})"
