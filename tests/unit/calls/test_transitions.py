"""Every (status, event) pair has one meaning, and no order of events can break a call."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.calls.call import Call, Direction, Leg, Recording, Side
from service.calls.causes import CAUSES
from service.calls.commands import Accept, ForgetOutcome, ForgetSteps, HangUp, Originate
from service.calls.events import (
    CallCreated,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLost,
    LegMissing,
    LegRang,
    LegRefused,
    LegWaiting,
    MenuStepped,
    RecordingMissing,
    RecordingStored,
)
from service.calls.status import LIVE, TERMINAL, Status
from service.calls.steps import Step
from service.calls.transitions import TABLE, apply

CALL = Call(
    id="call_01J00000000000000000000000",
    direction=Direction.OUTBOUND,
    to="+15005550001",
    from_="+12025551234",
    leg=Leg("call_01J00000000000000000000000.1", "node1", "orbit-p1", "sandbox"),
    created_at=1_000,
    record=True,
)
NOW = {"call_id": CALL.id, "at": 5_000}
AT = {**NOW, "channel_id": CALL.leg.channel_id}
EVENTS = {
    CallCreated: CallCreated(**NOW, call=CALL),
    LegRang: LegRang(**AT),
    LegWaiting: LegWaiting(**AT),
    LegMissing: LegMissing(**AT),
    LegAnswered: LegAnswered(**AT),
    LegEnded: LegEnded(**AT, cause=16),
    LegRefused: LegRefused(**AT, cause=27, reason="trunk_unreachable"),
    LegLost: LegLost(**AT, reason="node_lost"),
    MenuStepped: MenuStepped(**AT, number=1, step=Step("ivr_1", 4_000, 5_000, "1", "key", True, "hangup")),
    HangupRequested: HangupRequested(**NOW),
    RecordingStored: RecordingStored(**NOW, duration_ms=2_000),
    RecordingMissing: RecordingMissing(**NOW),
}
SAME = "same"  # changes, but not the status
MEANING = {  # (status, event): the status afterwards; what is not here changes nothing
    (Status.INITIATING, LegMissing): SAME,
    (Status.INITIATING, CallCreated): SAME,
    (Status.INITIATING, LegRang): Status.RINGING,
    (Status.INITIATING, LegAnswered): Status.IN_PROGRESS,
    (Status.RINGING, LegAnswered): Status.IN_PROGRESS,
    (Status.INITIATING, LegEnded): Status.FAILED,
    (Status.RINGING, LegEnded): Status.FAILED,
    (Status.IN_PROGRESS, LegEnded): Status.COMPLETED,
    (Status.INITIATING, LegRefused): Status.FAILED,
    **{(s, LegLost): Status.FAILED for s in LIVE},
    **{(s, MenuStepped): Status.IN_PROGRESS for s in LIVE},
    **{(s, MenuStepped): SAME for s in TERMINAL},
    **{(s, HangupRequested): SAME for s in LIVE},
    **{(s, RecordingStored): SAME for s in TERMINAL},
    **{(s, RecordingMissing): SAME for s in TERMINAL},
}


def call_in(status: Status) -> Call:
    answered = 2_000 if status in (Status.IN_PROGRESS, Status.COMPLETED) else None
    ended = 4_000 if status in TERMINAL else None
    recording = Recording.PENDING if status in TERMINAL else Recording.NONE
    return replace(CALL, status=status, answered_at=answered, ended_at=ended, recording=recording)


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.__name__)
@pytest.mark.parametrize("status", list(Status))
def test_every_pair_of_status_and_event(status, event):
    call = call_in(status)
    change = apply(call, EVENTS[event])
    expected = MEANING.get((status, event))
    if expected is None:
        assert change is None
    else:
        assert change is not None
        assert change.call.status == (status if expected == SAME else expected)


def test_the_table_here_and_the_table_there_name_the_same_pairs():
    assert set(TABLE) == {*MEANING, (Status.INITIATING, LegWaiting)}


def test_a_caller_who_waits_is_answered_unless_the_api_wants_an_end():
    inbound = replace(call_in(Status.INITIATING), direction=Direction.INBOUND)
    assert apply(inbound, EVENTS[LegWaiting]).commands == (Accept(inbound),)
    assert apply(replace(inbound, hangup_requested_at=4_000), EVENTS[LegWaiting]) is None


def test_a_call_that_was_not_dialled_is_dialled_unless_the_api_wants_an_end():
    call = call_in(Status.INITIATING)
    assert apply(call, EVENTS[LegMissing]).commands == (Originate(call),)
    assert apply(replace(call, hangup_requested_at=4_000), EVENTS[LegMissing]) is None
    assert apply(replace(call, direction=Direction.INBOUND), EVENTS[LegMissing]) is None


def test_a_created_call_is_dialled_and_announced():
    change = apply(None, EVENTS[CallCreated])
    assert change.commands == (Originate(change.call),)
    assert [n.type for n in change.notices] == ["call.initiated"]
    assert change.call.sequence == 1


def test_an_offered_call_is_accepted_and_a_recovered_one_is_left_alone():
    inbound = replace(CALL, direction=Direction.INBOUND)
    assert apply(None, CallCreated(**NOW, call=inbound)).commands[0] == Accept(replace(inbound, sequence=1))
    assert apply(None, CallCreated(**NOW, call=inbound, recovered=True)).commands == ()


def test_nothing_else_brings_a_call_into_being():
    assert all(apply(None, event) is None for kind, event in EVENTS.items() if kind is not CallCreated)


@pytest.mark.parametrize(
    ("cause", "sip", "status", "by"),
    [
        (17, 486, Status.BUSY, Side.CALLEE),
        (19, 480, Status.NO_ANSWER, Side.CALLEE),
        (18, 408, Status.NO_ANSWER, Side.CALLEE),
        (1, 404, Status.FAILED, Side.CALLEE),
        (34, 503, Status.FAILED, Side.CALLEE),
        (21, 603, Status.FAILED, Side.CALLEE),
        (38, None, Status.FAILED, Side.SYSTEM),
        (77, None, Status.FAILED, Side.SYSTEM),
    ],
)
def test_an_unanswered_call_ends_as_its_cause_says(cause, sip, status, by):
    call = apply(call_in(Status.RINGING), LegEnded(**AT, cause=cause, sip_code=sip)).call
    assert (call.status, call.hangup.by, call.hangup.cause, call.hangup.sip_code) == (status, by, cause, sip)
    assert call.hangup.reason == (CAUSES[cause].reason if cause in CAUSES else f"cause_{cause}")


@pytest.mark.parametrize(
    ("cause", "sip", "reason", "by"),
    [
        (34, 0, "trunk_unreachable", Side.SYSTEM),
        (18, 0, "no_response", Side.SYSTEM),
        (34, 100, "connection_lost", Side.SYSTEM),
        (34, 180, "connection_lost", Side.SYSTEM),
        (21, 401, "trunk_auth_rejected", Side.CALLEE),
        (21, 407, "trunk_auth_rejected", Side.CALLEE),
        (21, 403, "call_rejected", Side.CALLEE),
        (58, 488, "incompatible_destination", Side.CALLEE),
        (58, 200, "incompatible_destination", Side.SYSTEM),
        (127, 415, "incompatible_destination", Side.CALLEE),
    ],
)
def test_what_came_from_the_far_end_tells_why_a_call_of_ours_failed(cause, sip, reason, by):
    call = apply(call_in(Status.RINGING), LegEnded(**AT, cause=cause, sip_code=sip)).call
    assert (call.status, call.hangup.reason, call.hangup.by) == (Status.FAILED, reason, by)
    assert call.hangup.sip_code == (sip if sip >= 300 else None)


def test_silence_until_the_time_to_ring_is_over_is_no_ringing():
    call = replace(call_in(Status.INITIATING), timeout=4)
    hangup = apply(call, LegEnded(**AT, cause=19, sip_code=0)).call.hangup
    assert (hangup.cause, hangup.reason, hangup.by) == (18, "no_response", Side.SYSTEM)


def test_an_answer_without_the_encryption_fails_the_call_that_it_answered():
    call = apply(call_in(Status.IN_PROGRESS), LegEnded(**AT, cause=58, sip_code=200, end="encryption_refused")).call
    assert (call.status, call.hangup.by, call.hangup.reason) == (Status.FAILED, Side.SYSTEM, "encryption_refused")


def test_a_caller_on_a_full_trunk_has_failed():
    inbound = replace(call_in(Status.INITIATING), direction=Direction.INBOUND)
    call = apply(inbound, LegEnded(**AT, cause=34, sip_code=0, end="max_channels")).call
    assert (call.status, call.hangup.by, call.hangup.reason) == (Status.FAILED, Side.SYSTEM, "max_channels")


def test_a_bare_bye_is_a_normal_end():
    hangup = apply(call_in(Status.IN_PROGRESS), LegEnded(**AT, cause=0)).call.hangup
    assert (hangup.by, hangup.cause, hangup.reason) == (Side.CALLEE, 16, "normal_clearing")


@pytest.mark.parametrize(("cause", "sip"), [(127, 487), (127, None), (0, None), (16, None)])
def test_a_caller_who_gives_up_cancels(cause, sip):
    inbound = replace(call_in(Status.INITIATING), direction=Direction.INBOUND)
    call = apply(inbound, LegEnded(**AT, cause=cause, sip_code=sip)).call
    assert (call.status, call.hangup.by, call.hangup.cause) == (Status.CANCELLED, Side.CALLER, 16)


def test_a_caller_whom_nobody_could_take_has_failed():
    inbound = replace(call_in(Status.INITIATING), direction=Direction.INBOUND)
    call = apply(inbound, LegEnded(**AT, cause=41, end="no_controller")).call
    assert (call.status, call.hangup.by) == (Status.FAILED, Side.SYSTEM)
    gave_up = apply(inbound, LegEnded(**AT, cause=127, end="no_controller")).call
    assert (gave_up.status, gave_up.hangup.by, gave_up.hangup.cause) == (Status.CANCELLED, Side.CALLER, 16)


def test_ringing_out_is_our_doing_and_has_no_sip_code():
    call = replace(call_in(Status.RINGING), timeout=4)
    hangup = apply(call, LegEnded(**AT, cause=19, sip_code=480)).call.hangup
    assert (hangup.by, hangup.sip_code, hangup.reason) == (Side.SYSTEM, None, "no_answer")


def test_a_hangup_before_the_answer_cancels_whatever_the_cause():
    asked = apply(call_in(Status.RINGING), EVENTS[HangupRequested])
    assert asked.commands == (HangUp(asked.call),)
    ended = apply(asked.call, LegEnded(**AT, cause=17, sip_code=486)).call
    assert (ended.status, ended.hangup.by, ended.hangup.reason) == (Status.CANCELLED, Side.API, "hangup_requested")


def test_a_hangup_that_crossed_the_answer_completes():
    asked = apply(call_in(Status.RINGING), EVENTS[HangupRequested]).call
    answered = apply(asked, EVENTS[LegAnswered]).call
    ended = apply(answered, replace(EVENTS[LegEnded], at=9_000)).call
    assert (ended.status, ended.hangup.by) == (Status.COMPLETED, Side.API)
    assert ended.duration_seconds == 4


def test_the_time_limit_is_the_systems_doing():
    hangup = apply(call_in(Status.IN_PROGRESS), LegEnded(**AT, cause=16, end="max_duration")).call.hangup
    assert (hangup.by, hangup.reason) == (Side.SYSTEM, "max_duration")


def test_an_end_that_knows_of_an_answer_tells_of_both():
    change = apply(call_in(Status.INITIATING), LegEnded(**AT, cause=16, answered_at=2_500, recovered=True))
    assert [n.type for n in change.notices] == ["call.answered", "call.completed"]
    assert [n.call.sequence for n in change.notices] == [1, 2]
    assert all(n.recovered for n in change.notices)
    assert (change.call.answered_at, change.call.duration_seconds) == (2_500, 2)
    assert change.commands == (ForgetOutcome(change.call),)


def test_only_an_answered_and_recorded_call_waits_for_its_recording():
    assert apply(call_in(Status.IN_PROGRESS), EVENTS[LegEnded]).call.recording is Recording.PENDING
    assert apply(call_in(Status.RINGING), EVENTS[LegEnded]).call.recording is Recording.NONE
    unrecorded = replace(call_in(Status.IN_PROGRESS), record=False)
    assert apply(unrecorded, EVENTS[LegEnded]).call.recording is Recording.NONE


def test_a_recording_becomes_ready_once():
    ended = apply(call_in(Status.IN_PROGRESS), EVENTS[LegEnded]).call
    ready = apply(ended, EVENTS[RecordingStored])
    assert (ready.call.recording, ready.notices[0].type) == (Recording.READY, "call.recording.ready")
    assert apply(ready.call, EVENTS[RecordingStored]) is None
    assert apply(ready.call, EVENTS[RecordingMissing]) is None


def test_the_caller_of_an_inbound_call_is_the_far_end():
    inbound = replace(call_in(Status.IN_PROGRESS), direction=Direction.INBOUND)
    assert apply(inbound, EVENTS[LegEnded]).call.hangup.by is Side.CALLER


def stepped(number, typed="1", at=5_000, **more):
    return MenuStepped(**{**AT, "at": at}, number=number, step=Step("ivr_1", at - 500, at, typed, "key", **more))


def test_steps_are_taken_in_order_and_each_once():
    call = call_in(Status.IN_PROGRESS)
    first = apply(call, stepped(1, action="replay"))
    assert [(n.type, n.call.sequence, n.at) for n in first.notices] == [("ivr.input", 1, 5_000)]
    assert (first.call.steps, first.call.status, first.commands) == (1, Status.IN_PROGRESS, ())
    assert apply(first.call, stepped(1)) is None  # twice
    assert apply(first.call, stepped(3)) is None  # after a gap
    assert apply(first.call, stepped(2)).call.steps == 2


def test_who_leaves_the_menus_has_completed_them():
    [notice] = apply(call_in(Status.IN_PROGRESS), stepped(1, "", outcome="hangup")).notices
    assert (notice.type, notice.detail) == ("ivr.completed", {"ivr_id": "ivr_1", "outcome": "hangup"})


@pytest.mark.parametrize("status", [Status.INITIATING, Status.RINGING])
def test_a_step_before_the_answer_is_known_tells_of_both(status):
    change = apply(call_in(status), stepped(1))
    assert [(n.type, n.call.sequence) for n in change.notices] == [("call.answered", 1), ("ivr.input", 2)]
    assert (change.call.status, change.call.answered_at) == (Status.IN_PROGRESS, 4_500)


def test_a_step_that_is_found_after_the_end_is_told_and_changes_nothing_else():
    ended = call_in(Status.COMPLETED)
    change = apply(ended, replace(stepped(1), recovered=True))
    assert (change.notices[0].type, change.notices[0].recovered) == ("ivr.input", True)
    assert change.call == replace(ended, steps=1, sequence=1)


def test_steps_of_a_leg_that_was_left_behind_are_nobodys():
    assert apply(call_in(Status.IN_PROGRESS), replace(stepped(1), channel_id=f"{CALL.id}.2")) is None


def test_an_end_after_which_no_step_is_missing_lets_the_node_forget_steps_and_then_the_outcome():
    call = replace(call_in(Status.IN_PROGRESS), steps=2)
    change = apply(call, LegEnded(**AT, cause=16, steps=2))
    assert change.commands == (ForgetSteps(change.call), ForgetOutcome(change.call))


def test_an_end_with_more_steps_than_are_known_lets_the_node_forget_nothing():
    call = replace(call_in(Status.IN_PROGRESS), steps=1)
    change = apply(call, LegEnded(**AT, cause=16, steps=2))
    assert (change.call.status, change.commands) == (Status.COMPLETED, ())


@pytest.mark.parametrize("end", ["menu_hangup", "unavailable", "max_duration"])
def test_a_menu_that_ends_the_call_is_the_system(end):
    hangup = apply(call_in(Status.IN_PROGRESS), LegEnded(**AT, cause=16, end=end)).call.hangup
    assert (hangup.by, hangup.reason) == (Side.SYSTEM, end)


@pytest.mark.parametrize(
    ("direction", "by"), [(Direction.INBOUND, Side.CALLEE), (Direction.OUTBOUND, Side.CALLER)]
)
def test_the_party_that_was_reached_by_a_transfer_hung_up(direction, by):
    call = replace(call_in(Status.IN_PROGRESS), direction=direction)
    hangup = apply(call, LegEnded(**AT, cause=16, end="party_hung_up")).call.hangup
    assert (hangup.by, hangup.reason) == (by, "normal_clearing")


@pytest.mark.parametrize("status", [Status.INITIATING, Status.RINGING])
@pytest.mark.parametrize(
    ("cause", "outcome", "reason"),
    [
        (17, Status.BUSY, "user_busy"),
        (19, Status.NO_ANSWER, "no_answer"),
        (1, Status.FAILED, "unallocated_number"),
        (16, Status.FAILED, "normal_clearing"),
        (127, Status.FAILED, "interworking"),
        (0, Status.FAILED, "unknown"),
    ],
)
def test_a_caller_who_is_not_put_through_has_not_given_up(status, cause, outcome, reason):
    """By the cause, also where it says nothing: a caller's CANCEL would come with the same."""
    inbound = replace(call_in(status), direction=Direction.INBOUND)
    call = apply(inbound, LegEnded(**AT, cause=cause, end="not_put_through")).call
    assert (call.status, call.hangup.by, call.hangup.cause, call.hangup.reason) == (outcome, Side.CALLEE, cause, reason)


