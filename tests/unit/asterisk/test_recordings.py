"""Captured event streams, replayed through the decoder and the transitions."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.asterisk.decode import Decoder
from service.calls.call import Call, Direction, Leg
from service.calls.ids import derive
from service.calls.status import Status
from service.calls.transitions import apply

STREAMS = Path(__file__).parents[2] / "recordings"
DECODER = Decoder("node1", "orbit-p1", lambda channel, at: derive("call", at, b"secret", channel))
ENDS = {  # stream: status, who, cause, SIP code, reason, the notices
    "busy": (Status.BUSY, "callee", 17, 486, "user_busy", "ringing busy"),
    "no_answer": (Status.NO_ANSWER, "system", 19, None, "no_answer", "ringing no_answer"),
    "unallocated": (Status.FAILED, "callee", 1, 404, "unallocated_number", "failed"),
    "congestion": (Status.FAILED, "callee", 34, 503, "congestion", "failed"),
    "answered_later": (Status.COMPLETED, "callee", 16, None, "normal_clearing", "ringing answered completed"),
    "far_end_hangs_up": (Status.COMPLETED, "callee", 16, None, "normal_clearing", "ringing answered completed"),
    "api_hangs_up": (Status.COMPLETED, "callee", 16, None, "normal_clearing", "answered completed"),
    "max_duration": (Status.COMPLETED, "system", 16, None, "max_duration", "answered completed"),
    "inbound": (Status.COMPLETED, "caller", 16, None, "normal_clearing", "answered completed"),
}


def messages(name):
    return [json.loads(line) for line in (STREAMS / f"{name}.jsonl").read_text().splitlines()]


def call_of_stream(stream):
    decoded = [e for m in stream if (e := DECODER.event(m))]
    channel = stream[0].get("channel") or stream[0]["peer"]
    offers = [o for m in stream if (o := DECODER.offer(m))]
    return Call(
        id=decoded[0].call_id,
        direction=Direction.INBOUND if offers else Direction.OUTBOUND,
        to="+15005550001",
        from_="+12025551234",
        leg=Leg(channel["id"], "node1", "orbit-p1"),
        created_at=decoded[0].at - 5,
        timeout=2,
    )


def play(stream, call):
    notices = []
    for message in stream:
        event = DECODER.event(message)
        change = apply(call, event) if event else None
        if change is not None:
            call, notices = change.call, [*notices, *change.notices]
    return call, notices


@pytest.mark.parametrize("name", ENDS)
def test_a_captured_stream_ends_as_it_ended(name):
    stream = messages(name)
    call, notices = play(stream, call_of_stream(stream))
    status, by, cause, sip, reason, told = ENDS[name]
    assert call.status is status
    assert (call.hangup.by, call.hangup.cause, call.hangup.sip_code, call.hangup.reason) == (by, cause, sip, reason)
    assert [n.type.removeprefix("call.") for n in notices] == told.split()


@given(st.sampled_from(sorted(ENDS)), st.randoms(use_true_random=False), st.integers(1, 3))
def test_a_stream_shuffled_and_repeated_ends_in_one_terminal_status(name, random, times):
    stream = messages(name) * times
    call = call_of_stream(messages(name))
    random.shuffle(stream)
    call, notices = play(stream, call)
    assert call.ended
    assert call.answered_at is None or call.status is Status.COMPLETED
    assert [n.call.sequence for n in notices] == list(range(1, len(notices) + 1))


def test_a_claimed_stream_offers_the_call_once():
    offers = [o for m in messages("inbound") if (o := DECODER.offer(m))]
    assert len(offers) == 1
    assert (offers[0].called, offers[0].caller) == ("+12025551234", "+14155550100")


@given(st.recursive(st.none() | st.integers() | st.text(), lambda c: st.dictionaries(st.text(), c) | st.lists(c)))
def test_no_message_breaks_the_decoder(value):
    for message in ({"type": "ChannelDestroyed", "channel": value}, {"type": "Dial", "peer": value}, {"type": value}):
        try:
            assert DECODER.event(message) is None
        except AttributeError as error:  # a message that is no object at all
            raise AssertionError(message) from error
