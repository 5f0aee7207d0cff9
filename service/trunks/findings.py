"""What a look at a trunk's far end has found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.trunks.health import Health
from service.trunks.trunk import Trunk

DAY_MS = 86_400_000
WARN_DAYS = 14  # a certificate that runs out sooner is told of


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node found. `known`: it has the trunk; `reachable` None: it could not find out; `codecs` by the API's
    names, as the node offers them; `error`: one sentence, where it did not ask."""

    known: bool = False
    reachable: bool | None = None
    rtt_ms: float | None = None
    codecs: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trunk's host name leads. `error`: one phrase, where it leads nowhere."""

    host: str
    port: int
    addresses: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """TLS, as far as it came. `verified`: the certificate was checked and is good; `error`: one phrase; `expires_at` in
    ms since 1970."""

    verified: bool = False
    error: str | None = None
    protocol: str | None = None
    cipher: str | None = None
    subject: str | None = None
    issuer: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """All of it. `answers` by node; `place` and `handshake` None: not looked at, or not in time; `now` in ms since
    1970."""

    trunk: Trunk
    health: Health
    now: int
    answers: Mapping[str, Answer] = field(default_factory=dict)
    place: Place | None = None
    handshake: Handshake | None = None

    @property
    def reached(self) -> bool:
        """Whether any node reaches the far end."""
        return any(answer.reachable for answer in self.answers.values())

    @property
    def missing(self) -> list[str]:
        """Nodes that do not reach it."""
        return [node for node, answer in self.answers.items() if answer.reachable is False]

    @property
    def unable(self) -> str | None:
        """Why a node that has the trunk cannot ask."""
        return next((answer.error for answer in self.answers.values() if answer.known and answer.error), None)

    @property
    def rtt_ms(self) -> float | None:
        """The shortest round trip."""
        return min((a.rtt_ms for a in self.answers.values() if a.reachable and a.rtt_ms is not None), default=None)

    @property
    def codecs(self) -> tuple[str, ...]:
        """What nodes offer on the trunk."""
        return next((answer.codecs for answer in self.answers.values() if answer.known), ())

    @property
    def nowhere(self) -> str | None:
        """Why the host name leads nowhere."""
        return self.place.error if self.place else None

    @property
    def untrusted(self) -> str | None:
        """Why TLS failed."""
        return self.handshake.error if self.handshake else None

    @property
    def days_left(self) -> int | None:
        """Whole days until the certificate runs out, negative where it has."""
        if self.handshake is None or self.handshake.expires_at is None:
            return None
        return (self.handshake.expires_at - self.now) // DAY_MS

    @property
    def warning(self) -> str | None:
        """What the certificate does, where that is soon."""
        days = self.days_left
        if days is None or days >= WARN_DAYS:
            return None
        return "has expired" if days < 0 else f"expires in {days} {'day' if days == 1 else 'days'}"
