"""Single messages; whole streams are in test_recordings.py."""

import pytest

from service.asterisk import decode
from service.asterisk.decode import TYPES, Decoder
from service.calls.events import LegEnded, MenuStepped
from service.calls.ids import derive
from service.calls.steps import Step

DECODER = Decoder("node1", "orbit-p1", lambda channel, at: derive("call", at, b"secret", channel))
ID = "call_01J00000000000000000000000"
CHANNEL = {"id": f"{ID}.1", "state": "Up", "channelvars": {}}
INBOUND = {
    "id": "node1-7.3",
    "state": "Up",
    "name": "PJSIP/trunk_a-00000001",
    "caller": {"number": "+14155550100"},
    "channelvars": {"ORBIT_CALLED": "+12025551234", "ORBIT_CREATED": "1795361260.000"},
}
ROW = "1795361262.500|1795361260.000|ivr_a|1|key|1|hangup||caller_hung_up"


def stepped(channel, n="1", step=ROW, event="OrbitStep"):
    said = {"eventname": event, "n": n, "step": step}
    stamp = "2026-11-22T15:27:41.549+0000"
    return {"type": "ChannelUserevent", "eventname": event, "userevent": said, "channel": channel, "timestamp": stamp}


def test_a_step_is_an_event_of_its_call_at_its_own_time():
    event = DECODER.event(stepped(CHANNEL, n="2"))
    step = Step("ivr_a", 1795361260000, 1795361262500, "1", "key", True, "hangup", "", "caller_hung_up")
    assert event == MenuStepped(call_id=ID, at=step.at, channel_id=f"{ID}.1", number=2, step=step)


def test_a_callers_step_is_of_the_call_that_the_caller_is():
    event = DECODER.event(stepped(INBOUND))
    assert (event.call_id, event.channel_id) == (DECODER.call_id(INBOUND), "node1-7.3")


@pytest.mark.parametrize(
    "message",
    [
        stepped(CHANNEL, event="OrbitListen"),
        stepped(CHANNEL, n="one"),
        stepped(CHANNEL, step="junk"),
        stepped({"id": "PJSIP/operator-1", "channelvars": {}}),
        {key: value for key, value in stepped(CHANNEL).items() if key != "userevent"},
        {**stepped(CHANNEL), "userevent": "junk"},
        {key: value for key, value in stepped(CHANNEL).items() if key != "channel"},
    ],
)
def test_what_is_no_step(message):
    assert DECODER.event(message) is None


@pytest.mark.parametrize(("said", "steps"), [({}, 0), ({"ORBIT_STEPS": ""}, 0), ({"ORBIT_STEPS": "3"}, 3)])
def test_an_end_tells_how_many_steps_there_were(said, steps):
    channel = {**CHANNEL, "channelvars": {**said, "ORBIT_ANSWERED": "1795361260.000"}}
    stamp = "2026-11-22T15:27:41.549+0000"
    event = DECODER.event({"type": "ChannelDestroyed", "cause": 16, "channel": channel, "timestamp": stamp})
    assert isinstance(event, LegEnded)
    assert event.steps == steps


def test_every_message_that_is_decoded_is_asked_for():
    assert set(decode._STEPS) <= set(TYPES)
