"""When the next trunk is tried, and that no order of events of two legs breaks a call."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.calls.call import Call, Direction, Leg, Route, Side
from service.calls.commands import ForgetOutcome, Originate
from service.calls.events import (
    CallCreated,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLost,
    LegMissing,
    LegRang,
    LegRefused,
)
from service.calls.failover import REDIAL_MS
from service.calls.status import Status
from service.calls.times import now_ms
from service.calls.transitions import apply

ID = "call_01J00000000000000000000000"
FIRST, SECOND, THIRD = (f"{ID}.{n}" for n in (1, 2, 3))
CALL = Call(
    id=ID,
    direction=Direction.OUTBOUND,
    to="+14155550100",
    from_="+12025551234",
    leg=Leg(FIRST, "node1", "orbit-p1", "trunk_a", "trunk_a", "a.example.com"),
    created_at=1_000,
    trunk_id="trunk_a",
    routes=(
        Route("trunk_b", "trunk_b", "b.example.com;transport=tls", 7),
        Route("trunk_c", "trunk_c", "c.example.com"),
    ),
    sequence=1,
)
NOW = {"call_id": ID, "at": 2_000}
AT = {**NOW, "channel_id": FIRST}


def ended(cause, sip_code=None, **more):
    """As a process hears of it whose clock is the node's, unless told."""
    values = {**AT, **more}
    return LegEnded(**{"found_at": values["at"], **values}, cause=cause, sip_code=sip_code)


@pytest.mark.parametrize(
    ("cause", "sip_code"),
    [
        (34, 0),  # no connection: refused, reset, TLS, no such host
        (18, 0),  # silence
        (34, 100),  # the connection broke after the far end had the INVITE
        *((18, 408), (38, 500), (27, 502), (34, 503), (102, 504)),
        *((cause, None) for cause in (18, 27, 34, 38, 102)),
    ],
)
def test_a_trunk_that_brings_the_call_to_nobody_is_followed_by_the_next(cause, sip_code):
    change = apply(CALL, ended(cause, sip_code))
    call = change.call
    assert call.leg == Leg(
        SECOND, "node1", "orbit-p1", "trunk_b", "trunk_b", "b.example.com;transport=tls", 7, dialled_at=2_000
    )
    assert (call.status, call.trunk_id, [r.trunk_id for r in call.routes]) == (
        Status.INITIATING, "trunk_b", ["trunk_c"],
    )  # fmt: skip
    assert change.commands == (Originate(call), ForgetOutcome(CALL))  # the next leg does not wait for the ledger


@pytest.mark.parametrize(
    ("cause", "sip_code"),
    [
        *((17, 486), (17, 600), (21, 603), (1, 404), (21, 403), (21, 401), (21, 407), (58, 488), (58, 606), (3, 420)),
        *((19, 480), (22, 410), (28, 484), (127, 491), (23, 302), (19, 100), (58, 200), (127, 200), (34, 180)),
        *((cause, None) for cause in (0, 1, 16, 17, 19, 20, 21, 22, 28, 58, 127)),
    ],
)
def test_a_far_end_that_has_decided_is_the_end(cause, sip_code):
    change = apply(CALL, ended(cause, sip_code))
    assert change.call.ended
    assert change.call.leg == CALL.leg
    assert change.commands == (ForgetOutcome(change.call),)


@pytest.mark.parametrize(
    "call",
    [
        replace(CALL, routes=()),
        replace(CALL, hangup_requested_at=1_500),
        replace(CALL, status=Status.RINGING),
        replace(CALL, direction=Direction.INBOUND, routes=()),
    ],
)
def test_nothing_is_tried_after_the_last_trunk_a_hangup_or_ringing(call):
    assert apply(call, ended(34, 503)).call.ended
    if call.status is Status.INITIATING:
        assert apply(call, LegRefused(**AT, cause=27, reason="trunk_unreachable")).call.ended


@pytest.mark.parametrize("more", [{"answered_at": 1_900}, {"rang": True}, {"end": "encryption_refused"}])
def test_an_end_that_tells_of_more_than_a_failed_trunk_is_the_end(more):
    assert apply(CALL, ended(34, 503, **more)).call.ended


def test_a_leg_that_was_not_made_is_followed_by_the_next_unless_its_node_is_away():
    refused = LegRefused(**AT, cause=27, reason="trunk_unreachable")
    assert apply(CALL, refused).commands == (Originate(apply(CALL, refused).call),)
    assert apply(CALL, replace(refused, reason="asterisk_unavailable")).call.ended


@pytest.mark.parametrize("reason", ["node_lost", "channel_lost"])
def test_a_leg_that_was_lost_is_not_followed(reason):
    assert apply(CALL, LegLost(**AT, reason=reason)).call.ended


def test_the_timeline_tells_of_it_and_webhooks_have_no_gap():
    moved = apply(CALL, ended(34, 503))
    [notice] = moved.notices
    assert (notice.type, notice.quiet, notice.call.sequence) == ("call.rerouted", True, 1)
    assert notice.detail == {
        "trunk_id": "trunk_a",
        "by": Side.CALLEE,
        "cause": 34,
        "sip_code": 503,
        "reason": "congestion",
        "message": "The carrier cannot take the call now: it is congested or out of service (SIP 503).",
        "next_trunk_id": "trunk_b",
    }
    rang = apply(moved.call, LegRang(**{**AT, "channel_id": SECOND}))
    assert rang.call.sequence == 2


