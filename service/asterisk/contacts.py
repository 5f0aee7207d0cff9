"""What nodes know of trunks' far ends: their contacts, which Asterisk asks by OPTIONS from time to time, and their
registrations.

AMI lists no contacts that are in a configuration, so both lists are those of the command line: one question each, for
all trunks. `ContactStatus` tells only of changes; what a contact answers otherwise shows in its round-trip time.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from service.asterisk.ami import Ami
from service.asterisk.pjsip import CODECS, owner
from service.errors import AsteriskUnavailable
from service.trunks.findings import Answer
from service.trunks.health import TIMEOUT_MS, Registration, Seen

ANSWERS = {"Avail": True, "Unavail": False}
REACHED = {"Reachable": True, "Unreachable": False}
REGISTRATIONS = {
    "Registered": Registration.REGISTERED,
    "Unregistered": Registration.TRYING,
    "Rejected": Registration.REJECTED,
    "Stopped": Registration.UNREGISTERED,
}
NO_TRANSPORT = re.compile(r"Unable to retrieve transport transport-([a-z]+)(6?)")
NAMES = {name: codec for codec, name in CODECS.items()}
POLL_SECONDS = 0.05
LATE_SECONDS = 0.3  # that Asterisk may take to say that an answer did not come


Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Detail:
    """An endpoint's contact, in Asterisk's words, the codecs it offers, and whether Asterisk asks it at all; `unable`:
    one sentence, where it cannot."""

    codecs: tuple[str, ...]
    status: str = ""
    usec: str = "0"
    asked: bool = True
    unable: str | None = None


class AsteriskContacts:
    """`Contacts` and `FarEnds` over the AMI of each node."""

    def __init__(self, nodes: Mapping[str, Ami]) -> None:
        self._nodes = nodes

    def listen(self, heard: Callable[[str], None]) -> None:
        for name, ami in self._nodes.items():
            ami.news = partial(heard, name)

    async def look(self, node: str) -> dict[str, Seen]:
        contacts = dict(contacts_of(await self._lines(node, "pjsip list contacts")))
        registrations = dict(registrations_of(await self._lines(node, "pjsip list registrations")))
        return {
            endpoint: Seen(seen.address, seen.answers, seen.rtt_ms, registrations.get(endpoint))
            for endpoint, seen in contacts.items()
        }

    async def ask(self, node: str, endpoint: str) -> bool:
        [answer, *_] = await self._ami(node).action("PJSIPQualify", Endpoint=endpoint)
        return bool(answer.get("Response") == "Success")

    async def check(self, node: str, endpoint: str) -> Answer:
        before = await self._detail(node, endpoint)
        if before is None:
            return Answer()
        if before.unable or not before.asked:
            return Answer(True, codecs=before.codecs, error=before.unable)
        await self.ask(node, endpoint)
        found, until = before, time.monotonic() + TIMEOUT_MS / 1000 + LATE_SECONDS
        while found == before and time.monotonic() < until:
            await asyncio.sleep(POLL_SECONDS)
            found = await self._detail(node, endpoint) or before
        reached = REACHED.get(found.status)
        return Answer(True, reached, round(int(found.usec) / 1000, 1) if reached else None, found.codecs)

    async def _detail(self, node: str, endpoint: str) -> Detail | None:
        messages: list[Message] = await self._ami(node).action("PJSIPShowEndpoint", Endpoint=endpoint)
        found = {str(message.get("Event")): message for message in messages}
        if "EndpointDetail" not in found:
            return None
        allowed = found["EndpointDetail"]["Allow"].strip("()").split("|")
        codecs = tuple(NAMES[name].value for name in allowed if name in NAMES)
        if lacks := NO_TRANSPORT.search(" ".join(message.get("Message", "") for message in messages)):
            return Detail(codecs, unable=_no_transport(*lacks.groups()))
        try:
            contact, aor = found["ContactStatusDetail"], found["AorDetail"]
        except KeyError:
            return None
        return Detail(codecs, contact["Status"], contact["RoundtripUsec"], aor["QualifyFrequency"] != "0")

    async def _lines(self, node: str, command: str) -> list[str]:
        [message] = await self._ami(node).action("Command", Command=command)
        lines = message.get("Output", [])
        return lines if isinstance(lines, list) else [lines]

    def _ami(self, node: str) -> Ami:
        if node not in self._nodes:
            raise AsteriskUnavailable(f"There is no node {node}.")
        return self._nodes[node]


def _no_transport(protocol: str, six: str) -> str:
    lacks = f"The node has no transport for {protocol.upper()}"
    return f"{lacks} over IPv6; ORBIT_SIP_BIND6 makes one." if six else f"{lacks}."


def contacts_of(lines: Iterable[str]) -> Iterator[tuple[str, Seen]]:
    """Endpoint → what is known of its contact. A line: `Contact: <aor>/<URI, cut off> <hash> <status> <RTT, ms>`."""
    for line in lines:
        words = line.split()
        if len(words) == 5 and words[0] == "Contact:" and not words[1].startswith("<"):
            aor, _, status, rtt = words[1].partition("/")[0], *words[2:]
            answers = ANSWERS.get(status)
            yield owner(aor), Seen(aor, answers, round(float(rtt), 1) if answers else None)


def registrations_of(lines: Iterable[str]) -> Iterator[tuple[str, Registration]]:
    """Registration → its state. A line: `<id>/<URI> <auth, may be empty> <status> (exp. …)`."""
    for line in lines:
        name, _, rest = line.strip().partition("/")
        found = next((REGISTRATIONS[word] for word in rest.split() if word in REGISTRATIONS), None)
        if found is not None:
            yield name, found