@pytest.mark.parametrize(("end", "cause"), [("no_route", 3), ("rejected", 21)])
def test_a_caller_whom_the_route_turns_away_has_failed(end, cause):
    inbound = replace(call_in(Status.INITIATING), direction=Direction.INBOUND)
    call = apply(inbound, LegEnded(**AT, cause=cause, end=end)).call
    assert (call.status, call.hangup.by, call.hangup.reason) == (Status.FAILED, Side.SYSTEM, end)


LEGS = st.sampled_from([f"{CALL.id}.{n}" for n in (1, 2, 3)])
events = st.lists(
    st.one_of(
        st.builds(lambda at: HangupRequested(call_id=CALL.id, at=at), st.integers(0, 10_000)),
        st.sampled_from([LegRang, LegAnswered]).flatmap(
            lambda kind: st.builds(
                lambda at, leg: kind(call_id=CALL.id, at=at, channel_id=leg), st.integers(0, 10_000), LEGS
            )
        ),
        st.builds(
            lambda at, leg, cause, sip, end, answered: LegEnded(
                call_id=CALL.id, at=at, channel_id=leg, cause=cause, sip_code=sip, end=end, answered_at=answered
            ),
            st.integers(0, 10_000),
            LEGS,
            st.integers(0, 130),
            st.none() | st.sampled_from([0, 100, 183, 200, 401, 408, 486, 488, 500, 503, 603]),
            st.sampled_from(["", "max_duration", "encryption_refused", "party_hung_up", "not_put_through"]),
            st.none() | st.integers(0, 10_000),
        ),
        st.builds(lambda leg: replace(EVENTS[LegRefused], channel_id=leg), LEGS),
        st.builds(
            lambda n, leg, at: replace(EVENTS[MenuStepped], number=n, channel_id=leg, at=at),
            st.integers(1, 4),
            LEGS,
            st.integers(0, 10_000),
        ),
        st.just(EVENTS[LegLost]),
        st.just(EVENTS[LegWaiting]),
        st.just(EVENTS[LegMissing]),
        st.just(EVENTS[LegRefused]),
        st.just(EVENTS[RecordingStored]),
        st.just(EVENTS[RecordingMissing]),
        st.just(EVENTS[CallCreated]),
    ),
    max_size=30,
)
ORDER = {Status.INITIATING: 0, Status.RINGING: 1, Status.IN_PROGRESS: 2, **dict.fromkeys(TERMINAL, 3)}


