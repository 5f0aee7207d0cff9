"""The one door of state: order, conflicts, and nothing lost while the store is away."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from service.calls.call import Call, Direction, Leg, Recording
from service.calls.commands import ForgetOutcome, HangUp, Originate
from service.calls.events import CallCreated, HangupRequested, LegAnswered, LegEnded, LegRang, RecordingStored
from service.calls.ids import channel_of, mint
from service.calls.status import Status
from service.calls.times import now_ms
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.errors import Fenced, StoreUnavailable
from tests.fakes import FakeCalls, FakeStanding, FakeSwitch


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


async def create(reactor, call):
    return await reactor.handle(CallCreated(call_id=call.id, at=call.created_at, call=call))


async def test_a_call_from_its_creation_to_its_end(world):
    store, switch, reactor = world
    call = new_call()
    await create(reactor, call)
    for event in (LegRang, LegAnswered):
        reactor.submit(event(call_id=call.id, at=now_ms()))
    reactor.submit(LegEnded(call_id=call.id, at=now_ms(), cause=16))
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
        await other.handle(LegRang(call_id=call.id, at=now_ms()))

    store.before_write = faster
    await reactor.handle(LegAnswered(call_id=call.id, at=now_ms()))
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
    reactor.submit(LegRang(call_id=call.id, at=now_ms()))
    reactor.submit(LegEnded(call_id=call.id, at=now_ms(), cause=17, sip_code=486))
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
    await reactor.handle(LegAnswered(call_id=call.id, at=now_ms()))
    await other.handle(LegEnded(call_id=call.id, at=now_ms(), cause=16))
    stored = await reactor.handle(RecordingStored(call_id=call.id, at=now_ms(), duration_ms=1))
    assert stored.recording is Recording.READY
    assert not reactor._live


async def test_events_of_nobody_are_counted_and_forgotten(world):
    store, _, reactor = world
    assert await reactor.handle(LegRang(call_id=mint("call"), at=now_ms())) is None
    assert store.calls == {}
    assert not reactor._turns


async def test_nothing_is_kept_of_a_call_that_another_process_ended(world):
    store, _, reactor = world
    other = Reactor(store, FakeSwitch(), Presenter("http://host", b"secret", 24), FakeStanding())
    call = new_call()
    await create(reactor, call)
    await other.handle(LegAnswered(call_id=call.id, at=now_ms()))
    end = LegEnded(call_id=call.id, at=now_ms(), cause=16)
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
    reactor.submit(LegRang(call_id=call.id, at=now_ms()))
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
