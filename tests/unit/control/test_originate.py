"""Which trunk a call goes by, which it goes on with, and why there is none."""

import asyncio
from dataclasses import replace

import pytest

from service.calls.call import Route
from service.calls.commands import Originate
from service.calls.ids import mint
from service.calls.status import Status
from service.control.gate import Gate
from service.control.originate import NewCall, Originator
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.errors import ConcurrencyLimitExceeded, NoTrunk, RateLimitExceeded, ValidationFailed
from service.ivr.flow import Flow
from service.ivr.flow import Status as FlowStatus
from service.numbers.number import Number
from service.trunks.trunk import Encryption, Trunk
from tests.fakes import (
    FakeCalls,
    FakeFlows,
    FakeMeter,
    FakeNumbers,
    FakeReachability,
    FakeStanding,
    FakeSwitch,
    FakeTrunks,
)

NUMBER = Number("num_1", "+12025551234", 0)
A, B, C = (
    Trunk(f"trunk_{x}", x.upper(), 0, termination_uri=f"sip:{x}.example.com", max_channels=2, calls_per_second=5)
    for x in "abc"
)
PLAIN = replace(A, id="trunk_p", encryption=Encryption.NONE, termination_uri="sip:p.example.com:5070;transport=tcp")
SANDBOX = Trunk("trunk_s", "Sandbox", 0, sandbox=True, allow_sip_destinations=True)


class Elsewhere:
    """`Destinations` that forbids one host."""

    async def fault(self, uri):
        return "another host" if "loop" in uri else None


class Desk:
    def __init__(self, *trunks, number=NUMBER, flows=()):
        self.calls, self.switch = FakeCalls(), FakeSwitch()
        self.far_ends, self.meter = FakeReachability(), FakeMeter()
        gate = Gate(self.far_ends, self.meter)
        presenter = Presenter("http://host", b"secret", 24)
        self.reactor = Reactor(self.calls, self.switch, presenter, FakeStanding(), gate)
        self.originator = Originator(
            self.reactor,
            self.switch,
            FakeNumbers(number),
            FakeTrunks(*trunks),
            FakeFlows(*flows),
            "orbit-p1",
            gate,
            Elsewhere(),
        )

    async def place(self, to="+14155550100", call_id=None, **more):
        call = await self.originator.place(NewCall(to, NUMBER.number, **more), call_id)
        await self.reactor.drained()
        return self.calls.calls[call.id].call


def ways(call):
    return [call.trunk_id, *(route.trunk_id for route in call.routes)]


async def test_a_call_goes_by_its_own_trunks_then_its_numbers_then_the_default():
    named = replace(NUMBER, trunk_ids=("trunk_b", "trunk_c"))
    default = replace(C, default=True)
    assert ways(await Desk(A, B, default, number=named).place(trunk_ids=["trunk_a", "trunk_b", "trunk_a"])) == [
        "trunk_a",
        "trunk_b",
    ]
    assert ways(await Desk(A, B, default, number=named).place(trunk_id="trunk_a")) == ["trunk_a"]
    assert ways(await Desk(A, B, default, number=named).place()) == ["trunk_b", "trunk_c"]
    assert ways(await Desk(A, B, default, number=replace(NUMBER, trunk_id="trunk_b")).place()) == ["trunk_b"]
    assert ways(await Desk(A, B, default).place()) == ["trunk_c"]


async def test_a_leg_and_its_routes_hold_all_that_dialling_needs():
    call = await Desk(A, PLAIN).place(trunk_ids=["trunk_a", "trunk_p"])
    leg = call.leg
    assert (leg.endpoint, leg.trunk_id, leg.target, leg.max_channels) == (
        "trunk_a", "trunk_a", "a.example.com;transport=tls", 2,
    )  # fmt: skip
    assert call.routes == (Route("trunk_p", "trunk_p", "p.example.com:5070;transport=tcp", 2, 5),)


