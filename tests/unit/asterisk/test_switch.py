"""How a leg is dialled."""

from types import SimpleNamespace

import pytest

from service.asterisk.switch import AsteriskSwitch, dial_string
from service.calls.call import Call, Direction, Leg
from service.calls.commands import ForgetSteps, Originate
from service.calls.ids import channel_of, mint

ID = mint("call")


def a_call(to="+14155550100", endpoint="trunk_a", target="pbx.example.com", **more):
    leg = Leg(channel_of(ID), "node1", "orbit-p1", endpoint, endpoint, target)
    return Call(ID, Direction.OUTBOUND, to, "+12025551234", leg, 0, **more)


def dialled(to, endpoint, target):
    return dial_string(a_call(to, endpoint, target))


@pytest.mark.parametrize(
    ("call", "flow", "via"),
    [
        (a_call(), "", ""),
        (a_call(trunk_id="trunk_a"), "", "trunk_a"),
        (a_call(trunk_id="trunk_a", ivr_id="ivr_a"), "ivr_a", "trunk_a"),
        (a_call(trunk_id="trunk_s", ivr_id="ivr_a", sandbox=True), "ivr_a", "sandbox"),
    ],
)
async def test_a_dialled_call_knows_its_menu_and_the_trunk_of_its_transfers(call, flow, via):
    asked = {}

    class Ari:
        async def call(self, kind, operation, **values):
            asked.update(values["variables"])

    node = SimpleNamespace(name="node1", ari=Ari())
    await AsteriskSwitch({"node1": node}, None, None).run(Originate(call))
    assert (asked["ORBIT_FLOW"], asked["ORBIT_VIA"]) == (flow, via)


async def test_steps_are_read_and_forgotten_where_their_channel_was():
    forgotten = []

    class Steps:
        async def read(self):
            return ["walk"]

        async def forget(self, channel_id):
            forgotten.append(channel_id)

    switch = AsteriskSwitch({"node1": SimpleNamespace(name="node1", steps=Steps())}, None, None)
    assert await switch.walks("node1") == ["walk"]
    await switch.run(ForgetSteps(a_call()))
    assert forgotten == [channel_of(ID)]


@pytest.mark.parametrize(
    ("to", "target", "expected"),
    [
        ("+14155550100", "pbx.example.com", "sip:+14155550100@pbx.example.com"),
        ("+14155550100", "192.0.2.1:5070;transport=tcp", "sip:+14155550100@192.0.2.1:5070;transport=tcp"),
        ("+14155550100", "[2001:db8::1];transport=tls", "sip:+14155550100@[2001:db8::1];transport=tls"),
        ("sip:bob@example.com", "pbx.example.com", "sip:bob@example.com"),
        ("sip:bob@example.com:5080;transport=tcp", "pbx.example.com", "sip:bob@example.com:5080"),
        ("sip:bob@example.com;transport=udp", "pbx.example.com;transport=tls", "sip:bob@example.com;transport=tls"),
        ("sip:bob@[2001:db8::1]:5080", "x;transport=tls", "sip:bob@[2001:db8::1]:5080;transport=tls"),
        ("sips:bob@example.com", "pbx.example.com;transport=tls", "sip:bob@example.com;transport=tls"),
    ],
)
def test_a_trunk_is_dialled_by_uri_and_always_by_its_own_transport(to, target, expected):
    assert dialled(to, "trunk_a", target) == f"PJSIP/trunk_a/{expected}"


@pytest.mark.parametrize("to", ["+15005550007", "sip:+15005550007@example.com:5070;transport=tcp"])
def test_nothing_dialled_in_the_sandbox_leaves_it(to):
    assert dialled(to, "sandbox", "") == "PJSIP/+15005550007@sandbox"


def test_a_new_call_goes_to_the_node_with_the_fewest_that_is_not_to_be_avoided():
    nodes = {name: SimpleNamespace(name=name, healthy=True) for name in ("node1", "node2", "node3")}
    switch = AsteriskSwitch(nodes, None, None)
    switch.measured({"node1": 0, "node2": 5, "node3": 9})
    assert switch.pick_node(lambda node: False) == "node1"
    assert switch.pick_node(lambda node: node == "node1") == "node2"
    nodes["node2"].healthy = nodes["node3"].healthy = False
    assert switch.pick_node(lambda node: node == "node1") == "node1"