@given(events, st.booleans())
def test_shuffled_repeated_and_dropped_events_never_break_a_call(stream, inbound):
    call = replace(CALL, direction=Direction.INBOUND if inbound else Direction.OUTBOUND)
    told = []
    for event in stream:
        change = apply(call, event)
        if change is None:
            continue
        assert ORDER[change.call.status] >= ORDER[call.status]
        if call.ended:
            assert change.call.status is call.status
            assert change.call.ended_at == call.ended_at
        told += change.notices
        call = change.call
    assert [n.call.sequence for n in told] == list(range(1, len(told) + 1))
    assert sum(n.call.ended and not n.type.startswith(("call.recording", "ivr.")) for n in told) <= 1
    assert sum(n.type.startswith("ivr.") for n in told) == call.steps
    assert call.ended is (call.hangup is not None) is (call.ended_at is not None)
    assert (call.status in (Status.IN_PROGRESS, Status.COMPLETED)) <= (call.answered_at is not None)
    if call.ended_at is not None:
        assert call.ended_at >= (call.answered_at or call.created_at)


def test_a_redirect_is_one_whatever_cause_came_with_it():
    change = apply(CALL, LegEnded(**AT, cause=0, sip_code=302))
    assert (change.call.status, change.call.hangup.cause, change.call.hangup.reason) == ("failed", 23, "redirected")
