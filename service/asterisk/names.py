"""Names of trunks' hosts to addresses, in threads of their own: a name server that hangs holds up nothing else."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from dns.asyncresolver import Resolver
from dns.exception import DNSException

THREADS = 32
SERVICES = ("_sip._udp", "_sip._tcp", "_sips._tcp")  # RFC 3263, 4.1

Place = tuple[str, int]
"""A host and a port."""


class Names:
    """Each asker has one of its own, so that the many names of one do not keep another waiting."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="trunk-names")

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Of a host, as the system knows it (hosts file, A, AAAA). Raises `OSError` where its name does not resolve.
        The caller sets the time limit; while all threads hang, the look-up waits."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _look_up, host)

    async def services(self, domain: str, kinds: Sequence[str], seconds: float) -> list[list[Place]]:
        """What a domain names for each of `kinds` (`_sip._udp`), asked side by side, the first to try first; an empty
        list where it names nothing, or nobody says so in `seconds`."""
        return list(await asyncio.gather(*(_services(f"{kind}.{domain}", seconds) for kind in kinds)))

    async def of(self, name: str, seconds: float) -> tuple[str, ...]:
        """The addresses of a host and of those that it names for SIP, as far as they are known in `seconds`."""
        found: set[str] = set()

        async def host(name: str) -> None:
            with suppress(OSError):
                found.update(await self.addresses(name))

        async def service(kind: str) -> None:
            places = await _services(f"{kind}.{name}", seconds)
            await asyncio.gather(*(host(each) for each, _ in places))

        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(host(name), *map(service, SERVICES))
        return tuple(sorted(found))


def _look_up(host: str) -> tuple[str, ...]:
    """Blocks. Raises `OSError`."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except UnicodeError:
        raise OSError("no name of a host") from None
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def _services(name: str, seconds: float) -> list[Place]:
    """The SRV records of a name; none where nobody can be asked."""
    try:
        answer = await Resolver().resolve(name, "SRV", lifetime=seconds)
    except (DNSException, OSError):
        return []
    records = sorted(answer, key=lambda record: (record.priority, -record.weight))
    return [(record.target.to_text(omit_final_dot=True), record.port) for record in records]
