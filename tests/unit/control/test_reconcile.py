"""What a comparison with a node finds becomes ordinary events; nothing else changes."""

import orjson
import pytest

from service.calls.call import Call, Direction, Leg, Route
from service.calls.commands import Accept, ForgetOutcome, HangUp, Originate
from service.calls.events import CallCreated, HangupRequested, LegEnded, LegLost
from service.calls.failover import REDIAL_MS
from service.calls.ids import channel_of, mint
from service.calls.status import Status
from service.calls.steps import Step
from service.calls.times import now_ms
from service.control.inbound import Offer, Reception
from service.control.node_state import BridgeState, ChannelState, Outcome, Walk
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.control.reconcile import FORGOTTEN_MS, GRACE_MS, STUCK_MS, Reconciler
from service.errors import StoreUnavailable
from service.numbers.number import Number
from service.numbers.route import route_of
from tests.fakes import FakeCalls, FakeNodes, FakeNumbers, FakeStanding, FakeSwitch, FakeTrunks

HOLD = route_of({"type": "hold"})
NUMBER = Number("num_1", "+12025551234", 0, webhook_url="http://x/", route=HOLD)


class World:
    def __init__(self):
        self.store, self.switch, self.nodes = FakeCalls(), FakeSwitch(), FakeNodes()
        self.reactor = Reactor(self.store, self.switch, Presenter("http://host", b"secret", 24), FakeStanding())
        self.reception = Reception(self.reactor, FakeNumbers(NUMBER), FakeTrunks(), self.switch, b"secret")
        self.gone = set()
        self.reconciler = Reconciler(self.reactor, self.reception, self.store, self.nodes, lambda app: app in self.gone)

    async def dialled(self, age_ms=10_000, routes=()):
        at = now_ms() - age_ms
        call_id = mint("call", at)
        leg = Leg(channel_of(call_id), "node1", "orbit-p1", "sandbox")
        call = Call(call_id, Direction.OUTBOUND, "+15005550007", NUMBER.number, leg, at, routes=routes)
        await self.reactor.handle(CallCreated(call_id=call.id, at=at, call=call))
        await self.reactor.drained()
        self.switch.commands.clear()
        return call

    def arrived(self, age_ms=10_000, called=NUMBER.number):
        return Offer("node1-1.5", "node1", "orbit-p1", called, "+14155550100", now_ms() - age_ms)

    async def compare(self, settled_ms=0):
        await self.reconciler.compare("node1", settled_ms)
        await self.reactor.drained()

    def call(self, call_id):
        return self.store.calls[call_id].call


@pytest.fixture
def world():
    return World()


def lost(call, at):
    return LegLost(call_id=call.id, at=at, channel_id=call.leg.channel_id, reason="node_lost")


def outcome(channel_id, offer=None, **more):
    given = {"ended_at": now_ms(), "cause": 17, "sip_code": 486, "answered_at": None, "end": "", "offer": offer}
    return Outcome(channel_id, **{**given, **more})


async def test_an_outcome_of_the_ledger_ends_its_call_and_its_row(world):
    call = await world.dialled()
    world.nodes.rows = [outcome(call.leg.channel_id)]
    await world.compare()
    assert world.call(call.id).status is Status.BUSY
    assert call.leg.channel_id in world.nodes.forgotten


async def test_a_fresh_outcome_is_left_to_a_live_stream(world):
    call = await world.dialled()
    world.nodes.rows = [outcome(call.leg.channel_id)]
    await world.compare(settled_ms=2_000)
    assert world.call(call.id).status is Status.INITIATING
    assert world.nodes.forgotten == []


async def test_an_inbound_call_that_nobody_saw_is_made_of_its_row(world):
    offer = world.arrived()
    world.nodes.rows = [outcome(offer.channel_id, offer, cause=41, sip_code=None, end="no_controller")]
    await world.compare()
    [held] = world.store.calls.values()
    assert (held.call.status, held.call.hangup.reason) == (Status.FAILED, "no_controller")
    assert (held.call.to, held.call.webhook_url) == (NUMBER.number, NUMBER.webhook_url)
    await world.compare()
    assert len(world.store.calls) == 1


