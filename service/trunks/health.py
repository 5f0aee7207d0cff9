"""What is known of a trunk's far end: whether it answers OPTIONS, and whether it keeps our registration. Pure.

Each node has a sighting of each trunk. A far end is lost for a node when it has missed twice, the second time when it
was asked again after the first, and back at the first answer; a trunk is reachable while any attended node reaches it.
What nobody has looked at is not down.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from service.trunks.trunk import Trunk

MISSES = 2  # in a row, until a far end counts as unreachable; one answer takes them back
TIMEOUT_MS = 3_000  # how long an answer to OPTIONS may take
AGAIN_MS = TIMEOUT_MS + 500  # by then it is sure whether a far end that was asked has missed
STALE_MS = 90_000  # a sighting that nobody has renewed for so long says nothing


class State(StrEnum):
    """Whether a trunk's far end answers."""

    UNKNOWN = "unknown"  # not asked yet
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"


class Registration(StrEnum):
    """What became of our registration at the carrier."""

    TRYING = "trying"  # not answered yet
    REGISTERED = "registered"
    REJECTED = "rejected"  # the carrier answers, and refuses
    UNREGISTERED = "unregistered"  # the carrier does not answer, or nobody registers now


class Status(StrEnum):
    """The one word that a trunk shows."""

    ACTIVE = "active"  # calls can be tried
    UNREACHABLE = "unreachable"  # calls are refused at once
    REJECTED = "rejected"  # the carrier refuses our credentials
    DISABLED = "disabled"  # switched off by its owner


@dataclass(frozen=True, slots=True)
class Health:
    """What a trunk shows. `rtt_ms` of the last answer, `checked_at` in ms since 1970, `registration` None where the
    trunk does not register, `error` one sentence for people, None where all is well. `refused`, not shown: calls are
    refused for their credentials."""

    state: State = State.UNKNOWN
    rtt_ms: float | None = None
    checked_at: int | None = None
    registration: Registration | None = None
    error: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node says of a trunk at one moment. `address` names where it sends OPTIONS, and changes with it;
    `answers`: None where it has asked nobody yet."""

    address: str = ""
    answers: bool | None = None
    rtt_ms: float | None = None
    registration: Registration | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a node has seen over time. `up` None: nothing sure yet; times in ms since 1970. `asked_at`: when we had the
    node ask, beyond what it asks by itself, since it knows the address or since the first miss; 0: not yet."""

    address: str
    at: int
    up: bool | None = None
    misses: int = 0
    asked_at: int = 0
    rtt_ms: float | None = None
    registration: Registration | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a trunk. `sequence` counts its events, `told` is the state of the last one; `refused`: the
    `credentials` that calls were refused for, empty where they are good or not tried."""

    sightings: Mapping[str, Sighting] = field(default_factory=dict)  # by node
    state: State = State.UNKNOWN
    told: State = State.UNKNOWN
    sequence: int = 0
    refused: str = ""


def sighted(before: Sighting | None, seen: Seen, now: int) -> Sighting:
    """A node's sighting after what it says now. Another address starts anew."""
    old = before if before is not None and before.address == seen.address else Sighting(seen.address, now)
    up, misses, asked_at, rtt_ms = old.up, old.misses, old.asked_at, old.rtt_ms
    if seen.answers:
        up, misses, asked_at, rtt_ms = True, 0, 0, seen.rtt_ms
    elif seen.answers is False and (misses == 0 or (in_doubt(old) and asked_at and now - asked_at >= AGAIN_MS)):
        misses, asked_at = misses + 1, 0
        up = False if misses >= MISSES else up
    return Sighting(seen.address, now, up, misses, asked_at, rtt_ms, seen.registration)


def in_doubt(sighting: Sighting) -> bool:
    """Whether it has missed, and not often enough."""
    return 0 < sighting.misses < MISSES


def to_ask(sighting: Sighting, seen: Seen) -> bool:
    """Whether the node should ask now: it never has, or the far end is in doubt. Once each."""
    return not sighting.asked_at and (seen.answers is None or in_doubt(sighting))


def asked(record: Record, node: str, now: int) -> Record:
    """The record after the node was told to ask."""
    return replace(record, sightings={**record.sightings, node: replace(record.sightings[node], asked_at=now)})


