"""The three books laid side by side."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from tests.chaos.flow import Order
from tests.chaos.outcome import APOLOGY, NOT_DIALLED, Death, faults, outcome
from tests.chaos.receiver import Arrival
from tests.chaos.records import ENDED, Record, party
from tests.chaos.sip_book import Sighting

TERMINAL = frozenset(f"call.{status}" for status in ENDED)


@dataclass(frozen=True, slots=True)
class Books:
    """What is known of the calls of a row. Sightings and arrivals may be of others too. `death`: a node was killed;
    `away`: one was out of reach, so that an accepted call may be on record as not dialled."""

    orders: dict[str, Order]
    callers: frozenset[str]
    sightings: tuple[Sighting, ...]
    records: tuple[Record, ...]
    arrivals: tuple[Arrival, ...]
    death: Death | None = None
    away: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """Each kind with its evidence, one line per call. The first six are differences; the rest is told."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recording: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    apology: list[str] = field(default_factory=list)
    not_dialled: list[str] = field(default_factory=list)

    @property
    def differences(self) -> list[str]:
        kinds = [each.name for each in fields(self)][:6]
        return [f"{kind}: {line}" for kind in kinds for line in getattr(self, kind)]


def compare(books: Books) -> Findings:
    """Every difference between the books, as they are now."""
    found = Findings()
    seen_by, records_by, arrivals_by = _by_number(books), defaultdict(list), defaultdict(list)
    for record in books.records:
        records_by[party(record)].append(record)
    for arrival in books.arrivals:
        if arrival.taken:
            arrivals_by[arrival.call_id].append(arrival)
    for number in sorted({*books.orders, *seen_by, *records_by}):
        _call(found, number, books, seen_by[number], records_by[number])
    for record in books.records:
        _webhooks(found, record, arrivals_by[record["id"]])
    return found


def _by_number(books: Books) -> dict[str, list[Sighting]]:
    seen_by: dict[str, list[Sighting]] = defaultdict(list)
    for seen in books.sightings:
        if seen.number in books.orders or seen.number in books.callers:
            seen_by[seen.number].append(seen)
    return seen_by


def _call(found: Findings, number: str, books: Books, seen: list[Sighting], records: list[Record]) -> None:
    order = books.orders.get(number)
    if order:
        _order(found, number, order, records)
    if len(seen) > 1:
        found.doubled.append(f"{number}: {len(seen)} INVITEs, {[each.sip_id for each in seen]}")
    if len(records) > 1:
        found.doubled.append(f"{number}: {len(records)} records, {[each['id'] for each in records]}")
    if not records:
        if seen and not _unknowable(seen[0], books.death):
            found.lost.append(f"{number}: SIP saw it ({seen[0].end or 'no end'}), and there is no record")
        return
    record = records[0]
    name = f"{number} {record['id']}"
    if record["status"] not in ENDED:
        found.lost.append(f"{name}: is {record['status']} for ever; SIP saw {seen[0].end if seen else 'nothing'}")
    elif not seen:
        _unseen(found, name, order, record, books.away)
    else:
        found.wrong.extend(f"{name}: {fault}" for fault in faults(record, seen[0], order, books.death))
        if outcome(record) == APOLOGY:
            found.apology.append(name)
    if record["record"] and record["answered_at"] and not record["recording_url"]:
        found.recording.append(f"{name}: {record['status']}, no recording")


def _order(found: Findings, number: str, order: Order, records: list[Record]) -> None:
    if order.refused:
        found.wrong.append(f"{number}: {order.refused}")
    elif order.accepted is None:
        found.lost.append(f"{number}: never accepted")
    if order.accepted is not None and order.call_id not in [record["id"] for record in records]:
        found.lost.append(f"{number} {order.call_id}: accepted, and there is no record")


def _unknowable(seen: Sighting, death: Death | None) -> bool:
    """A caller whose node died before it had answered anything, or was down: nobody can have a record."""
    return death is not None and death.took(seen) and seen.answered is None


def _unseen(found: Findings, name: str, order: Order | None, record: Record, away: bool) -> None:
    """A record of a call that no far end saw."""
    status, by, reason = outcome(record)
    if order is None:
        found.doubled.append(f"{name}: a record of no call")
    elif record["answered_at"] or record["ringing_at"] or by == "callee":
        found.lost.append(f"{name}: {status} by {by}, and was never dialled")
    elif away and by == "system" and reason in NOT_DIALLED:
        found.not_dialled.append(f"{name}: {reason}")
    elif not (by == "api" and order.asked_to_end):
        found.wrong.append(f"{name}: {status} by {by}, {reason}, and was never dialled")


def _webhooks(found: Findings, record: Record, taken: list[Arrival]) -> None:
    name = f"{party(record)} {record['id']}"
    first, again = _once(taken)
    found.again.extend(f"{name}: {arrival.type}" for arrival in again)
    ends = [arrival for arrival in first if arrival.type in TERMINAL]
    numbers = [arrival.sequence for arrival in first]
    if len(ends) > 1:
        found.told_twice.append(f"{name}: {[end.type for end in ends]}")
    if numbers != sorted(set(numbers)):
        found.told_twice.append(f"{name}: in the order {numbers}")
    if not ends:
        found.untold.append(f"{name}: {record['status']}, and only {[arrival.type for arrival in first]}")
    elif len(numbers) < max(numbers):
        found.untold.append(f"{name}: of its events only {numbers}")
    if ends and ends[0].event["data"]["status"] != record["status"]:
        found.wrong.append(f"{name}: {record['status']} on record, told as {ends[0].event['data']['status']}")


def _once(taken: Iterable[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Each event as it first came, and what came again."""
    known: set[str] = set()
    first, again = [], []
    for arrival in taken:
        (again if arrival.id in known else first).append(arrival)
        known.add(arrival.id)
    return first, again