async def test_a_row_of_a_number_that_is_nobodys_is_forgotten(world):
    offer = world.arrived(called="+19995550000")
    world.nodes.rows = [outcome(offer.channel_id, offer)]
    await world.compare()
    assert world.store.calls == {}
    assert world.nodes.forgotten == [offer.channel_id]


@pytest.mark.parametrize(("state", "status"), [("ringing", Status.RINGING), ("up", Status.IN_PROGRESS)])
async def test_a_channel_tells_how_far_its_call_is(world, state, status):
    call = await world.dialled()
    world.nodes.live = [ChannelState(call.leg.channel_id, state, call.created_at, call.created_at + 3_000, None)]
    await world.compare()
    assert world.call(call.id).status is status
    if state == "up":
        assert world.call(call.id).answered_at == call.created_at + 3_000


async def test_a_caller_who_was_forgotten_is_answered(world):
    offer = world.arrived(age_ms=STUCK_MS + 100)
    world.nodes.live = [ChannelState(offer.channel_id, "waiting", offer.at, None, offer)]
    await world.compare()
    assert [type(c) for c in world.switch.commands] == [Accept]


async def test_a_caller_whose_answer_was_lost_is_answered(world):
    offer = world.arrived(age_ms=STUCK_MS + 100)
    await world.reception.offered(offer)
    await world.reactor.drained()
    world.switch.commands.clear()  # the process died before it could carry this out
    world.nodes.live = [ChannelState(offer.channel_id, "waiting", offer.at, None, offer)]
    await world.compare()
    assert [type(c) for c in world.switch.commands] == [Accept]


async def test_a_call_that_is_as_it_should_be_costs_no_write(world):
    call = await world.dialled()
    world.nodes.live = [ChannelState(call.leg.channel_id, "up", call.created_at, call.created_at, None)]
    await world.compare()
    version = world.store.calls[call.id].version
    await world.compare()
    assert world.store.calls[call.id].version == version


async def test_a_caller_who_is_being_answered_is_left_alone(world):
    offer = world.arrived(age_ms=100)
    world.nodes.live = [ChannelState(offer.channel_id, "waiting", offer.at, None, offer)]
    await world.compare()
    assert world.switch.commands == []


async def test_a_hangup_that_was_not_carried_out_is_asked_again(world):
    call, offer = await world.dialled(), world.arrived()
    inbound_id = world.reception.call_id(offer.channel_id, offer.at)
    await world.reception.recovered(offer)
    for call_id in (call.id, inbound_id):
        await world.reactor.handle(HangupRequested(call_id=call_id, at=now_ms()))
    await world.reactor.drained()
    world.switch.commands.clear()
    world.nodes.live = [
        ChannelState(call.leg.channel_id, "up", call.created_at, call.created_at, None),
        ChannelState(offer.channel_id, "up", offer.at, offer.at, offer),
    ]
    await world.compare()
    assert [type(c) for c in world.switch.commands] == [HangUp, HangUp]


async def test_calls_of_a_node_that_restarted_are_lost_at_that_moment_however_young(world):
    call = await world.dialled(age_ms=1_000)
    world.nodes.boot = call.created_at + 500
    await world.compare()
    found = world.call(call.id)
    assert (found.status, found.hangup.reason, found.ended_at) == (Status.FAILED, "node_lost", world.nodes.boot)


async def test_a_call_without_a_channel_is_lost_once_it_is_old_enough(world):
    young, old = await world.dialled(age_ms=1_000), await world.dialled(age_ms=GRACE_MS + 1_000)
    await world.compare()
    assert world.call(young.id).status is Status.INITIATING
    assert (world.call(old.id).status, world.call(old.id).hangup.reason) == (Status.FAILED, "channel_lost")


