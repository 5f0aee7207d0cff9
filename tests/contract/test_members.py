"""Processes in Redis: leases, take-over, and the fence around calls."""

from dataclasses import replace

import pytest

from service.calls.status import Status
from service.control.membership import Round
from service.errors import Fenced
from service.store import keys
from service.store.calls import RedisCalls
from service.store.members import RedisMembers
from tests.contract.test_calls import a_call

LEASE = 60_000


@pytest.fixture
def members(redis):
    return RedisMembers(redis)


async def runs_out(redis, app):
    await redis.zadd(keys.ALIVE, {app: 1}, xx=True)


def on(app):
    call = a_call()
    return replace(call, leg=replace(call.leg, app=app))


async def test_a_process_alone_holds_its_nodes(members):
    assert await members.join("orbit-a", "a", LEASE) == []
    found = await members.renew("orbit-a", LEASE, ["node1"], ["node1", "node2"])
    assert found == Round(
        held=frozenset({"node1"}), attended=frozenset({"node1"}), load={"node1": 0, "node2": 0}, apps={"orbit-a": 0}
    )


async def test_one_of_two_compares_with_a_node_and_the_other_when_it_is_gone(members, redis):
    for app in ("orbit-a", "orbit-b"):
        await members.join(app, app, LEASE)
        await members.renew(app, LEASE, ["node1"], ["node1"])
    second = await members.renew("orbit-b", LEASE, ["node1"], ["node1"])
    assert (second.held, second.attended) == (frozenset(), frozenset({"node1"}))
    await runs_out(redis, "orbit-a")
    assert (await members.renew("orbit-b", LEASE, ["node1"], ["node1"])).held == {"node1"}


async def test_a_node_whose_stream_the_holder_lost_is_held_by_another(members):
    for app in ("orbit-a", "orbit-b"):
        await members.join(app, app, LEASE)
    await members.renew("orbit-a", LEASE, ["node1"], ["node1"])
    lost = await members.renew("orbit-a", LEASE, [], ["node1"])
    assert (lost.held, lost.attended) == (frozenset(), frozenset())
    assert (await members.renew("orbit-b", LEASE, ["node1"], ["node1"])).held == {"node1"}


async def test_what_is_overdue_is_told_and_can_be_adopted_once(members, redis):
    for app in ("orbit-a", "orbit-b", "orbit-c"):
        await members.join(app, app, LEASE)
    assert await members.adopt("orbit-a", "orbit-b")
    assert await members.renew("orbit-b", LEASE, [], [])  # it lives, nothing was done
    await runs_out(redis, "orbit-b")
    found = await members.renew("orbit-a", LEASE, [], [])
    assert (found.overdue, found.left) == (("orbit-b",), ())
    assert await members.adopt("orbit-a", "orbit-b")
    assert await members.adopt("orbit-c", "orbit-b")  # too late
    assert (await members.renew("orbit-a", LEASE, [], [])).apps == {"orbit-a": 0, "orbit-b": 0}
    assert (await members.renew("orbit-c", LEASE, [], [])).apps == {"orbit-c": 0}
    assert await members.renew("orbit-b", LEASE, [], []) is None
    assert not await members.adopt("orbit-b", "orbit-c")


async def test_what_was_adopted_goes_on_with_the_adopter(members, redis):
    for app in ("orbit-a", "orbit-b", "orbit-c"):
        await members.join(app, app, LEASE)
    await runs_out(redis, "orbit-a")
    await members.adopt("orbit-b", "orbit-a")
    await runs_out(redis, "orbit-b")
    assert await members.adopt("orbit-c", "orbit-b")
    assert (await members.renew("orbit-c", LEASE, [], [])).apps == {"orbit-a": 0, "orbit-b": 0, "orbit-c": 0}


async def test_a_process_that_leaves_is_told_at_once(members):
    for app in ("orbit-a", "orbit-b"):
        await members.join(app, app, LEASE)
    await members.leave("orbit-b")
    assert await members.awaits_heir("orbit-b")
    assert (await members.renew("orbit-a", LEASE, [], [])).left == ("orbit-b",)
    assert await members.adopt("orbit-a", "orbit-b")
    assert not await members.awaits_heir("orbit-b")


async def test_those_that_leave_together_wait_for_nobody(members):
    for app in ("orbit-a", "orbit-b"):
        await members.join(app, app, LEASE)
        await members.leave(app)
    assert not await members.awaits_heir("orbit-a")


async def test_a_start_under_the_same_name_takes_the_place_of_the_one_before(members):
    await members.join("orbit-a-1", "a", LEASE)
    assert await members.join("orbit-a-2", "a", LEASE) == ["orbit-a-1"]
    assert await members.adopt("orbit-a-2", "orbit-a-1")
    assert (await members.renew("orbit-a-2", LEASE, [], [])).apps == {"orbit-a-1": 0, "orbit-a-2": 0}


async def test_an_adopted_application_is_forgotten_with_its_last_call(members, redis):
    for app in ("orbit-a", "orbit-b"):
        await members.join(app, app, LEASE)
    calls, call = RedisCalls(redis), on("orbit-b")
    await calls.write(call, 0, None, [], [])
    await runs_out(redis, "orbit-b")
    await members.adopt("orbit-a", "orbit-b")
    assert (await members.renew("orbit-a", LEASE, [], [])).apps == {"orbit-a": 0, "orbit-b": 1}
    await members.retire("orbit-a", "orbit-b")
    assert "orbit-b" in (await members.renew("orbit-a", LEASE, [], [])).apps
    await calls.write(replace(call, status=Status.BUSY, ended_at=5), 1, call, [], [])
    await members.retire("orbit-a", "orbit-b")
    assert (await members.renew("orbit-a", LEASE, [], [])).apps == {"orbit-a": 0}
    assert not await redis.exists(keys.LIVE_APPS)


async def test_the_load_of_a_node_is_its_live_calls(members, redis):
    await members.join("orbit-a", "a", LEASE)
    calls, one, two = RedisCalls(redis), on("orbit-a"), on("orbit-a")
    for call in (one, two):
        await calls.write(call, 0, None, [], [])
    await calls.write(replace(one, status=Status.BUSY, ended_at=5), 1, one, [], [])
    assert (await members.renew("orbit-a", LEASE, [], ["node1", "node2"])).load == {"node1": 1, "node2": 0}


async def test_a_fenced_process_writes_nothing(members, redis):
    for app in ("orbit-a", "orbit-b"):
        await members.join(app, app, LEASE)
    ours, call = RedisCalls(redis, writer="orbit-b"), on("orbit-b")
    assert await ours.write(call, 0, None, [], [])
    await runs_out(redis, "orbit-b")
    await members.adopt("orbit-a", "orbit-b")
    before = sorted(await redis.keys())
    with pytest.raises(Fenced):
        await ours.write(replace(call, status=Status.RINGING), 1, call, [b"row"], [])
    with pytest.raises(Fenced):
        await ours.write(on("orbit-b"), 0, None, [b"row"], [])
    assert (await ours.load(call.id)).call == call
    assert sorted(await redis.keys()) == before
