"""What happened to a call, in the past tense. Facts from Asterisk, from the API and from storage; times in ms."""

from dataclasses import dataclass

from service.calls.call import Call


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
class LegRang(Event):
    """The far end rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegWaiting(Event):
    """A caller whom we claimed is still not answered: what should have answered was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered(Event):
    """The far end answered, or we answered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded(Event):
    """The channel is gone.

    `cause` is a Q.850 integer, `sip_code` the SIP answer behind it. `answered_at` is set where the source knows it: an
    end can be the first that we hear of an answer. `end` is Asterisk's own reason: `max_duration`, `no_controller`.
    """

    cause: int
    sip_code: int | None = None
    answered_at: int | None = None
    end: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMissing(Event):
    """The process that was to dial is gone, and its node knows no channel and no outcome: it was not dialled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRefused(Event):
    """Asterisk would not make the channel at all."""

    cause: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLost(Event):
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
