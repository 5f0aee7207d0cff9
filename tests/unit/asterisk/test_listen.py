"""Ears and keys on a node, and what the dialplan tells of menus."""

import pytest

from service.asterisk.ari import AriRefused
from service.asterisk.listen import AsteriskEars, deaf_of, listen_of
from service.control.listening import Listen
from service.errors import AsteriskUnavailable


def told(event, **fields):
    said = {"eventname": event, **fields}
    return {"type": "ChannelUserevent", "eventname": event, "userevent": said, "channel": {"id": "node1-7.3"}}


def test_a_menu_that_listens():
    message = told("OrbitListen", Flow="ivr_1", Version="3", Visit="2")
    assert listen_of(message, "node1") == Listen("node1", "node1-7.3", "ivr_1", "3", "2")
    assert deaf_of(message) is None


def test_a_menu_that_listens_no_more():
    message = told("OrbitStep", n="1", step="…")
    assert deaf_of(message) == "node1-7.3"
    assert listen_of(message, "node1") is None


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ChannelDtmfReceived", "channel": {"id": "1"}},
        {"type": "ChannelUserevent", "eventname": "OrbitPulse", "userevent": {}},
        {"type": "ChannelUserevent", "eventname": "OrbitListen"},
        told("OrbitListen"),
        told("OrbitListen", Flow="ivr_1"),
    ],
)
def test_other_messages(message):
    assert listen_of(message, "node1") is None
    assert deaf_of(message) is None


class Ami:
    def __init__(self):
        self.actions = []

    async def action(self, name, **fields):
        self.actions.append((name, fields))


async def test_a_choice_is_a_key_and_says_for_which_visit():
    ami = Ami()
    await AsteriskEars({"node1": (None, ami)}).press("node1", "node1-7.3", "2", "5")
    (first, set_), (second, play) = ami.actions
    assert (first, second) == ("Setvar", "PlayDTMF")
    assert set_ == {"Channel": "node1-7.3", "Variable": "ORBIT_SAID", "Value": "2:5"}
    assert (play["Channel"], play["Digit"], play["Receive"]) == ("node1-7.3", "A", "true")


async def test_a_node_that_is_not_there():
    with pytest.raises(AsteriskUnavailable):
        await AsteriskEars({}).press("node1", "node1-7.3", "2", "5")


async def test_an_ear_that_is_refused():
    class Ari:
        async def call(self, *_, **__):
            raise AriRefused(500, "Allocation failed")

    with pytest.raises(AsteriskUnavailable, match="ear"):
        async with AsteriskEars({"node1": (Ari(), Ami())}).open("node1", "node1-7.3"):
            pass
