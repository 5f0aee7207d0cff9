"""Whose call an INVITE becomes: by the endpoint that brought it and the number that was called."""

from dataclasses import replace

import pytest

from service.calls.call import Side
from service.calls.events import LegEnded
from service.calls.status import Status
from service.calls.times import now_ms
from service.control.inbound import Offer, Reception
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.errors import StoreUnavailable
from service.numbers.number import Number
from service.numbers.route import route_of
from service.trunks.trunk import Trunk
from tests.fakes import FakeCalls, FakeNumbers, FakeStanding, FakeSwitch, FakeTrunks

A = Trunk("trunk_a", "A", 0, max_channels=1, country="DE")
B = Trunk("trunk_b", "B", 0)
SANDBOX = Trunk("trunk_s", "Sandbox", 0, sandbox=True)
HOLD = route_of({"type": "hold"})
NUMBER = Number("num_1", "+12025551234", 0, webhook_url="http://x/", route=HOLD)
BERLIN = Number("num_2", "+493012345678", 0, route=HOLD)


class World:
    def __init__(self, *trunks, numbers=(NUMBER, BERLIN)):
        self.calls, self.switch = FakeCalls(), FakeSwitch()
        self.reactor = Reactor(self.calls, self.switch, Presenter("http://h", b"s", 24), FakeStanding())
        self.reception = Reception(
            self.reactor, FakeNumbers(*numbers), FakeTrunks(*trunks), self.switch, b"secret"
        )
        self.offers = 0

    async def offered(self, endpoint, called=NUMBER.number):
        self.offers += 1
        offer = Offer(f"n-1.{self.offers}", "node1", "orbit-p1", called, "+14155550100", now_ms(), endpoint)
        await self.reception.offered(offer)
        await self.reactor.drained()
        return offer

    async def call(self, endpoint, called=NUMBER.number):
        offer = await self.offered(endpoint, called)
        return self.calls.calls[self.reception.call_id(offer.channel_id, offer.at)].call


async def test_a_call_is_the_trunks_that_brought_it():
    world = World(A, B, SANDBOX, numbers=(replace(NUMBER, trunk_id="trunk_b"),))
    call = await world.call("trunk_a")
    assert (call.trunk_id, call.leg.trunk_id, call.leg.endpoint) == ("trunk_a", "trunk_a", "trunk_a")
    assert not call.sandbox
    sandbox = await world.call("sandbox")
    assert (sandbox.trunk_id, sandbox.sandbox) == ("trunk_s", True)


@pytest.mark.parametrize(
    ("route", "flow"),
    [
        (None, None),
        ({"type": "hold"}, None),
        ({"type": "ivr", "target": "ivr_a"}, "ivr_a"),
        ({"type": "number", "target": "+14155552671"}, None),
        ({"type": "sip", "target": "sip:a@example.com"}, None),
    ],
)
async def test_a_call_names_the_menu_that_its_numbers_route_leads_to(route, flow):
    world = World(A, numbers=(replace(NUMBER, route=route_of(route)),))
    assert (await world.call("trunk_a")).ivr_id == flow


async def test_with_the_store_away_a_caller_is_left_to_the_node():
    world = World(A)

    async def away(*_):
        raise StoreUnavailable

    world.calls.write = away
    offer = await world.offered("trunk_a")
    assert world.switch.commands == [("leave_alone", offer.channel_id)]


async def test_an_operators_own_endpoint_stands_for_the_numbers_trunk_or_for_none():
    assert (await World(A, B).call("office")).trunk_id is None
    world = World(A, B, numbers=(replace(NUMBER, trunk_id="trunk_b"),))
    assert (await world.call("office")).trunk_id == "trunk_b"


@pytest.mark.parametrize("called", ["+493012345678", "493012345678", "00493012345678", "03012345678"])
async def test_a_called_number_is_read_as_the_trunks_country_writes_it(called):
    assert (await World(A).call("trunk_a", called)).to == "+493012345678"


async def test_a_national_number_means_nothing_on_a_trunk_without_a_country():
    world = World(B)
    offer = await world.offered("trunk_b", "03012345678")
    assert world.switch.commands == [("turn_away", offer.channel_id, 1)]


@pytest.mark.parametrize("endpoint", ["trunk_a", "trunk_gone"])
async def test_a_trunk_that_is_disabled_or_gone_takes_no_calls(endpoint):
    world = World(replace(A, enabled=False))
    offer = await world.offered(endpoint)
    assert world.switch.commands == [("turn_away", offer.channel_id, 21)]
    assert world.calls.calls == {}


async def test_a_caller_on_a_full_trunk_is_refused_and_on_record():
    world = World(A)
    first = await world.call("trunk_a")
    offer = await world.offered("trunk_a")
    assert world.switch.commands[-1] == ("refuse", offer.channel_id, "max_channels")
    assert list(world.calls.calls) == [first.id]
    call_id = world.reception.call_id(offer.channel_id, offer.at)
    end = LegEnded(call_id=call_id, at=now_ms(), channel_id=offer.channel_id, cause=34, end="max_channels")
    await world.reception.untaken(offer, end)
    call = world.calls.calls[call_id].call
    assert (call.status, call.hangup.by, call.hangup.reason) == (Status.FAILED, Side.SYSTEM, "max_channels")
    assert await world.calls.live_on_trunk("trunk_a") == 1