async def test_calls_of_another_node_are_none_of_its_business(world):
    call = await world.dialled()
    await world.reconciler.compare("node2")
    assert world.call(call.id).status is Status.INITIATING


async def test_one_find_that_cannot_be_used_stands_in_nobodys_way(world):
    bad, good = await world.dialled(), await world.dialled()
    world.nodes.rows = [outcome(bad.leg.channel_id, answered_at="x"), outcome(good.leg.channel_id)]
    await world.compare()
    assert world.call(good.id).status is Status.BUSY
    assert world.nodes.forgotten[0] == good.leg.channel_id


async def test_a_comparison_without_a_store_waits_for_the_next(world):
    async def away(node):
        raise StoreUnavailable

    world.store.live_ids = away
    await world.compare()


async def test_a_call_whose_process_died_before_it_dialled_is_dialled(world):
    call, young = await world.dialled(age_ms=2_000), await world.dialled(age_ms=500)
    await world.compare()
    assert world.switch.commands == []  # who is to dial it is alive
    world.gone.add("orbit-p1")
    await world.compare()
    assert [(type(c), c.call.id) for c in world.switch.commands] == [(Originate, call.id)]
    assert world.call(young.id).status is Status.INITIATING


NEXT = (Route("trunk_b", "trunk_b", "b.example.com"),)


async def test_an_outcome_that_nobody_heard_is_followed_by_the_next_trunk_and_its_row_forgotten(world):
    call = await world.dialled(routes=NEXT)
    world.nodes.rows = [outcome(call.leg.channel_id, cause=34, sip_code=503)]
    await world.compare()
    moved = world.call(call.id)
    assert (moved.status, moved.leg.channel_id, moved.trunk_id) == (Status.INITIATING, f"{call.id}.2", "trunk_b")
    assert [type(c) for c in world.switch.commands] == [Originate, ForgetOutcome]
    assert world.nodes.forgotten == [call.leg.channel_id]


async def test_an_old_outcome_that_nobody_heard_ends_its_call(world):
    call = await world.dialled(age_ms=REDIAL_MS + 1_000, routes=NEXT)
    world.nodes.rows = [outcome(call.leg.channel_id, cause=34, sip_code=503)]
    await world.compare()
    assert world.call(call.id).status is Status.FAILED


async def test_a_next_leg_whose_process_died_before_it_dialled_is_dialled_though_the_last_ones_row_is_there(world):
    call = await world.dialled(age_ms=5_000, routes=NEXT)
    row = outcome(call.leg.channel_id, cause=34, sip_code=503, ended_at=now_ms() - 2_000)
    end = LegEnded(
        call_id=call.id, at=row.ended_at, channel_id=call.leg.channel_id, cause=row.cause, sip_code=row.sip_code,
        found_at=row.ended_at,
    )  # fmt: skip
    await world.reactor.handle(end)
    await world.reactor.drained()
    world.switch.commands.clear()  # killed between the write and its commands
    world.gone.add("orbit-p1")
    world.nodes.rows = [row]
    await world.compare()
    assert [(type(c), c.call.leg.channel_id) for c in world.switch.commands] == [(Originate, f"{call.id}.2")]
    assert world.nodes.forgotten == [call.leg.channel_id]


async def test_a_channel_that_its_call_has_left_behind_is_hung_up_after_a_grace_time(world):
    call = await world.dialled(routes=NEXT)
    end = LegEnded(call_id=call.id, at=now_ms(), channel_id=call.leg.channel_id, cause=34, sip_code=503)
    await world.reactor.handle(end)
    world.nodes.live = [
        ChannelState(call.leg.channel_id, "up", call.created_at, call.created_at, None),
        ChannelState(f"{call.id}.2", "ringing", now_ms(), None, None),
    ]
    await world.compare()
    assert world.nodes.hung_up == [call.leg.channel_id]
    assert world.call(call.id).status is Status.RINGING


