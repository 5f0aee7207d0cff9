"""Where a trunk's calls come from, as addresses: names are looked up here, not in Asterisk, whose threads would wait
for the answer and which would ask once and never again.

A name is looked up again about every `KEPT_SECONDS`, so that a carrier that moves is followed. One that cannot be
looked up keeps what it had; an address that an answer lacks stays for `STAYS_SECONDS`, since many name servers give a
part of their addresses in turn.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from random import uniform
from time import monotonic

import structlog

from service.asterisk.names import Names
from service.control.trunk_sync import Origin, Origins
from service.trunks.trunk import Trunk
from service.trunks.uri import SipUri, parse_origin, parse_termination

log = structlog.get_logger()

KEPT_SECONDS = 60.0
AGAIN_SECONDS = 10.0  # after a name that nobody knew; twice as long each time, up to KEPT_SECONDS
STAYS_SECONDS = 3600.0
UNWANTED_SECONDS = 600.0  # a name that no trunk has had for so long is forgotten
LONGEST_SECONDS = 3.0  # of one look-up
AT_ONCE = 32
MOST_ADDRESSES = 256  # of one name: those that were seen last


@dataclass(slots=True)
class Known:
    """A name: its addresses, each with the time when it was last in an answer, and when it is asked for again."""

    addresses: dict[str, float] = field(default_factory=dict)
    wanted: float = 0.0
    due: float = 0.0
    misses: int = 0


class AddressBook:
    """`OriginBook`. Looks each name up once for all trunks, `AT_ONCE` at a time."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()
        self._known: dict[str, Known] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def of(self, trunks: Sequence[Trunk]) -> Origins:
        """The addresses and networks of each trunk's origins, and of its registrar. Waits for names that are new, at
        most for the time of one look-up; the others are looked up meanwhile."""
        uris = {trunk.id: _origins(trunk) for trunk in trunks}
        names = {uri.host for each in uris.values() for uri in each if uri.address is None}
        now = monotonic()
        for name in names:
            known = self._known.setdefault(name, Known(due=now))
            known.wanted = now
            if now >= known.due and name not in self._asked:
                self._asked[name] = asyncio.create_task(self._look_up(name, known))
        self._known = {name: known for name, known in self._known.items() if now - known.wanted < UNWANTED_SECONDS}
        if new := [self._asked[name] for name in names if name in self._asked and not self._known[name].addresses]:
            await asyncio.wait(new, timeout=LONGEST_SECONDS)
        return {trunk_id: self._addresses(each) for trunk_id, each in uris.items()}

    def _addresses(self, uris: Iterable[SipUri]) -> Origin:
        found: set[str] = set()
        complete = True
        for uri in uris:
            if uri.address is not None:
                found.add(f"{uri.address}/{uri.prefix}" if uri.prefix is not None else str(uri.address))
            else:
                known = self._known[uri.host].addresses
                complete = complete and bool(known)
                found.update(known)
        return Origin(tuple(sorted(found)), complete)

    async def _look_up(self, name: str, known: Known) -> None:
        try:
            async with self._turns:
                found = await self._names.of(name, LONGEST_SECONDS)
            now = monotonic()
            if found:
                known.misses, pause = 0, KEPT_SECONDS
                stay = {a: at for a, at in known.addresses.items() if now - at < STAYS_SECONDS}
                seen = stay | dict.fromkeys(found, now)
                known.addresses = {a: seen[a] for a in nlargest(MOST_ADDRESSES, seen, key=seen.__getitem__)}
            else:
                if not known.misses:
                    log.warning("a trunk's origin cannot be looked up", host=name)
                pause = min(KEPT_SECONDS, AGAIN_SECONDS * 2**known.misses)
                known.misses = min(known.misses + 1, 10)
            known.due = now + pause * uniform(0.75, 1.25)  # noqa: S311 — not all in the same moment
        finally:
            del self._asked[name]


def _origins(trunk: Trunk) -> list[SipUri]:
    """Of a trunk that registers, calls come from where it registers too."""
    registrar = [uri] if trunk.register and (uri := parse_termination(trunk.termination_uri)) else []
    return registrar + [uri for text in trunk.origination_uris if (uri := parse_origin(text))]
