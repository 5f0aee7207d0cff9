"""Where a trunk's calls come from, as addresses: names are looked up here, not in Asterisk, whose threads would wait
for the answer and which would ask once and never again.

A name is looked up again after `KEPT_SECONDS`, so that a carrier that moves is followed. One that cannot be looked up
keeps the answer that it had.
"""

import asyncio
import socket
import time
from collections.abc import Iterable, Sequence

import structlog
from dns.asyncresolver import Resolver
from dns.exception import DNSException

from service.control.trunk_sync import Origin, Origins
from service.trunks.trunk import Trunk
from service.trunks.uri import SipUri, parse_origin, parse_termination

log = structlog.get_logger()

KEPT_SECONDS = 60.0
AGAIN_SECONDS = 10.0  # after a name that nobody knew
LONGEST_SECONDS = 3.0
SERVICES = ("_sip._udp", "_sip._tcp", "_sips._tcp")  # RFC 3263, 4.1


class AddressBook:
    """`OriginBook`. Looks each name up once for all trunks."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._silent: dict[str, float] = {}

    async def of(self, trunks: Sequence[Trunk]) -> Origins:
        """The addresses and networks of each trunk's origins, and of its registrar."""
        uris = {trunk.id: _origins(trunk) for trunk in trunks}
        now = time.monotonic()
        names = {uri.host for each in uris.values() for uri in each if uri.address is None}
        never = -KEPT_SECONDS
        due = [name for name in names if now - self._known.get(name, (never, ()))[0] >= KEPT_SECONDS]
        asked = [name for name in due if now - self._silent.get(name, never) >= AGAIN_SECONDS]
        await asyncio.gather(*map(self._look_up, asked))
        return {trunk_id: self._addresses(each) for trunk_id, each in uris.items()}

    def _addresses(self, uris: Iterable[SipUri]) -> Origin:
        found: set[str] = set()
        complete = True
        for uri in uris:
            if uri.address is not None:
                found.add(f"{uri.address}/{uri.prefix}" if uri.prefix is not None else str(uri.address))
            else:
                complete = complete and uri.host in self._known
                found.update(self._known.get(uri.host, (0, ()))[1])
        return Origin(tuple(sorted(found)), complete)

    async def _look_up(self, name: str) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                found = await look_up(name)
        except TimeoutError:
            found = ()
        if found:
            self._silent.pop(name, None)
            self._known[name] = time.monotonic(), found
        else:
            if name not in self._silent:
                log.warning("a trunk's origin cannot be looked up", host=name)
            self._silent[name] = time.monotonic()


def _origins(trunk: Trunk) -> list[SipUri]:
    """Of a trunk that registers, calls come from where it registers too."""
    registrar = [uri] if trunk.register and (uri := parse_termination(trunk.termination_uri)) else []
    return registrar + [uri for text in trunk.origination_uris if (uri := parse_origin(text))]


async def look_up(name: str) -> tuple[str, ...]:
    """The addresses of a name, and of the hosts that it names for SIP; none where it leads nowhere."""
    answers = await asyncio.gather(*map(addresses, [name, *await _srv(name)]), return_exceptions=True)
    return tuple(sorted({address for answer in answers if isinstance(answer, list) for address in answer}))


async def addresses(host: str) -> list[str]:
    """Of a host. Raises `OSError` where its name does not resolve."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return [str(address[0]) for *_, address in found]


async def _srv(name: str) -> list[str]:
    """The hosts that a domain names for SIP; none where nobody can be asked."""
    try:
        resolver = Resolver()
    except DNSException:
        return []

    async def one(service: str) -> list[str]:
        try:
            answer = await resolver.resolve(f"{service}.{name}", "SRV", lifetime=LONGEST_SECONDS / 2)
        except (DNSException, OSError):
            return []
        return [record.target.to_text(omit_final_dot=True) for record in answer]

    return [host for hosts in await asyncio.gather(*map(one, SERVICES)) for host in hosts]
