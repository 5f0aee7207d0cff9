"""The one place where a call changes: (status, event) → new call, notices, commands. Pure.

`TABLE` says which event means something in which status; a pair that is not there changes nothing. What can come late,
twice or out of order is therefore harmless by construction, and counted by whoever calls.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from service.calls import causes
from service.calls.call import Call, Direction, Hangup, Leg, Recording, Side
from service.calls.commands import Accept, Command, ForgetOutcome, ForgetSteps, HangUp, Originate
from service.calls.events import (
    CallCreated,
    Event,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegEvent,
    LegLost,
    LegMissing,
    LegRang,
    LegRefused,
    LegWaiting,
    MenuStepped,
    RecordingMissing,
    RecordingStored,
)
from service.calls.explanation import shown
from service.calls.failover import goes_on
from service.calls.ids import next_channel
from service.calls.status import TERMINAL, Status


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of a call's timeline and, unless it is `quiet`, one webhook: the call as it was at that moment."""

    type: str
    at: int
    call: Call
    recovered: bool
    detail: dict[str, Any]
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did."""

    call: Call
    notices: tuple[Notice, ...] = ()
    commands: tuple[Command, ...] = ()


def apply(call: Call | None, event: Event) -> Change | None:
    """The change that `event` makes, or None where it makes none. `call` is None while it does not exist."""
    if call is None:
        return _created(event) if isinstance(event, CallCreated) else None
    if isinstance(event, LegEvent) and event.channel_id != call.leg.channel_id:
        return None  # of a leg that the call has left behind
    step = TABLE.get((call.status, type(event)))
    return step(call, event) if step else None


def _tell(call: Call, event: Event, kind: str, at: int, **detail: Any) -> tuple[Call, Notice]:
    told = replace(call, sequence=call.sequence + 1)
    return told, Notice(kind if "." in kind else f"call.{kind}", at, told, event.recovered, detail)


def _created(event: CallCreated) -> Change:
    call, notice = _tell(event.call, event, "initiated", event.call.created_at)
    if event.recovered:  # its channel is answered, or gone
        return Change(call, (notice,))
    return Change(call, (notice,), (Originate(call) if call.direction is Direction.OUTBOUND else Accept(call),))


def _rang(call: Call, event: LegRang) -> Change:
    call, notice = _tell(replace(call, status=Status.RINGING, ringing_at=event.at), event, "ringing", event.at)
    return Change(call, (notice,))


def _waiting(call: Call, event: LegWaiting) -> Change | None:
    del event
    asked_to_end = call.hangup_requested_at is not None
    return None if call.direction is Direction.OUTBOUND or asked_to_end else Change(call, commands=(Accept(call),))


def _not_dialled(call: Call, event: LegMissing | CallCreated) -> Change | None:
    """Found out by a comparison; or the request that made it is repeated, since its answer got lost with the store or
    with its process. Should the channel be there after all, Asterisk refuses a second one of its name."""
    del event
    asked_to_end = call.hangup_requested_at is not None
    return None if call.direction is Direction.INBOUND or asked_to_end else Change(call, commands=(Originate(call),))


def _answered(call: Call, event: Event, at: int | None = None) -> Change:
    at = max(event.at if at is None else at, call.created_at)
    call, notice = _tell(replace(call, status=Status.IN_PROGRESS, answered_at=at), event, "answered", at)
    return Change(call, (notice,))


def _ended(call: Call, event: LegEnded) -> Change:
    if goes_on(call, event):
        moved = _rerouted(call, event, _outcome(call, event)[1], event.found_at)
        return replace(moved, commands=(*moved.commands, ForgetOutcome(call)))  # nobody waits for the ledger
    notices: tuple[Notice, ...] = ()
    if call.answered_at is None and event.answered_at is not None:
        answer = _answered(call, event, event.answered_at)
        call, notices = answer.call, answer.notices
    status, hangup = _outcome(call, event)
    recorded = call.record and call.answered_at is not None
    ended = _finish(call, event, status, hangup, Recording.PENDING if recorded else Recording.NONE)
    forget: tuple[Command, ...] = (*([ForgetSteps(ended.call)] if event.steps else []), ForgetOutcome(ended.call))
    if event.steps > call.steps:
        forget = ()  # the comparison finds those that are missing, and the outcome that leads to them
    return Change(ended.call, notices + ended.notices, forget)


def _stepped(call: Call, event: MenuStepped) -> Change | None:
    """In order, each once. One that comes after a gap is left to the comparison, which brings those before it."""
    if event.number != call.steps + 1:
        return None
    notices: tuple[Notice, ...] = ()
    if call.status in _BEFORE_ANSWER:
        answer = _answered(call, event, event.step.since)
        call, notices = answer.call, answer.notices
    kind = "ivr.completed" if event.step.last else "ivr.input"
    call, notice = _tell(replace(call, steps=event.number), event, kind, event.at, **event.step.detail)
    return Change(call, (*notices, notice))


def _rerouted(call: Call, event: LegEnded | LegRefused, why: Hangup, at: int) -> Change:
    """Dials the next route. Told on the timeline alone, under the number of the event before it."""
    route, *rest = call.routes
    leg = Leg(
        next_channel(call.leg.channel_id),
        call.leg.node,
        call.leg.app,
        route.endpoint,
        route.trunk_id,
        route.target,
        route.max_channels,
        dialled_at=at,
    )
    moved = replace(call, leg=leg, trunk_id=route.trunk_id, routes=tuple(rest))
    detail = {"trunk_id": call.trunk_id, **shown(why), "next_trunk_id": route.trunk_id}
    notice = Notice("call.rerouted", at, moved, event.recovered, detail, quiet=True)
    return Change(moved, (notice,), (Originate(moved),))


def _outcome(call: Call, event: LegEnded) -> tuple[Status, Hangup]:
    """Status and hangup of an ended leg. An API hang-up is known by who asked; its cause is Asterisk's choice."""
    far = Side.CALLEE if call.direction is Direction.OUTBOUND else Side.CALLER
    code, answered = event.cause, call.answered_at is not None
    sip = event.sip_code if 300 <= (event.sip_code or 0) <= 699 else None
    # A BYE says nothing of a cause, and a CANCEL less: without a Reason header (RFC 3326) they come as 0 and 127.
    cancelled = not answered and far is Side.CALLER and code in _SILENT and event.end not in _OTHERS
    if cancelled or (answered and code == causes.UNKNOWN):
        code = causes.NORMAL
    ours_to_judge = far is Side.CALLEE and not answered
    if ours_to_judge and event.sip_code == 0 and code == causes.NO_ANSWER:
        code = causes.NO_RESPONSE  # the time to ring was over before any word of the far end
    elif ours_to_judge and sip is not None and sip < 400:
        code = causes.REDIRECTED  # Asterisk does not always know yet
    cause = causes.unanswered(code, event.sip_code) if ours_to_judge else causes.cause_of(code)
    status = Status.COMPLETED if answered else Status.CANCELLED if cancelled else cause.unanswered
    rang_out = code == causes.NO_ANSWER and event.at - call.dialled_at >= call.timeout * 1000 - 100
    if answered or rang_out:
        sip = None
    ours = cause.ours if answered else far is Side.CALLEE and sip is None
    by, reason = Side.SYSTEM if ours else far, cause.reason
    if event.end in _OTHERS:
        by, reason = Side.CALLEE if far is Side.CALLER else Side.CALLER, cause.reason
    elif event.end and not cancelled:
        by, reason = Side.SYSTEM, event.end
        status = Status.FAILED if event.end in _FAILS else status
    elif call.hangup_requested_at is not None:
        by, reason = Side.API, "hangup_requested"
        if not answered:
            status, sip = Status.CANCELLED, None
    return status, Hangup(by, code, sip, reason)


