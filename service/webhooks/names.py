"""Host names to addresses, in threads of its own, so that a name server that hangs holds up nothing else."""

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

Found = list[tuple[int, str]]  # address family, numeric address

KEPT_SECONDS = 10.0
KEPT_NAMES = 1000
THREADS = 64


def look_up(host: str) -> Found:
    """The system's own look-up. Blocks. Raises `OSError` where there is no such name."""
    infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [(family, str(address[0])) for family, _, _, _, address in infos if family in _FAMILIES]


_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Names(AbstractResolver):
    """One look-up per name at a time; an answer, also that there is none, is kept for `KEPT_SECONDS`."""

    def __init__(self, look_up: Callable[[str], Found] = look_up) -> None:
        self._look_up = look_up
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._known: dict[str, tuple[float, asyncio.Future[Found]]] = {}

    async def addresses(self, host: str) -> Found:
        """Raises `OSError` where the name does not resolve. The caller sets the time limit."""
        until, answer = self._known.get(host, (0.0, None))
        if answer is None or (answer.done() and until < time.monotonic()):
            if len(self._known) >= KEPT_NAMES:
                self._forget()
            answer = asyncio.get_running_loop().run_in_executor(self._pool, self._look_up, host)
            answer.add_done_callback(_observe)
            self._known[host] = (time.monotonic() + KEPT_SECONDS, answer)
        return await asyncio.shield(answer)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """For aiohttp's connector."""
        found = await self.addresses(host)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in found
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forget(self) -> None:
        now = time.monotonic()
        self._known = {h: kept for h, kept in self._known.items() if not kept[1].done() or kept[0] > now}
        if len(self._known) >= KEPT_NAMES:
            self._known = {h: kept for h, kept in self._known.items() if not kept[1].done()}


def _observe(answer: asyncio.Future[Found]) -> None:
    """An answer that nobody waits for any more is no error."""
    if not answer.cancelled():
        answer.exception()
