"""What a node says about itself when it is asked: its channels and its ledger."""

from dataclasses import dataclass
from typing import Protocol

from service.calls.steps import Step
from service.control.inbound import Offer


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A live channel; `state` is `down`, `waiting`, `ringing` or `up`. `offer` is set where a trunk brought it,
    `routed` once it is on the way that its number's route says."""

    channel_id: str
    state: str
    created_at: int
    answered_at: int | None
    offer: Offer | None
    routed: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """The steps of one channel in menus that a node still keeps, in order, each with its number."""

    channel_id: str
    steps: tuple[tuple[int, Step], ...]


@dataclass(frozen=True, slots=True)
class BridgeState:
    """A bridge that is there."""

    bridge_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the ledger: how a channel ended. `sip_code`, `rang` and `steps` as of `LegEnded`, `offer` as above."""

    channel_id: str
    ended_at: int
    cause: int
    sip_code: int | None
    answered_at: int | None
    end: str
    offer: Offer | None
    rang: bool = False
    steps: int = 0


class Nodes(Protocol):
    """Asks nodes. Every method may raise `AsteriskUnavailable`."""

    async def booted_at(self, node: str) -> int: ...

    async def channels(self, node: str) -> list[ChannelState]: ...

    async def ledger(self, node: str) -> list[Outcome]: ...

    async def forget(self, node: str, channel_id: str) -> None: ...

    async def walks(self, node: str) -> list[Walk]: ...

    async def forget_steps(self, node: str, channel_id: str) -> None: ...

    async def bridges(self, node: str) -> list[BridgeState]: ...

    async def end_channel(self, node: str, channel_id: str) -> None:
        """Hangs up a channel of nobody's. One that is gone is no error."""
        ...

    async def end_bridge(self, node: str, bridge_id: str) -> None:
        """Takes a bridge of nobody's down. One that is gone is no error."""
        ...