async def test_a_call_that_is_too_old_or_was_hung_up_is_not_dialled_any_more(world):
    world.gone.add("orbit-p1")
    old, unwanted = await world.dialled(age_ms=REDIAL_MS + 1_000), await world.dialled(age_ms=GRACE_MS + 1_000)
    await world.reactor.handle(HangupRequested(call_id=unwanted.id, at=now_ms()))
    await world.reactor.drained()
    world.switch.commands.clear()
    await world.compare()
    assert [c for c in world.switch.commands if isinstance(c, Originate)] == []
    assert (world.call(old.id).status, world.call(old.id).hangup.reason) == (Status.FAILED, "channel_lost")
    assert world.call(unwanted.id).status is Status.CANCELLED


async def test_a_channel_of_nobody_is_hung_up_after_a_grace_time(world):
    at = now_ms()
    old, young = channel_of(mint("call", at - GRACE_MS - 1_000)), channel_of(mint("call", at))
    foreign = "PJSIP/operator-00000001"
    world.nodes.live = [
        ChannelState(old, "up", at - GRACE_MS - 1_000, None, None),
        ChannelState(young, "up", at, None, None),
        ChannelState(foreign, "up", at - GRACE_MS - 1_000, None, None),
    ]
    await world.compare()
    assert world.nodes.hung_up == [old]


async def test_a_channel_of_a_call_that_ended_is_hung_up_after_a_grace_time(world):
    call, just = await world.dialled(), await world.dialled()
    await world.reactor.handle(lost(call, now_ms() - GRACE_MS - 1_000))
    await world.reactor.handle(lost(just, now_ms()))
    world.nodes.live = [
        ChannelState(c.leg.channel_id, "up", c.created_at, c.created_at, None) for c in (call, just)
    ]
    await world.compare()
    assert world.nodes.hung_up == [call.leg.channel_id]


def walk(channel_id, *inputs, first=1, age_ms=3_000):
    """Steps one after the other, the last one so old; an empty input leaves the menus."""
    at = now_ms() - age_ms
    steps = [
        Step("ivr_a", at - 500, at, typed, "key", True, "replay", outcome="" if typed else "caller_hung_up")
        for typed in inputs
    ]
    return Walk(channel_id, tuple(enumerate(steps, first)))


def told_of(world, call_id):
    return [orjson.loads(row)["type"].removeprefix("call.") for row in world.store.rows[call_id]]


async def test_steps_that_nobody_heard_are_told_before_the_end_and_then_forgotten(world):
    call = await world.dialled()
    channel = call.leg.channel_id
    world.nodes.rows = [outcome(channel, cause=16, sip_code=200, answered_at=call.created_at + 1_000, steps=3)]
    world.nodes.walked = [walk(channel, "1", "2", "")]
    await world.compare()
    assert told_of(world, call.id) == ["initiated", "answered", "ivr.input", "ivr.input", "ivr.completed", "completed"]
    assert (world.nodes.steps_forgotten, world.nodes.forgotten[-1]) == ([channel], channel)
    assert all(orjson.loads(row)["recovered"] for row in world.store.rows[call.id][1:])


async def test_an_inbound_call_that_nobody_saw_is_made_with_its_steps(world):
    offer = world.arrived()
    world.nodes.rows = [outcome(offer.channel_id, offer, cause=16, answered_at=offer.at + 500, steps=2)]
    world.nodes.walked = [walk(offer.channel_id, "1", "")]
    await world.compare()
    [held] = world.store.calls.values()
    assert told_of(world, held.call.id) == ["initiated", "answered", "ivr.input", "ivr.completed", "completed"]
    assert world.nodes.steps_forgotten == world.nodes.forgotten == [offer.channel_id]


async def test_steps_of_a_number_that_is_nobodys_are_forgotten(world):
    offer = world.arrived(called="+19995550000")
    world.nodes.rows, world.nodes.walked = [outcome(offer.channel_id, offer)], [walk(offer.channel_id, "1")]
    await world.compare()
    assert (world.store.calls, world.nodes.steps_forgotten) == ({}, [offer.channel_id])


