"""The first book: what the far ends saw, read from the logs that SIPp writes as calls go on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

ENDS = ("hung_up", "was_ended", "cancelled", "refused", "forgotten", "silence")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One SIP call. `number` is the far end's, `port` the node's SIP port; times in seconds since 1970.

    `end` is one of `ENDS`: the far end hung up, was hung up on, got a CANCEL, refused or was refused (with `code`), was
    never told of the end, never got an answer. `heard`: the node took the far end's BYE.
    """

    sip_id: str
    number: str
    port: int
    invited: float
    answered: float | None = None
    ended: float | None = None
    end: str = ""
    code: int | None = None
    heard: bool = True


class SipBook:
    """All that was seen so far, by Call-ID. `follow` a log, `read` what was added to all of them."""

    def __init__(self) -> None:
        self.sightings: dict[str, Sighting] = {}
        self._logs: dict[Path, int] = {}

    def follow(self, log: Path) -> None:
        self._logs[log] = 0

    def read(self) -> Iterable[Sighting]:
        for log, start in self._logs.items():
            if log.exists():
                with log.open("rb") as file:
                    file.seek(start)
                    whole, newline, _ = file.read().rpartition(b"\n")
                self._logs[log] = start + len(whole) + len(newline)
                for line in whole.decode().splitlines():
                    self._enter(line)
        return self.sightings.values()

    def _enter(self, line: str) -> None:
        if not line.strip():
            return
        _, _, at, sip_id, number, port, event, *code = line.split()
        if event == "invited":
            self.sightings.setdefault(sip_id, Sighting(sip_id, number, int(port), float(at)))
            return
        seen = self.sightings[sip_id]
        if event == "answered":
            seen = replace(seen, answered=float(at))
        elif event == "unheard":
            seen = replace(seen, heard=False)
        elif event in ENDS and not seen.end:
            seen = replace(seen, ended=float(at), end=event, code=int(code[0]) if code else None)
        self.sightings[sip_id] = seen