async def test_a_test_key_never_leaves_the_sandbox():
    call = await Desk(A, SANDBOX).place(trunk_ids=["trunk_a"], sandbox=True)
    assert (ways(call), call.sandbox, call.leg.target) == (["trunk_s"], True, "")


async def test_unknown_trunks_are_faults_each_at_its_place():
    with pytest.raises(ValidationFailed) as failed:
        await Desk(A).place(trunk_ids=["trunk_a", "trunk_x", "trunk_y"])
    assert [f.field for f in failed.value.faults] == ["trunk_ids.1", "trunk_ids.2"]
    with pytest.raises(ValidationFailed) as failed:
        await Desk(A).place(trunk_id="trunk_a", trunk_ids=["trunk_a"])
    assert [f.field for f in failed.value.faults] == ["trunk_id"]


async def test_a_disabled_trunk_is_not_used():
    off = replace(A, enabled=False)
    assert ways(await Desk(off, B).place(trunk_ids=["trunk_a", "trunk_b"])) == ["trunk_b"]
    with pytest.raises(NoTrunk, match=r"disabled: A\."):
        await Desk(off, B).place(trunk_id="trunk_a")
    with pytest.raises(NoTrunk, match="no trunk"):
        await Desk().place()


async def test_a_trunk_that_is_down_is_passed_over_and_not_gone_on_with():
    desk = Desk(A, B, C)
    desk.far_ends.trunks_down |= {"trunk_a", "trunk_c"}
    assert ways(await desk.place(trunk_ids=["trunk_a", "trunk_b", "trunk_c"])) == ["trunk_b"]


async def test_with_every_trunk_down_a_call_fails_at_once_and_is_not_dialled():
    desk = Desk(A, B)
    desk.far_ends.trunks_down |= {"trunk_a", "trunk_b"}
    call = await desk.place(trunk_ids=["trunk_a", "trunk_b"])
    assert (call.status, call.hangup.reason, call.trunk_id) == (Status.FAILED, "trunk_unreachable", "trunk_a")
    assert desk.switch.commands == []


async def test_calls_above_a_trunks_channels_go_by_the_next_and_then_nowhere():
    desk = Desk(A, B)
    placed = await asyncio.gather(
        *(desk.place(trunk_ids=["trunk_a", "trunk_b"]) for _ in range(9)), return_exceptions=True
    )
    assert sorted(ways(c) for c in placed if not isinstance(c, Exception)) == [
        ["trunk_a", "trunk_b"], ["trunk_a", "trunk_b"], ["trunk_b"], ["trunk_b"],
    ]  # fmt: skip
    assert {type(e).code for e in placed if isinstance(e, Exception)} == {"CONCURRENCY_LIMIT_EXCEEDED"}


async def test_calls_above_a_trunks_rate_go_by_the_next_and_then_nowhere():
    desk = Desk(A, B)
    desk.meter.empty.add("trunk_a")
    assert ways(await desk.place(trunk_ids=["trunk_a", "trunk_b"])) == ["trunk_b"]
    desk.meter.empty.add("trunk_b")
    with pytest.raises(RateLimitExceeded) as refused:
        await desk.place(trunk_ids=["trunk_a", "trunk_b"])
    assert refused.value.retry_after == 0.25
    assert len(desk.calls.calls) == 1


async def test_a_full_trunk_keeps_its_new_calls_of_this_second():
    desk = Desk(replace(A, max_channels=1), B)
    for _ in range(3):
        await desk.place(trunk_ids=["trunk_a", "trunk_b"])
    assert sorted(desk.meter.taken) == ["trunk_a", "trunk_b", "trunk_b"]


async def test_a_node_that_does_not_reach_the_trunk_is_avoided():
    desk = Desk(A, B)
    desk.far_ends.down_pairs |= {("trunk_a", "node2"), ("trunk_b", "node1")}
    await desk.place(trunk_ids=["trunk_a", "trunk_b"])
    assert desk.switch.avoided == {"node2"}
    desk.far_ends.trunks_down.add("trunk_a")
    await desk.place(trunk_ids=["trunk_a", "trunk_b"])
    assert desk.switch.avoided == {"node1"}


