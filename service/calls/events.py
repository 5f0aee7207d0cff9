"""What happened to a call, in the past tense. Facts from Asterisk, from the API and from storage; times in ms."""

from dataclasses import dataclass, field

from service.calls.call import Call
from service.calls.steps import Step
from service.calls.times import now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`recovered` marks a fact that was found out later, by a comparison or from the ledger."""

    call_id: str
    at: int
    recovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCreated(Event):
    """The API asked for a call, or an INVITE was claimed: the one event for which a call comes to be."""

    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEvent(Event):
    """A fact about one channel. It means something while that is the channel of the call's present leg."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRang(LegEvent):
    """The far end rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegWaiting(LegEvent):
    """A caller whom we claimed is still not answered: what should have answered was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered(LegEvent):
    """The far end answered, or we answered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded(LegEvent):
    """The channel is gone.

    `cause` is a Q.850 integer, `sip_code` the last SIP answer that came (also 100 or 200): 0 where none ever did, None
    where that is not known. `answered_at` is set where the source knows it: an end can be the first that we hear of an
    answer. `end` is Asterisk's own reason: one of ours (explanation.py), `party_hung_up` or `not_put_through`. `rang`
    where the channel shows that the far end had rung; `steps`: how many were taken in menus. `at` is the node's clock;
    `found_at` is when this process heard of it, by its own.
    """

    cause: int
    sip_code: int | None = None
    answered_at: int | None = None
    end: str = ""
    rang: bool = False
    steps: int = 0
    found_at: int = field(default_factory=now_ms, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuStepped(LegEvent):
    """The party took its `number`th step in menus."""

    number: int
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMissing(LegEvent):
    """The process that was to dial is gone, and its node knows no channel and no outcome: it was not dialled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRefused(LegEvent):
    """The channel was not made at all: by Asterisk's word, or because its trunk is down."""

    cause: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLost(LegEvent):
    """The channel is gone and nobody knows how: its node restarted, or it was never made."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HangupRequested(Event):
    """The API wants the call to end. An intent; the end itself comes as `LegEnded`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStored(Event):
    """The recording lies in storage."""

    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMissing(Event):
    """The node has no file for a call that should have one."""
