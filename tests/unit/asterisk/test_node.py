"""Whom a node's messages are given to."""

from types import SimpleNamespace

import pytest

from service.asterisk import node as module
from service.asterisk.node import Listener, Node
from service.calls.events import MenuStepped
from service.control.listening import Listen

CHANNEL = {"id": "call_01J00000000000000000000000.1", "state": "Up", "channelvars": {"ORBIT_APP": "orbit-p1"}}
ROW = "1795361262.500|1795361260.000|ivr_a|1|key|1|hangup||caller_hung_up"


def told(event, app="orbit-p1", **said):
    channel = {**CHANNEL, "channelvars": {"ORBIT_APP": app}}
    stamp = "2026-11-22T15:27:41.549+0000"
    return {"type": "ChannelUserevent", "eventname": event, "userevent": said, "channel": channel, "timestamp": stamp}


LISTEN = {"event": "OrbitListen", "Flow": "ivr_a", "Version": "3", "Visit": "1"}
STEP = {"event": "OrbitStep", "n": "1", "step": ROW}


class Line:
    def start(self):
        pass

    def close(self):
        pass


class Ari:
    async def close(self):
        pass


@pytest.fixture
def hear(monkeypatch):
    """Runs a node that says these messages; what was heard of them."""

    async def hear(*messages):
        class Socket:
            alive = answers = True

            def __init__(self, *given):
                self.receive = given[4]

            async def run(self):
                for message in messages:
                    self.receive(message)

        monkeypatch.setattr(module, "EventSocket", Socket)
        heard = []
        listener = Listener(
            event=heard.append,
            offer=None,
            untaken=None,
            connected=None,
            identify=lambda channel, at: "call_x",
            owns=lambda app: app == "orbit-p1",
            claims=lambda: False,
            listen=heard.append,
            deaf=lambda channel: heard.append(SimpleNamespace(deaf=channel)),
        )
        await Node("node1", "orbit-p1", Ari(), Line(), 100).run(listener)
        return heard

    return hear


async def test_a_menu_that_listens_is_heard_of_and_is_no_event(hear):
    assert await hear(told(**LISTEN)) == [Listen("node1", CHANNEL["id"], "ivr_a", "3", "1")]


async def test_a_step_ends_the_listening_before_it_is_told(hear):
    deaf, event = await hear(told(**STEP))
    assert deaf.deaf == CHANNEL["id"]
    assert isinstance(event, MenuStepped)


async def test_menus_of_calls_that_another_process_follows_are_none_of_ours(hear):
    assert await hear(told(app="orbit-p2", **LISTEN), told(app="orbit-p2", **STEP)) == []


async def test_other_events_of_the_dialplan_are_nobodys(hear):
    assert await hear(told("OrbitPulse"), told("OrbitStep", n="x", step="junk")) == []
