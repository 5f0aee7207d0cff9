"""A call: what the API user asked for or what reached one of our numbers. Values only; times in ms since 1970."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from service.calls.status import TERMINAL, Status


class Direction(StrEnum):
    OUTBOUND = "outbound"  # we dialled
    INBOUND = "inbound"  # somebody dialled one of our numbers


class Side(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    API = "api"
    SYSTEM = "system"  # Asterisk or the service: a time limit, a lost node


class Recording(StrEnum):
    """What became of a call's recording."""

    NONE = "none"  # not asked for, or the call was never answered
    PENDING = "pending"  # the call ended; the file is on its way from the node
    READY = "ready"
    LOST = "lost"  # the node has no such file


@dataclass(frozen=True, slots=True)
class Hangup:
    """How a call ended. `cause` is a Q.850 integer; `sip_code` the far end's final answer where it gave one."""

    by: Side
    cause: int
    sip_code: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """A way to a destination: a trunk, its endpoint in Asterisk, and what follows `@` when it is dialled (empty where
    the endpoint knows). `max_channels` and `calls_per_second` are the trunk's limits; 0 is none."""

    trunk_id: str
    endpoint: str
    target: str = ""
    max_channels: int = 0
    calls_per_second: int = 0


@dataclass(frozen=True, slots=True)
class Leg:
    """One party, one channel: its id, the node that it is on, and the Stasis application that controls it. A leg that
    is dialled has its route here, so that anybody can dial it again; one that came in, the trunk that brought it.
    `dialled_at` is 0 where the call began with it."""

    channel_id: str
    node: str
    app: str
    endpoint: str = ""
    trunk_id: str | None = None
    target: str = ""
    max_channels: int = 0
    dialled_at: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is stored. Only `transitions.apply` makes a changed one.

    `leg` is the present one, `trunk_id` its trunk, and `routes` are what is left to try should it not get through.
    `timeout` bounds the ringing of each leg, seconds. `steps` counts what is known of the present leg in menus.
    """

    id: str
    direction: Direction
    to: str
    from_: str
    leg: Leg
    created_at: int
    trunk_id: str | None = None
    agent_id: str | None = None
    ivr_id: str | None = None
    record: bool = False
    max_duration: int = 3600
    timeout: int = 60
    metadata: dict[str, Any] = field(default_factory=dict)
    webhook_url: str | None = None
    sandbox: bool = False
    routes: tuple[Route, ...] = ()
    status: Status = Status.INITIATING
    ringing_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    hangup_requested_at: int | None = None
    hangup: Hangup | None = None
    recording: Recording = Recording.NONE
    agent_summary: dict[str, Any] | None = None
    steps: int = 0
    sequence: int = 0

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def dialled_at(self) -> int:
        """Since when the present leg is on its way."""
        return self.leg.dialled_at or self.created_at

    @property
    def duration_seconds(self) -> int | None:
        """Whole seconds from answer to end, rounded; None where it was not answered or goes on."""
        if self.answered_at is None:
            return 0 if self.ended else None
        return None if self.ended_at is None else max(0, round((self.ended_at - self.answered_at) / 1000))