def looked(before: Record, node: str, seen: Seen | None, enabled: bool, attended: Collection[str], now: int) -> Record:
    """The record after a node has looked; `seen` None where the node does not have the trunk. Of the nodes, those count
    that are `attended`."""
    sightings = {name: s for name, s in before.sightings.items() if name != node and now - s.at < STALE_MS}
    if seen is not None:
        sightings[node] = sighted(before.sightings.get(node), seen, now)
    valid = {name: sighting for name, sighting in sightings.items() if name in attended}
    state = _state(before, valid) if enabled else State.UNKNOWN
    return Record(sightings, state, before.told, before.sequence, before.refused)


def _state(before: Record, valid: Mapping[str, Sighting]) -> State:
    verdicts = {sighting.up for sighting in valid.values()}
    if True in verdicts:
        return State.REACHABLE
    if verdicts == {False}:
        return State.UNREACHABLE
    if any(_moved(sighting, before.sightings.get(node)) for node, sighting in valid.items()):
        return State.UNKNOWN
    return before.state


def _moved(sighting: Sighting, before: Sighting | None) -> bool:
    return before is not None and before.address != sighting.address


def announced(record: Record) -> Record | None:
    """The record with one more event, where its state is one that nobody was told of; None where there is no news."""
    if record.state in (State.UNKNOWN, record.told):
        return None
    return replace(record, told=record.state, sequence=record.sequence + 1)


def is_down(record: Record, now: int) -> bool:
    """Whether calls would fail; not where nobody has looked for long."""
    return record.state is State.UNREACHABLE and any(now - s.at < STALE_MS for s in record.sightings.values())


def is_down_from(record: Record, node: str, now: int) -> bool:
    """Whether calls through this node would fail where others reach the far end."""
    own = record.sightings.get(node)
    return record.state is State.REACHABLE and own is not None and own.up is False and now - own.at < STALE_MS


def alike(one: Record, other: Record) -> bool:
    """Whether two records differ in nothing but times and round-trip times."""
    return _lasting(one) == _lasting(other)


def _lasting(record: Record) -> tuple[object, ...]:
    seen = {node: (s.address, s.up, s.misses, s.asked_at, s.registration) for node, s in record.sightings.items()}
    return record.state, record.told, record.sequence, record.refused, seen


def health_of(trunk: Trunk, record: Record) -> Health:
    """What the trunk shows."""
    if not trunk.enabled:
        return Health()
    newest = sorted(record.sightings.values(), key=lambda each: each.at, reverse=True)
    answered = [each for each in newest if each.up]
    registration = _registration(trunk, record.state, newest)
    refused = bool(record.refused) and record.refused == credentials(trunk)
    return Health(
        state=record.state,
        rtt_ms=answered[0].rtt_ms if answered and record.state is State.REACHABLE else None,
        checked_at=newest[0].at if newest and record.state is not State.UNKNOWN else None,
        registration=registration,
        error=_error(record.state, registration, refused),
        refused=refused,
    )


def _registration(trunk: Trunk, state: State, newest: list[Sighting]) -> Registration | None:
    if not trunk.register:
        return None
    found = next((each.registration for each in newest if each.registration), Registration.TRYING)
    # Silence looks like a refusal to the node that registers; it is one only of a far end that speaks.
    if found is Registration.REJECTED and state is State.UNREACHABLE:
        return Registration.UNREGISTERED
    return found


def credentials(trunk: Trunk) -> str:
    """What the carrier takes or refuses, as one that tells nothing of it: who we are, and to whom we say so."""
    known = (trunk.auth_username, trunk.auth_password, trunk.termination_uri)
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _error(state: State, registration: Registration | None, refused: bool) -> str | None:
    if state is State.UNREACHABLE:
        return "The far end does not answer OPTIONS."
    if registration is Registration.REJECTED:
        return "The carrier refuses the registration."
    return "The carrier refuses the credentials of calls." if refused else None


def status_of(trunk: Trunk, health: Health) -> Status:
    """The trunk's one word."""
    if not trunk.enabled:
        return Status.DISABLED
    if health.state is State.UNREACHABLE:
        return Status.UNREACHABLE
    if health.registration is Registration.REJECTED or health.refused:
        return Status.REJECTED
    return Status.ACTIVE
