"""What a call's record has to say, by what its far end saw. Tables; nothing here asks anybody."""

from dataclasses import dataclass

from tests.chaos.flow import Order
from tests.chaos.records import Record
from tests.chaos.sip_book import Sighting

Outcome = tuple[str, str, str]  # status, who ended it, reason
NODE_LOST: Outcome = ("failed", "system", "node_lost")
BY_API: Outcome = ("cancelled", "api", "hangup_requested")
APOLOGY: Outcome = ("failed", "system", "no_controller")
REFUSED: dict[int | None, Outcome] = {
    486: ("busy", "callee", "user_busy"),
    480: ("no_answer", "callee", "no_answer"),
    404: ("failed", "callee", "unallocated_number"),
}
NOT_DIALLED = ("asterisk_unavailable", "channel_lost", "node_lost")
EDGE_SECONDS = 0.4  # what ended so near to a node's death may have been told in time, or not
LENGTH_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Death:
    """A node that was killed: its SIP port, and when."""

    port: int
    at: float

    def took(self, seen: Sighting) -> bool:
        """Whether the call was alive on the node then."""
        begun = seen.port == self.port and seen.invited <= self.at + EDGE_SECONDS
        return begun and (seen.ended is None or seen.ended >= self.at - EDGE_SECONDS)

    def spared(self, seen: Sighting) -> bool:
        """Whether it may have ended just before, or come just after."""
        return any(at is not None and abs(at - self.at) <= EDGE_SECONDS for at in (seen.invited, seen.ended))


def outcome(record: Record) -> Outcome:
    hangup = record["hangup"] or {}
    return record["status"], hangup.get("by", ""), hangup.get("reason", "")


def allowed(seen: Sighting, order: Order | None, death: Death | None) -> list[Outcome]:
    """The outcomes that fit; `order` is None for a call that came in."""
    usual = _outbound(seen, order) if order else _inbound(seen)
    if death is None or not death.took(seen):
        return usual
    asked = [BY_API] if order and order.asked_to_end and seen.answered is None else []
    return [NODE_LOST, *asked, *(usual if death.spared(seen) else [])]


def _outbound(seen: Sighting, order: Order) -> list[Outcome]:
    match seen.end:
        case "hung_up" if seen.heard:
            return [("completed", "callee", "normal_clearing")]
        case "was_ended" if order.asked_to_end:
            return [("completed", "api", "hangup_requested")]
        case "was_ended" if order.plan.limited:
            return [("completed", "system", "max_duration")]
        case "cancelled" if order.asked_to_end:
            return [BY_API]
        case "cancelled" if order.plan.limited:
            return [("no_answer", "system", "no_answer")]
        case "refused":
            return [REFUSED[seen.code]]
    return []


def _inbound(seen: Sighting) -> list[Outcome]:
    match seen.end:
        case "hung_up" if seen.heard:
            return [("completed", "caller", "normal_clearing")]
        case "refused" if seen.code == 603:
            return [APOLOGY]
    return []


def faults(record: Record, seen: Sighting, order: Order | None, death: Death | None) -> list[str]:
    """What is wrong with the record of an ended call."""
    fits, found = allowed(seen, order, death), outcome(record)
    if found not in fits:
        return [f"{found} where SIP saw {seen.end or 'no end'} {seen.code or ''}, so {fits or 'nothing like it'}"]
    if found in (NODE_LOST, BY_API):
        return []
    faults = []
    if seen.end == "refused" and order and record["hangup"]["sip_code"] != seen.code:
        faults.append(f"sip_code {record['hangup']['sip_code']} where SIP saw {seen.code}")
    if seen.answered and seen.ended:
        length = seen.ended - seen.answered
        if abs(record["duration_seconds"] - length) > LENGTH_SECONDS:
            faults.append(f"{record['duration_seconds']} s where SIP saw {length:.1f} s")
    return faults