def _refused(call: Call, event: LegRefused) -> Change:
    why = Hangup(Side.SYSTEM, event.cause, None, event.reason)
    if goes_on(call, event):
        return _rerouted(call, event, why, event.at)
    if call.hangup_requested_at is not None:
        hangup = Hangup(Side.API, event.cause, None, "hangup_requested")
        return _finish(call, event, Status.CANCELLED, hangup, Recording.NONE)
    return _finish(call, event, Status.FAILED, why, Recording.NONE)


def _lost(call: Call, event: LegLost) -> Change:
    if call.answered_at is None and call.hangup_requested_at is not None:
        hangup = Hangup(Side.API, causes.NORMAL, None, "hangup_requested")
        return _finish(call, event, Status.CANCELLED, hangup, Recording.NONE)
    recorded = call.record and call.answered_at is not None
    hangup = Hangup(Side.SYSTEM, causes.OUT_OF_ORDER, None, event.reason)
    return _finish(call, event, Status.FAILED, hangup, Recording.PENDING if recorded else Recording.NONE)


def _finish(call: Call, event: Event, status: Status, hangup: Hangup, recording: Recording) -> Change:
    at = max(event.at, call.answered_at or call.created_at)
    ended = replace(call, status=status, ended_at=at, hangup=hangup, recording=recording)
    ended, notice = _tell(ended, event, status, at, **shown(hangup))
    return Change(ended, (notice,))


def _hangup_requested(call: Call, event: HangupRequested) -> Change:
    """Asked twice, the channel is asked to end twice: the first request may have been lost."""
    at = event.at if call.hangup_requested_at is None else call.hangup_requested_at
    call = replace(call, hangup_requested_at=at)
    return Change(call, commands=(HangUp(call),))


def _recording_stored(call: Call, event: RecordingStored) -> Change | None:
    if call.recording is not Recording.PENDING:
        return None
    call = replace(call, recording=Recording.READY)
    call, notice = _tell(call, event, "call.recording.ready", event.at, duration_ms=event.duration_ms)
    return Change(call, (notice,))


def _recording_missing(call: Call, event: RecordingMissing) -> Change | None:
    del event
    return Change(replace(call, recording=Recording.LOST)) if call.recording is Recording.PENDING else None


# Ends that are the doing of who the caller was, or was to be, put through to.
_OTHERS = frozenset({"party_hung_up", "not_put_through"})
_FAILS = frozenset({"encryption_refused"})  # ends of an answered call without a moment of media
_SILENT = frozenset({causes.UNKNOWN, causes.NORMAL, causes.INTERWORKING})
_BEFORE_ANSWER = (Status.INITIATING, Status.RINGING)
_ALIVE = (*_BEFORE_ANSWER, Status.IN_PROGRESS)

TABLE: dict[tuple[Status, type[Event]], Callable[[Call, Any], Change | None]] = {
    (Status.INITIATING, LegRang): _rang,
    (Status.INITIATING, LegWaiting): _waiting,
    (Status.INITIATING, LegMissing): _not_dialled,
    (Status.INITIATING, CallCreated): _not_dialled,
    **{(status, LegAnswered): _answered for status in _BEFORE_ANSWER},
    **{(status, LegEnded): _ended for status in _ALIVE},
    **{(status, LegLost): _lost for status in _ALIVE},
    (Status.INITIATING, LegRefused): _refused,
    **{(status, MenuStepped): _stepped for status in (*_ALIVE, *TERMINAL)},
    **{(status, HangupRequested): _hangup_requested for status in _ALIVE},
    **{(status, RecordingStored): _recording_stored for status in TERMINAL},
    **{(status, RecordingMissing): _recording_missing for status in TERMINAL},
}
