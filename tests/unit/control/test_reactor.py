"""The one door of state: order, conflicts, and nothing lost while the store is away."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from service.calls.call import Call, Direction, Leg, Recording, Route
from service.calls.commands import ForgetOutcome, HangUp, Originate
from service.calls.events import CallCreated, HangupRequested, LegAnswered, LegEnded, LegRang, RecordingStored
from service.calls.ids import channel_of, mint
from service.calls.status import Status
from service.calls.times import now_ms
from service.control.gate import Gate
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.errors import Fenced, StoreUnavailable, TrunkFull
from tests.fakes import FakeCalls, FakeMeter, FakeReachability, FakeStanding, FakeSwitch


@pytest.fixture
def world():
    store, switch = FakeCalls(), FakeSwitch()
    return store, switch, Reactor(store, switch, Presenter("http://host", b"secret", 24), FakeStanding())


def new_call():
    call_id = mint("call")
    return Call(
        id=call_id,
        direction=Direction.OUTBOUND,
        to="+15005550007",
        from_="+12025551234",
        leg=Leg(channel_of(call_id), "node1", "orbit-p1", "sandbox"),
        created_at=now_ms(),
    )


def about(call):
    return {"call_id": call.id, "at": now_ms(), "channel_id": call.leg.channel_id}


async def create(reactor, call):
    return await reactor.handle(CallCreated(call_id=call.id, at=call.created_at, call=call))


async def test_a_call_from_its_creation_to_its_end(world):
    store, switch, reactor = world
    call = new_call()
    await create(reactor, call)
    for event in (LegRang, LegAnswered):
        reactor.submit(event(**about(call)))
    reactor.submit(LegEnded(**about(call), cause=16))
    await reactor.drained()
    assert store.calls[call.id].call.status is Status.COMPLETED
    assert [type(c) for c in switch.commands] == [Originate, ForgetOutcome]
    bodies = [orjson.loads(e.body) for e in store.outbox]
    assert [b["type"] for b in bodies] == ["call.initiated", "call.ringing", "call.answered", "call.completed"]
    assert [b["sequence"] for b in bodies] == [1, 2, 3, 4]
    assert [orjson.loads(r)["id"] for r in store.rows[call.id]] == [b["id"] for b in bodies]


async def test_two_processes_at_once_make_one_history(world):
    store, _, reactor = world
    other = Reactor(store, FakeSwitch(), Presenter("http://host", b"secret", 24), FakeStanding())
    call = new_call()
    await create(reactor, call)

    async def faster():
        await other.handle(LegRang(**about(call)))

    store.before_write = faster
    await reactor.handle(LegAnswered(**about(call)))
    assert [orjson.loads(e.body)["sequence"] for e in store.outbox] == [1, 2, 3]
    assert store.calls[call.id].call.status is Status.IN_PROGRESS
    assert store.calls[call.id].call.ringing_at is not None


async def test_a_call_created_twice_is_dialled_once(world):
    _, switch, reactor = world
    call = new_call()
    await create(reactor, call)
    again = await create(reactor, call)
    await reactor.drained()
    assert again.id == call.id
    assert [type(c) for c in switch.commands] == [Originate]


async def test_an_event_waits_for_the_store(world):
    store, _, reactor = world
    call = new_call()
    await create(reactor, call)
    whole, failures = store.write, 3

    async def broken(*args):
        nonlocal failures
        if failures:
            failures -= 1
            raise StoreUnavailable
        return await whole(*args)

    store.write = broken
    reactor.submit(LegRang(**about(call)))
    reactor.submit(LegEnded(**about(call), cause=17, sip_code=486))
    await reactor.drained()
    assert [orjson.loads(e.body)["type"] for e in store.outbox] == ["call.initiated", "call.ringing", "call.busy"]


async def test_a_call_whose_write_got_no_answer_is_dialled_when_it_is_asked_for_again(world):
    store, switch, reactor = world
    call, write = new_call(), store.write

    async def too_late(*written):
        await write(*written)  # the store has it; nobody heard so
        raise StoreUnavailable

    store.write = too_late
    with pytest.raises(StoreUnavailable):
        await create(reactor, call)
    assert switch.commands == []
    store.write = write
    again = await create(reactor, call)
    await reactor.drained()
    assert again.id == call.id
    assert [type(c) for c in switch.commands] == [Originate]
    assert len(store.outbox) == 1


async def test_a_hangup_waits_for_the_dialling(world):
    _, switch, reactor = world
    order, gate = [], asyncio.Event()

    async def slow(command):
        if isinstance(command, Originate):
            await gate.wait()
        order.append(type(command))

    switch.run = slow
    call = new_call()
    await create(reactor, call)
    await reactor.handle(HangupRequested(call_id=call.id, at=now_ms()))
    gate.set()
    await reactor.drained()
    assert order == [Originate, HangUp]


async def test_an_old_copy_hides_nothing(world):
    store, _, reactor = world
    other = Reactor(store, FakeSwitch(), Presenter("http://host", b"secret", 24), FakeStanding())
    call = replace(new_call(), record=True)
    await create(reactor, call)
    await reactor.handle(LegAnswered(**about(call)))
    await other.handle(LegEnded(**about(call), cause=16))
    stored = await reactor.handle(RecordingStored(call_id=call.id, at=now_ms(), duration_ms=1))
    assert stored.recording is Recording.READY
    assert not reactor._live


async def test_events_of_nobody_are_counted_and_forgotten(world):
    store, _, reactor = world
    assert await reactor.handle(LegRang(**about(new_call()))) is None
    assert store.calls == {}
    assert not reactor._turns


async def test_nothing_is_kept_of_a_call_that_another_process_ended(world):
    store, _, reactor = world
    other = Reactor(store, FakeSwitch(), Presenter("http://host", b"secret", 24), FakeStanding())
    call = new_call()
    await create(reactor, call)
    await other.handle(LegAnswered(**about(call)))
    end = LegEnded(**about(call), cause=16)
    await reactor.handle(end)
    await other.handle(end)
    assert not reactor._live
    assert not other._live
    assert not reactor._turns


async def test_a_process_that_was_taken_over_ends_and_drops_its_events(world):
    store, switch, reactor = world
    call = new_call()
    await create(reactor, call)
    await reactor.drained()

    async def fenced(*_):
        raise Fenced

    store.write = fenced
    reactor.submit(LegRang(**about(call)))
    await reactor.drained()
    assert reactor._standing.ended
    with pytest.raises(Fenced):
        await reactor.handle(HangupRequested(call_id=call.id, at=now_ms()))
    assert [type(c) for c in switch.commands] == [Originate]


async def test_one_that_woke_up_late_dials_nothing(world):
    _, switch, reactor = world
    reactor._standing.fenced = True
    await create(reactor, new_call())
    await reactor.drained()
    assert switch.commands == []


async def test_no_copy_is_kept_of_a_call_that_another_process_follows(world):
    _, _, reactor = world
    reactor._standing.others.add("orbit-p1")
    await create(reactor, new_call())
    assert not reactor._live


ROUTES = tuple(Route(f"trunk_{x}", f"trunk_{x}", f"{x}.example.com", 1, 5) for x in "bc")


class Trunks:
    """A world whose calls go by trunk A, then B, then C."""

    def __init__(self):
        self.store, self.switch = FakeCalls(), FakeSwitch()
        self.far_ends, self.meter = FakeReachability(), FakeMeter()
        gate = Gate(self.far_ends, self.meter)
        presenter = Presenter("http://host", b"secret", 24)
        self.reactor = Reactor(self.store, self.switch, presenter, FakeStanding(), gate)

    async def call(self, trunk="trunk_a", routes=ROUTES):
        call = new_call()
        leg = replace(call.leg, endpoint=trunk, trunk_id=trunk, max_channels=1)
        call = replace(call, leg=leg, trunk_id=trunk, routes=routes)
        return await create(self.reactor, call)

    async def ends(self, call, cause=34, sip_code=503):
        await self.reactor.handle(LegEnded(**about(call), cause=cause, sip_code=sip_code))
        await self.reactor.drained()
        return self.store.calls[call.id].call

    def dialled(self):
        return [c.call.trunk_id for c in self.switch.commands if isinstance(c, Originate)]


@pytest.fixture
def trunks():
    return Trunks()


async def test_the_next_trunk_is_dialled_and_webhooks_have_no_gap(trunks):
    call = await trunks.ends(await trunks.call())
    call = await trunks.ends(call)
    await trunks.ends(call)
    ended = trunks.store.calls[call.id].call
    assert trunks.dialled() == ["trunk_a", "trunk_b", "trunk_c"]
    assert (ended.status, ended.trunk_id, ended.leg.channel_id) == (Status.FAILED, "trunk_c", f"{call.id}.3")
    rows = [orjson.loads(row) for row in trunks.store.rows[call.id]]
    assert [(r["type"], r["sequence"]) for r in rows] == [
        ("call.initiated", 1), ("call.rerouted", 1), ("call.rerouted", 1), ("call.failed", 2),
    ]  # fmt: skip
    assert [orjson.loads(e.body)["sequence"] for e in trunks.store.outbox] == [1, 2]


async def test_a_trunk_that_is_down_full_or_called_too_often_is_passed_over(trunks):
    trunks.far_ends.trunks_down.add("trunk_b")
    assert (await trunks.ends(await trunks.call())).trunk_id == "trunk_c"
    trunks.far_ends.trunks_down.clear()
    trunks.meter.empty.add("trunk_b")
    other = await trunks.ends(await trunks.call(), sip_code=486, cause=17)  # frees trunk A
    assert other.ended
    other = await trunks.ends(await trunks.call())
    assert other.ended  # trunk B is called too often, and trunk C is full with the first call
    assert (other.trunk_id, other.hangup.reason) == ("trunk_a", "congestion")
    trunks.meter.empty.clear()
    assert (await trunks.ends(await trunks.call())).trunk_id == "trunk_b"


async def test_a_trunk_that_is_down_is_never_dialled(trunks):
    trunks.far_ends.trunks_down.add("trunk_a")
    call = await trunks.call(routes=())
    await trunks.reactor.drained()
    ended = trunks.store.calls[call.id].call
    assert (ended.status, ended.hangup.reason, trunks.switch.commands) == (Status.FAILED, "trunk_unreachable", [])


async def test_a_trunk_that_went_down_meanwhile_is_followed_by_the_next(trunks):
    trunks.far_ends.trunks_down.add("trunk_a")
    await trunks.call()
    await trunks.reactor.drained()
    assert trunks.dialled() == ["trunk_b"]


async def test_what_calls_show_of_a_trunks_credentials_is_told(trunks):
    call = await trunks.call()
    await trunks.reactor.handle(LegRang(**about(call)))
    await trunks.ends(call, 21, 401)
    assert trunks.far_ends.calls == [("trunk_a", False), ("trunk_a", True)]


async def test_a_new_call_on_a_full_trunk_is_refused(trunks):
    await trunks.call()
    with pytest.raises(TrunkFull):
        await trunks.call()