async def test_a_number_whose_trunks_are_gone_calls_by_the_default_one():
    default = replace(C, default=True)
    one, several = replace(NUMBER, trunk_id="trunk_x"), replace(NUMBER, trunk_ids=("trunk_x", "trunk_b"))
    assert ways(await Desk(A, B, default, number=one).place()) == ["trunk_c"]
    assert ways(await Desk(A, B, default, number=several).place()) == ["trunk_b"]


async def test_a_trunk_without_limits_is_not_asked():
    desk = Desk(replace(A, max_channels=None, calls_per_second=None))
    for _ in range(5):
        await desk.place(trunk_id="trunk_a")
    assert desk.meter.taken == []


async def test_a_repeated_request_finds_its_call_though_the_trunk_is_full_by_now():
    desk, call_id = Desk(replace(A, max_channels=1)), mint("call")
    first = await desk.place(trunk_id="trunk_a", call_id=call_id)
    assert (await desk.place(trunk_id="trunk_a", call_id=call_id)).id == first.id
    with pytest.raises(ConcurrencyLimitExceeded):
        await desk.place(trunk_id="trunk_a")
    assert [type(c) for c in desk.switch.commands] == [Originate]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("sip:bob@loop.example.com", "another host"),
        ("sips:bob@example.com", "a SIP URI without TLS: the trunk does not encrypt"),
        ("sip:bob@example.com;transport=tls", "a SIP URI without TLS: the trunk does not encrypt"),
    ],
)
async def test_a_sip_uri_that_may_not_be_dialled(to, expected):
    desk = Desk(replace(PLAIN, allow_sip_destinations=True), SANDBOX)
    with pytest.raises(ValidationFailed) as failed:
        await desk.place(to, trunk_id="trunk_p")
    assert (failed.value.faults[0].field, failed.value.faults[0].expected) == ("to", expected)
    assert (await desk.place(to, sandbox=True)).trunk_id == "trunk_s"


async def test_a_sip_uri_goes_by_the_trunks_that_allow_it():
    desk = Desk(A, replace(B, allow_sip_destinations=True))
    assert ways(await desk.place("sips:bob@example.com", trunk_ids=["trunk_a", "trunk_b"])) == ["trunk_b"]
    with pytest.raises(ValidationFailed):
        await desk.place("sip:bob@example.com", trunk_id="trunk_a")


async def test_a_login_is_not_shown_to_another_host():
    """A SIP destination may challenge the call, and the trunk's login would answer."""
    login = {"auth_username": "u", "auth_password": "p", "termination_uri": "sip:192.0.2.9"}
    desk = Desk(replace(PLAIN, allow_sip_destinations=True, **login), SANDBOX)
    with pytest.raises(ValidationFailed):
        await desk.place("sip:bob@192.0.2.77", trunk_id="trunk_p")
    assert await desk.place("sip:bob@192.0.2.9", trunk_id="trunk_p")


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (None, "the id of a flow that exists"),
        (Flow("ivr_1", "Menu", 0), "a flow that is ready; this one is still preparing"),
        (
            Flow("ivr_1", "Menu", 0, status=FlowStatus.FAILED),
            "a flow that is ready; the prompts of this one could not be made",
        ),
    ],
)
async def test_a_flow_that_cannot_run_yet_takes_no_call(flow, expected):
    with pytest.raises(ValidationFailed) as caught:
        await Desk(A, flows=[flow] if flow else []).place(trunk_id="trunk_a", ivr_id="ivr_1")
    assert [(f.field, f.value, f.expected) for f in caught.value.faults] == [("ivr_id", "ivr_1", expected)]


@pytest.mark.parametrize("status", FlowStatus)
async def test_a_flow_runs_as_it_was_published_while_a_new_version_is_made(status):
    desk = Desk(A, flows=[Flow("ivr_1", "Menu", 0, status=status, published={"version": 1})])
    assert (await desk.place(trunk_id="trunk_a", ivr_id="ivr_1")).ivr_id == "ivr_1"
