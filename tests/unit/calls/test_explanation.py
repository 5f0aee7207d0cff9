"""Every way that a call can end has its sentence."""

import pytest

from service.calls.call import Hangup, Side
from service.calls.causes import CAUSES, LOST, SAID, UNHEARD
from service.calls.explanation import REASONS, SIP, explain

EVERY = {cause.reason for table in (CAUSES, SAID, UNHEARD) for cause in table.values()} | {LOST.reason}


def test_every_reason_has_a_sentence():
    assert set(REASONS) >= EVERY


@pytest.mark.parametrize("text", [*REASONS.values(), *SIP.values()])
def test_a_sentence_is_one(text):
    assert text[0].isupper()
    assert text.endswith(".")
    assert ". " not in text


@pytest.mark.parametrize(
    ("hangup", "message"),
    [
        (Hangup(Side.CALLEE, 17, 486, "user_busy"), "The number is busy (SIP 486)."),
        (Hangup(Side.CALLEE, 16, None, "normal_clearing"), "The callee hung up."),
        (Hangup(Side.CALLER, 16, None, "normal_clearing"), "The caller hung up."),
        (Hangup(Side.API, 16, None, "hangup_requested"), "The API hung up."),
        (Hangup(Side.CALLEE, 21, 603, "call_rejected"), "The call was declined (SIP 603)."),
        (
            Hangup(Side.CALLEE, 21, 401, "trunk_auth_rejected"),
            "The carrier did not accept the trunk's user name or password (SIP 401).",
        ),
        (
            Hangup(Side.SYSTEM, 27, None, "trunk_unreachable"),
            "The call was not dialled: the trunk is known to be down, or its node does not have it yet.",
        ),
        (Hangup(Side.CALLEE, 77, None, "cause_77"), "The call ended with cause 77 (Q.850)."),
    ],
)
def test_a_sentence_names_the_code_that_the_far_end_gave(hangup, message):
    assert explain(hangup) == message
