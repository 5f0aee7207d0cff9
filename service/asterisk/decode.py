"""ARI events into the core's: dict → event or nothing. Pure; never raises for what an event lacks."""

from collections.abc import Callable
from typing import Any

from service.asterisk.channel import ms, offer_of, seconds_to_ms, variable
from service.asterisk.steps import step_of
from service.calls.events import Event, LegAnswered, LegEnded, LegRang, MenuStepped
from service.calls.ids import call_of
from service.control.inbound import Offer

Identify = Callable[[str, int], str]
"""Names the call of an inbound channel from its id and the time it was made (ms)."""

TYPES = (
    "ApplicationReplaced",
    "CallBroadcast",
    "ChannelDestroyed",
    "ChannelStateChange",
    "ChannelUserevent",
    "Dial",
    "StasisStart",
)
"""All that we ask ARI to send (eventFilter)."""


class Decoder:
    """Decodes for one node and one Stasis application."""

    def __init__(self, node: str, app: str, identify: Identify) -> None:
        self._node, self._app, self._identify = node, app, identify

    def call_id(self, channel: dict[str, Any]) -> str | None:
        """The call that a channel belongs to, or None for a channel that is nobody's."""
        named = call_of(channel["id"])
        if named is None and (offer := offer_of(channel, self._node, self._app)):
            return self._identify(offer.channel_id, offer.at)
        return named

    def event(self, message: dict[str, Any]) -> Event | None:
        """The event of a message, or None where it is none of a call's."""
        try:
            step = _STEPS.get(message["type"])
            channel = message.get("channel") or message.get("peer")
            if step is None or channel is None or (call_id := self.call_id(channel)) is None:
                return None
            return step(message, channel, call_id, ms(message["timestamp"]))
        except (KeyError, TypeError, ValueError):
            return None

    def offer(self, message: dict[str, Any]) -> Offer | None:
        """The inbound call that we claimed and now control, or None."""
        if message.get("type") != "StasisStart" or message.get("args") != ["offered"]:
            return None
        return offer_of(message["channel"], self._node, self._app)


def _state(message: dict[str, Any], channel: dict[str, Any], call_id: str, at: int) -> Event | None:
    del message
    match channel["state"]:
        case "Ringing":
            return LegRang(call_id=call_id, at=at, channel_id=channel["id"])
        case "Up":
            return LegAnswered(call_id=call_id, at=at, channel_id=channel["id"])
    return None


def _dial(message: dict[str, Any], channel: dict[str, Any], call_id: str, at: int) -> Event | None:
    """Early media without a 180 (SIP 183) rings too, but is no change of the channel's state."""
    rings = message["dialstatus"] == "PROGRESS"
    return LegRang(call_id=call_id, at=at, channel_id=channel["id"]) if rings else None


def _destroyed(message: dict[str, Any], channel: dict[str, Any], call_id: str, at: int) -> Event:
    """`tech_cause` is a SIP code too, but Asterisk makes one up where none came; the hang-up handler knows better."""
    heard = variable(channel, "ORBIT_SIP") or message.get("tech_cause")
    return LegEnded(
        call_id=call_id,
        at=at,
        channel_id=channel["id"],
        cause=int(message["cause"]),
        sip_code=int(heard) if heard else None,
        answered_at=seconds_to_ms(variable(channel, "ORBIT_ANSWERED")),
        end=variable(channel, "ORBIT_END"),
        rang=channel["state"] == "Ringing",
        steps=int(variable(channel, "ORBIT_STEPS") or 0),
    )


def _said(message: dict[str, Any], channel: dict[str, Any], call_id: str, at: int) -> Event | None:
    """The dialplan's own events."""
    found = step_of(message)
    if found is None:
        return None
    number, step = found
    return MenuStepped(call_id=call_id, at=step.at or at, channel_id=channel["id"], number=number, step=step)


_STEPS: dict[str, Callable[[dict[str, Any], dict[str, Any], str, int], Event | None]] = {
    "ChannelStateChange": _state,
    "Dial": _dial,
    "ChannelDestroyed": _destroyed,
    "ChannelUserevent": _said,
}