async def test_steps_that_an_end_had_missed_are_told_after_it(world):
    call = await world.dialled()
    channel = call.leg.channel_id
    end = LegEnded(call_id=call.id, at=now_ms(), channel_id=channel, cause=16, answered_at=call.created_at, steps=2)
    await world.reactor.handle(end)
    await world.reactor.drained()
    assert world.switch.commands == []
    world.nodes.rows, world.nodes.walked = [outcome(channel, steps=2)], [walk(channel, "1", "")]
    await world.compare()
    assert told_of(world, call.id)[-3:] == ["completed", "ivr.input", "ivr.completed"]
    assert world.nodes.steps_forgotten == world.nodes.forgotten == [channel]


async def test_steps_of_a_call_that_goes_on_are_told_once_and_kept(world):
    call = await world.dialled()
    channel = call.leg.channel_id
    world.nodes.live = [ChannelState(channel, "up", call.created_at, call.created_at + 500, None)]
    world.nodes.walked = [walk(channel, "1", "2")]
    await world.compare()
    await world.compare()
    assert told_of(world, call.id) == ["initiated", "answered", "ivr.input", "ivr.input"]
    assert world.nodes.steps_forgotten == []


async def test_fresh_steps_are_left_to_a_live_stream(world):
    call = await world.dialled()
    channel = call.leg.channel_id
    world.nodes.live = [ChannelState(channel, "up", call.created_at, call.created_at + 500, None)]
    world.nodes.walked = [walk(channel, "1", age_ms=100)]
    await world.compare(settled_ms=2_000)
    assert world.call(call.id).steps == 0


async def test_steps_that_outlived_their_outcome_are_forgotten_once_they_are_told_and_the_call_has_ended(world):
    """As after a restart of the node, or of whoever was to forget them."""
    call = await world.dialled()
    channel = call.leg.channel_id
    world.nodes.walked = [walk(channel, "1", "2")]
    world.nodes.boot = call.created_at + 5_000
    await world.compare()
    assert (world.call(call.id).status, world.call(call.id).steps) == (Status.FAILED, 2)
    await world.compare()
    assert world.nodes.steps_forgotten == [channel]


async def test_steps_after_one_that_is_missing_are_neither_told_nor_forgotten(world):
    call = await world.dialled()
    channel = call.leg.channel_id
    world.nodes.rows = [outcome(channel, cause=16, answered_at=call.created_at, steps=3)]
    world.nodes.walked = [walk(channel, "2", "", first=2)]
    await world.compare()
    assert (world.call(call.id).status, world.call(call.id).steps) == (Status.COMPLETED, 0)
    assert (world.nodes.steps_forgotten, world.nodes.forgotten) == ([], [channel])


@pytest.mark.parametrize(("age_ms", "forgotten"), [(FORGOTTEN_MS - 60_000, []), (FORGOTTEN_MS + 1_000, ["node1-1.9"])])
async def test_steps_of_a_caller_who_is_gone_without_a_trace_are_kept_as_long_as_a_call_can_last(
    world, age_ms, forgotten
):
    world.nodes.walked = [walk("node1-1.9", "1", age_ms=age_ms)]
    await world.compare()
    assert world.nodes.steps_forgotten == forgotten


async def test_a_bridge_of_nobody_is_taken_down_and_an_operators_own_left_alone(world):
    at = now_ms()
    ours = mint("conf", at - GRACE_MS - 1_000)
    world.nodes.mixing = [
        BridgeState(ours, at - GRACE_MS - 1_000),
        BridgeState(mint("conf", at), at),
        BridgeState("holiday-party", at - 3_600_000),
    ]
    await world.compare()
    assert world.nodes.taken_down == [ours]


async def test_calls_of_a_node_that_nobody_reaches_are_given_up(world):
    call = await world.dialled()
    await world.reconciler.lost("node2")
    assert not world.call(call.id).ended
    await world.reconciler.lost("node1")
    assert (world.call(call.id).status, world.call(call.id).hangup.reason) == (Status.FAILED, "node_lost")