def test_an_outcome_found_later_is_followed_while_the_call_is_young():
    young, old = CALL.created_at + REDIAL_MS - 1, CALL.created_at + REDIAL_MS
    assert apply(CALL, ended(34, 503, recovered=True, found_at=young)).call.leg.channel_id == SECOND
    assert apply(CALL, ended(34, 503, recovered=True, found_at=young)).call.leg.dialled_at == young
    assert apply(CALL, ended(34, 503, recovered=True, found_at=old)).call.ended


def test_a_leg_is_dialled_by_the_clock_of_the_process_that_does_it():
    call = replace(CALL, created_at=now_ms())
    behind = {**AT, "at": call.created_at - 3_600_000}  # the node's clock
    moved = apply(call, LegEnded(**behind, cause=34, sip_code=503)).call
    assert moved.leg.channel_id == SECOND
    assert call.created_at <= moved.leg.dialled_at <= now_ms()
    assert apply(CALL, ended(34, 503, at=2_000, found_at=CALL.created_at + 60_000)).call.ended


def test_the_time_to_ring_bounds_the_search_and_counts_for_each_leg():
    assert apply(CALL, ended(18, 0, at=CALL.created_at + 59_999)).call.leg.channel_id == SECOND
    assert apply(CALL, ended(18, 0, at=CALL.created_at + 60_000)).call.ended
    second = apply(CALL, ended(18, 0, at=33_000)).call
    rung = apply(second, LegRang(**{**AT, "channel_id": SECOND, "at": 34_000})).call
    early = apply(rung, ended(19, 480, channel_id=SECOND, at=63_000)).call
    late = apply(rung, ended(19, 480, channel_id=SECOND, at=93_000)).call
    assert (early.hangup.by, early.hangup.sip_code) == (Side.CALLEE, 480)
    assert (late.hangup.by, late.hangup.sip_code) == (Side.SYSTEM, None)


def test_a_leg_that_was_left_behind_says_nothing_any_more():
    call = apply(CALL, ended(34, 503)).call
    late = (
        LegRang(**AT), LegAnswered(**AT), ended(16), LegLost(**AT, reason="node_lost"), LegMissing(**AT),
        LegRefused(**AT, cause=27, reason="trunk_unreachable"),
    )  # fmt: skip
    assert [apply(call, event) for event in late] == [None] * len(late)


def test_a_leg_that_was_not_dialled_yet_is_dialled_by_its_own_trunk():
    call = apply(CALL, ended(34, 503)).call
    assert apply(call, LegMissing(**{**AT, "channel_id": SECOND})).commands == (Originate(call),)
    assert apply(call, CallCreated(**NOW, call=CALL)).commands == (Originate(call),)


def test_after_the_last_trunk_the_last_ones_reason_counts():
    call = replace(apply(CALL, ended(34, 503)).call, routes=())
    last = apply(call, ended(18, 0, channel_id=SECOND)).call
    assert (last.status, last.trunk_id) == (Status.FAILED, "trunk_b")
    assert (last.hangup.reason, last.hangup.cause, last.hangup.by) == ("no_response", 18, Side.SYSTEM)


LEGS = st.sampled_from([FIRST, SECOND, THIRD])
EVENTS = st.lists(
    st.one_of(
        st.builds(lambda leg, at: LegRang(call_id=ID, at=at, channel_id=leg), LEGS, st.integers(0, 9_000)),
        st.builds(lambda leg, at: LegAnswered(call_id=ID, at=at, channel_id=leg), LEGS, st.integers(0, 9_000)),
        st.builds(
            lambda leg, at, cause, sip: ended(cause, sip, at=at, channel_id=leg),
            LEGS,
            st.integers(0, 9_000),
            st.sampled_from([16, 17, 18, 19, 21, 34]),
            st.sampled_from([None, 0, 100, 180, 200, 401, 408, 486, 503]),
        ),
        st.builds(lambda leg: LegRefused(**{**AT, "channel_id": leg}, cause=27, reason="trunk_unreachable"), LEGS),
        st.just(HangupRequested(**NOW)),
    ),
    max_size=25,
)


@given(EVENTS)
def test_any_order_of_events_of_several_legs_ends_a_call_once_and_dials_each_trunk_once(stream):
    call, dialled, webhooks, ends = CALL, [FIRST], [], 0
    for event in stream:
        change = apply(call, event)
        if change is None:
            continue
        assert not call.ended
        dialled += [c.call.leg.channel_id for c in change.commands if isinstance(c, Originate)]
        webhooks += [n.call.sequence for n in change.notices if not n.quiet]
        ends += change.call.ended
        if change.call.leg != call.leg:
            assert call.status is Status.INITIATING
        call = change.call
    assert dialled == [FIRST, SECOND, THIRD][: len(dialled)]
    assert webhooks == list(range(2, 2 + len(webhooks)))
    assert ends <= 1
    assert call.trunk_id == call.leg.trunk_id == f"trunk_{'abc'[int(call.leg.channel_id[-1]) - 1]}"
