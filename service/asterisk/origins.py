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
from service.trunks.uri import SipUri, parse

log = structlog.get_logger()

KEPT_SECONDS = 60.0
LONGEST_SECONDS = 3.0
SERVICES = ("_sip._udp", "_sip._tcp", "_sips._tcp")  # RFC 3263, 4.1


class AddressBook:
    """`OriginBook`. Looks each name up once for all trunks."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._silent: set[str] = set()

    async def of(self, trunks: Sequence[Trunk]) -> Origins:
        """The addresses and networks of each trunk's origins, and of its registrar."""
        uris = {trunk.id: _origins(trunk) for trunk in trunks}
        now = time.monotonic()
        names = {uri.host for each in uris.values() for uri in each if uri.address is None}
        due = [name for name in names if now - self._known.get(name, (-KEPT_SECONDS, ()))[0] >= KEPT_SECONDS]
        await asyncio.gather(*map(self._look_up, due))
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
                hosts = [name, *await _srv(name)]
                answers = await asyncio.gather(*map(_resolve, hosts), return_exceptions=True)
        except TimeoutError:
            answers = []
        found = tuple(sorted({address for answer in answers if isinstance(answer, list) for address in answer}))
        if found:
            self._silent.discard(name)
            self._known[name] = time.monotonic(), found
        elif name not in self._silent:
            self._silent.add(name)
            log.warning("a trunk's origin cannot be looked up", host=name)


def _origins(trunk: Trunk) -> list[SipUri]:
    """Of a trunk that registers, calls come from where it registers too."""
    texts = [*trunk.origination_uris, *([trunk.termination_uri] if trunk.register else [])]
    return [uri for text in texts if (uri := parse(text))]


async def _resolve(host: str) -> list[str]:
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
