"""Where the calls of a number go."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.errors import Fault


class RouteType(StrEnum):
    """What answers."""

    AGENT = "agent"  # a voice agent
    IVR = "ivr"  # a menu
    VOICEMAIL = "voicemail"  # a mailbox
    CONFERENCE = "conference"  # a conference, or its dial-in
    NUMBER = "number"  # another telephone number, dialled through the number's trunks
    SIP = "sip"  # a SIP URI, dialled likewise
    HOLD = "hold"  # nobody yet: held with music, under control of the API
    REJECT = "reject"  # nobody: the caller is turned away


@dataclass(frozen=True, slots=True)
class Route:
    """`target` is the id of a flow, an E.164 number or a SIP URI, as the type has it; None where it needs none."""

    type: RouteType
    target: str | None = None


TARGETS = {
    RouteType.IVR: "the id of a flow",
    RouteType.NUMBER: "a telephone number in E.164, such as +14155552671",
    RouteType.SIP: "a SIP URI: sip:user@host",
}
"""The types that need a target, and what it is. All others have none."""
TO_COME = frozenset({RouteType.AGENT, RouteType.VOICEMAIL, RouteType.CONFERENCE})
BEFORE_ROUTES = Route(RouteType.HOLD)
"""What a number does that was stored by a version that knew no routes."""


def route_of(value: Mapping[str, Any] | None) -> Route | None:
    """The route of a stored value; None is none: calls are turned away."""
    return Route(RouteType(value["type"]), value.get("target")) if value else None


def faults(route: Route) -> list[Fault]:
    """What is wrong with a route by itself."""
    kind, target = route.type, route.target
    if kind in TO_COME:
        now = ", ".join(each for each in RouteType if each not in TO_COME)
        return [Fault("route.type", kind.value, f"{now}; {kind}: not available yet")]
    if kind not in TARGETS:
        return [] if target is None else [Fault("route.target", target, f"null: calls of type {kind} have no target")]
    if target is None:
        return [Fault("route.target", None, TARGETS[kind], "MISSING_REQUIRED_FIELD")]
    return []
