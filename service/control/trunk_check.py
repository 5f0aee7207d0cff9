"""A trunk looked at now: through every node, and from here."""

import asyncio
from dataclasses import asdict
from typing import Any, Protocol

from service.calls.times import now_ms, rfc3339
from service.control.membership import Membership
from service.control.trunk_health import HealthBook
from service.control.trunk_view import present_trunk
from service.errors import AsteriskUnavailable
from service.trunks.explanation import explain
from service.trunks.findings import Answer, Findings, Handshake, Place
from service.trunks.trunk import Encryption, Trunk

LONGEST_SECONDS = 4.5  # of one node, and of the look from here


class FarEnds(Protocol):
    """Asks through a node."""

    async def check(self, node: str, endpoint: str) -> Answer:
        """OPTIONS now. Takes as long as the answer, or until one is not to be expected any more. Raises
        `AsteriskUnavailable`."""
        ...


class Probe(Protocol):
    """Asks from here. Raises nothing of the network."""

    async def place(self, trunk: Trunk) -> Place: ...

    async def handshake(self, place: Place, verify: bool) -> Handshake: ...


class TrunkCheck:
    """`membership` tells which nodes are attended."""

    def __init__(self, far_ends: FarEnds, probe: Probe, book: HealthBook, membership: Membership) -> None:
        self._far_ends, self._probe, self._book, self._membership = far_ends, probe, book, membership
        self._running: dict[Trunk, asyncio.Task[dict[str, Any]]] = {}

    async def run(self, trunk: Trunk) -> dict[str, Any]:
        """Looks, in little more than `LONGEST_SECONDS` at most, and tells what was found, as the API shows it. Who asks
        for a trunk that is looked at just now gets what is found then."""
        look = self._running.get(trunk)
        if look is None:
            look = self._running[trunk] = asyncio.create_task(self._look(trunk))
            look.add_done_callback(lambda _: self._running.pop(trunk))
        return await asyncio.shield(look)  # others may wait for it

    async def _look(self, trunk: Trunk) -> dict[str, Any]:
        nodes = sorted(self._membership.round.attended) if trunk.enabled else []
        async with asyncio.TaskGroup() as group:
            from_here = group.create_task(self._from_here(trunk))
            asking = {node: group.create_task(self._ask(node, trunk)) for node in nodes}
        answers = {node: task.result() for node, task in asking.items()}
        health = self._book.of([trunk])[trunk.id]
        return shown(Findings(trunk, health, now_ms(), answers, *from_here.result()))

    async def _ask(self, node: str, trunk: Trunk) -> Answer:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return await self._far_ends.check(node, trunk.endpoint)
        except (AsteriskUnavailable, TimeoutError):
            return Answer(error="The node does not answer.")

    async def _from_here(self, trunk: Trunk) -> tuple[Place | None, Handshake | None]:
        place = None
        if trunk.sandbox or not trunk.enabled:
            return None, None
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                place = await self._probe.place(trunk)
                if place.error or trunk.encryption is Encryption.NONE:
                    return place, None
                return place, await self._probe.handshake(place, trunk.tls_verify)
        except TimeoutError:
            return place, Handshake(error="it takes too long") if place else None


def shown(found: Findings) -> dict[str, Any]:
    """What was found, as the API shows it."""
    tls, known = found.handshake, present_trunk(found.trunk, found.health)
    return {
        "trunk_id": found.trunk.id,
        "status": known["status"],
        "explanation": explain(found),
        "checked_at": rfc3339(found.now),
        "health": known["health"],
        "options": [
            {"node": node, "reachable": answer.reachable, "rtt_ms": answer.rtt_ms, "error": answer.error}
            for node, answer in found.answers.items()
        ],
        "codecs": list(found.codecs),
        "dns": asdict(found.place) if found.place else None,
        "tls": None
        if tls is None
        else {
            "ok": tls.error is None,
            "verified": tls.verified,
            "protocol": tls.protocol,
            "cipher": tls.cipher,
            "subject": tls.subject,
            "issuer": tls.issuer,
            "expires_at": rfc3339(tls.expires_at),
            "days_left": found.days_left,
            "warning": f"The certificate {found.warning}." if found.warning else None,
            "error": tls.error,
        },
    }
