"""The same cases on the store in memory and on the real Redis; then what only Redis has: pages and indexes."""

import asyncio
import time
from dataclasses import replace

import orjson
import pytest

from service.calls.call import Call, Direction, Hangup, Leg, Recording, Route, Side
from service.calls.ids import channel_of, mint
from service.calls.status import Status
from service.control.ports import CallFilter, OutboxEntry
from service.errors import ConcurrencyLimitExceeded, InvalidCursor, StoreUnavailable, TrunkFull
from service.store import call_document, keys
from service.store.calls import RedisCalls
from service.store.connection import connect
from service.store.meter import RedisMeter
from tests.fakes import FakeCalls


def a_call(at=1_000_000, **more):
    call_id = mint("call", at)
    given = {
        "id": call_id,
        "direction": Direction.OUTBOUND,
        "to": "+14155552671",
        "from_": "+12025551234",
        "leg": Leg(channel_of(call_id), "node1", "orbit-p1", "sandbox"),
        "created_at": at,
        "metadata": {"k": ["ünï", None, 1.5]},
    }
    return Call(**{**given, **more})


def entry(call):
    return OutboxEntry(mint("evt"), "call.initiated", call.id, "http://x/", b'{"a": "\xc3\xbc"}')


@pytest.fixture(params=["fake", "redis"])
def store(request):
    return FakeCalls() if request.param == "fake" else RedisCalls(request.getfixturevalue("redis"))


async def test_what_was_written_is_loaded(store):
    call = a_call(hangup=Hangup(Side.API, 16, None, "hangup_requested"), answered_at=5, agent_summary={"summary": "x"})
    route = Route("trunk_b", "trunk_b", "b.example.com;transport=tls", 5, 2)
    call = replace(call, routes=(route, route), leg=replace(call.leg, trunk_id="trunk_a", dialled_at=7))
    assert await store.write(call, 0, None, [b"{}"], [entry(call)])
    held = await store.load(call.id)
    assert (held.call, held.version) == (call, 1)


async def test_an_unknown_call_is_none(store):
    assert await store.load(mint("call")) is None


async def test_a_call_is_created_once(store):
    call = a_call()
    assert await store.write(call, 0, None, [], [])
    assert not await store.write(replace(call, to="+1"), 0, None, [], [])
    assert (await store.load(call.id)).call.to == call.to


async def test_a_write_under_an_old_version_changes_nothing(store):
    call = a_call()
    await store.write(call, 0, None, [], [])
    ringing = replace(call, status=Status.RINGING)
    assert await store.write(ringing, 1, call, [], [])
    assert not await store.write(replace(call, status=Status.FAILED), 1, call, [b"x"], [entry(call)])
    held = await store.load(call.id)
    assert (held.call, held.version) == (ringing, 2)


async def test_live_calls_are_those_that_have_not_ended(store):
    one, two = a_call(), a_call()
    for call in (one, two):
        await store.write(call, 0, None, [], [])
    await store.write(replace(one, status=Status.BUSY, ended_at=5), 1, one, [], [])
    assert await store.live_ids("node1") == {two.id}


async def test_a_limit_of_live_calls_holds_for_many_at_once(redis):
    store = RedisCalls(redis, max_live=3)
    calls = [a_call() for _ in range(20)]
    results = await asyncio.gather(*(store.write(c, 0, None, [], []) for c in calls), return_exceptions=True)
    assert sum(r is True for r in results) == 3
    assert sum(isinstance(r, ConcurrencyLimitExceeded) for r in results) == 17
    assert await store.write(a_call(direction=Direction.INBOUND), 0, None, [], [])


def by(trunk_id, most=0, **more):
    call = a_call(trunk_id=trunk_id, **more)
    return replace(call, leg=replace(call.leg, trunk_id=trunk_id, max_channels=most))


async def test_a_trunk_counts_the_live_calls_of_both_directions(store):
    there, here = by("trunk_a"), by("trunk_a", direction=Direction.INBOUND)
    for call in (there, here, by("trunk_b"), a_call()):
        await store.write(call, 0, None, [], [])
    assert await store.live_on_trunk("trunk_a") == 2
    await store.write(replace(here, status=Status.COMPLETED, ended_at=5), 1, here, [], [])
    assert [await store.live_on_trunk(t) for t in ("trunk_a", "trunk_b", "trunk_c")] == [1, 1, 0]


async def test_a_full_trunk_takes_no_call_until_one_has_ended(store):
    one, two = by("trunk_a", 1), by("trunk_a", 1, direction=Direction.INBOUND)
    await store.write(one, 0, None, [], [])
    with pytest.raises(TrunkFull):
        await store.write(two, 0, None, [b"x"], [entry(two)])
    assert await store.load(two.id) is None
    assert await store.write(replace(one, status=Status.RINGING), 1, one, [], [])
    assert await store.write(replace(one, status=Status.BUSY, ended_at=5), 2, one, [], [])
    assert await store.write(two, 0, None, [], [])


async def test_a_call_moves_from_one_trunk_to_the_next_which_may_be_full(store):
    call, other = by("trunk_a", 1), by("trunk_b", 1)
    for each in (call, other):
        await store.write(each, 0, None, [], [])
    moved = replace(call, trunk_id="trunk_b", leg=replace(other.leg, channel_id=f"{call.id}.2"))
    with pytest.raises(TrunkFull):
        await store.write(moved, 1, call, [], [])
    assert (await store.load(call.id)).call == call
    await store.write(replace(other, status=Status.BUSY, ended_at=5), 1, other, [], [])
    assert await store.write(moved, 1, call, [], [])
    assert [await store.live_on_trunk(t) for t in ("trunk_a", "trunk_b")] == [0, 1]


async def test_a_limit_of_a_trunk_holds_for_many_at_once_and_across_processes(redis, redis_url):
    other = connect(redis_url, 800)
    try:
        stores = RedisCalls(redis), RedisCalls(other)
        calls = [by("trunk_a", 5) for _ in range(40)]
        writes = (stores[n % 2].write(call, 0, None, [], []) for n, call in enumerate(calls))
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(r is True for r in results) == 5
        assert sum(isinstance(r, TrunkFull) for r in results) == 35
        assert await stores[0].live_on_trunk("trunk_a") == 5
    finally:
        await other.aclose()


async def test_a_trunks_new_calls_of_a_second_are_counted_across_processes(redis):
    meters = RedisMeter(redis), RedisMeter(redis)
    waits = await asyncio.gather(*(meters[n % 2].take("trunk_a", 5) for n in range(20)))
    assert waits.count(0) == 5
    assert all(0 < wait <= 1_000 for wait in waits if wait)
    assert await meters[0].take("trunk_b", 5) == 0


async def test_no_second_has_more_new_calls_than_its_trunk_takes(redis):
    meter, taken = RedisMeter(redis), []
    end = time.monotonic() + 2.2
    while (now := time.monotonic()) < end:
        if await meter.take("trunk_a", 10) == 0:
            taken.append(now)
        await asyncio.sleep(0.01)
    assert 20 <= len(taken) <= 30
    assert all(later - first > 0.98 for first, later in zip(taken, taken[10:], strict=False))


async def test_after_its_wait_a_trunk_takes_a_new_call_and_one_that_is_given_back_at_once(redis):
    meter = RedisMeter(redis)
    assert [await meter.take("trunk_a", 2) for _ in range(2)] == [0, 0]
    wait = await meter.take("trunk_a", 2)
    assert 900 < wait <= 1_000
    await meter.give_back("trunk_a")
    assert await meter.take("trunk_a", 2) == 0
    await asyncio.sleep(await meter.take("trunk_a", 2) / 1000)
    assert await meter.take("trunk_a", 2) == 0


def test_a_call_of_the_version_before_is_loaded():
    document = (
        b'{"id":"call_01J00000000000000000000000","direction":"outbound","to":"+14155552671","from_":"+12025551234",'
        b'"leg":{"channel_id":"call_01J00000000000000000000000.1","node":"node1","app":"orbit-p1","endpoint":"sandbox"},'
        b'"created_at":5,"trunk_id":"trunk_1","status":"in_progress","recording":"none","hangup":null,"sequence":2}'
    )
    call = call_document.load(document)
    assert (call.leg.endpoint, call.leg.trunk_id, call.routes, call.dialled_at) == ("sandbox", None, (), 5)


async def test_a_recording_is_due_until_it_is_there(store):
    call = a_call(record=True)
    await store.write(call, 0, None, [], [])
    ended = replace(call, status=Status.COMPLETED, ended_at=5_000, recording=Recording.PENDING)
    await store.write(ended, 1, call, [], [])
    assert await store.take_recordings(4_999, 4_999, 10) == []
    assert await store.take_recordings(5_000, 5_000, 10) == [call.id]
    await store.postpone_recording(call.id, 9_000)
    assert await store.take_recordings(8_000, 8_000, 10) == []
    await store.write(replace(ended, recording=Recording.READY), 2, ended, [], [])
    assert await store.take_recordings(99_000, 99_000, 10) == []
    await store.postpone_recording(call.id, 1)
    assert await store.take_recordings(99_000, 99_000, 10) == []


async def test_timeline_and_outbox_come_with_the_write(redis):
    store, call = RedisCalls(redis), a_call()
    sent = [entry(call), entry(call)]
    await store.write(call, 0, None, [b'{"n":1}', b'{"n":2}'], sent)
    assert [orjson.loads(r)["n"] for r in await store.timeline(call.id)] == [1, 2]
    stream = [fields for _, fields in await redis.xrange(keys.OUTBOX)]
    assert [f[b"id"].decode() for f in stream] == [e.id for e in sent]
    assert stream[0][b"body"] == sent[0].body


async def filled(redis):
    store = RedisCalls(redis)
    calls = [
        a_call(
            at=1_000_000 + n * 1000,
            to=f"+1415555{n % 3:04}",
            status=Status.COMPLETED if n % 2 else Status.INITIATING,
            direction=Direction.INBOUND if n % 5 == 0 else Direction.OUTBOUND,
        )
        for n in range(25)
    ]
    for call in calls:
        await store.write(call, 0, None, [], [])
    return store, calls[::-1]


async def all_pages(store, narrow, limit):
    found, cursor, totals = [], None, set()
    while True:
        page = await store.page(narrow, cursor, limit)
        found += page.items
        totals.add(page.total)
        cursor = page.cursor
        if cursor is None:
            return [c.id for c in found], totals


@pytest.mark.parametrize("limit", [1, 7, 24, 25, 26])
@pytest.mark.parametrize(
    ("narrow", "fits"),
    [
        ({}, lambda c: True),
        ({"status": "completed"}, lambda c: c.status is Status.COMPLETED),
        ({"to": "+14155550001"}, lambda c: c.to == "+14155550001"),
        ({"to": "+14155550001", "direction": "inbound"}, lambda c: c.to[-1] == "1" and c.direction == "inbound"),
        ({"created_after": 1_005_000}, lambda c: c.created_at >= 1_005_000),
        ({"created_before": 1_005_000}, lambda c: c.created_at < 1_005_000),
        ({"created_after": 1_003_000, "created_before": 1_020_000}, lambda c: 1_003_000 <= c.created_at < 1_020_000),
        (
            {"status": "initiating", "direction": "outbound", "created_after": 1_003_000, "created_before": 1_020_000},
            lambda c: c.status == "initiating" and c.direction == "outbound" and 1_003_000 <= c.created_at < 1_020_000,
        ),
        ({"agent_id": "agt_none"}, lambda c: False),
    ],
)
async def test_pages_hold_every_call_once_newest_first(redis, narrow, fits, limit):
    store, calls = await filled(redis)
    expected = [c.id for c in calls if fits(c)]
    assert await all_pages(store, CallFilter(**narrow), limit) == (expected, {len(expected)})


async def test_a_list_with_two_filters_looks_no_further_than_it_may_and_goes_on_from_there(redis):
    pipe = redis.pipeline()
    ids = [mint("call", 1_000_000 + n) for n in range(30_000)]
    for start in range(0, len(ids), 1000):
        members = dict.fromkeys(ids[start : start + 1000], 0)
        pipe.zadd(keys.calls_by("status", "completed"), members)
        pipe.zadd(keys.calls_by("direction", "outbound"), members)
    other = RedisCalls(redis)
    await pipe.execute()
    old = [a_call(at=500_000 + n, status=Status.COMPLETED, from_="+1999") for n in range(3)]
    for call in old:
        await other.write(call, 0, None, [], [])
    narrow = CallFilter(status="completed", direction="outbound")
    page = await other.page(narrow, None, 5)
    assert (page.total, page.cursor is not None) == (10_000, True)
    assert (await all_pages(other, CallFilter(status="completed", from_="+1999"), 2))[0] == [c.id for c in old[::-1]]
    await redis.zadd(keys.calls_by("to", "+1888"), dict.fromkeys(ids, 0))
    for call in old:
        await redis.zadd(keys.calls_by("to", "+1888"), {call.id: 0})
        await redis.zrem(keys.calls_by("agent_id", "agt"), call.id)
        await redis.zadd(keys.calls_by("agent_id", "agt"), {call.id: 0})
    await redis.zadd(keys.calls_by("agent_id", "agt"), {i.replace("call_0", "call_7"): 0 for i in ids})
    found, _ = await all_pages(other, CallFilter(to="+1888", agent_id="agt"), 2)
    assert found == [c.id for c in old[::-1]]


async def test_a_cursor_stays_valid_while_calls_are_added(redis):
    store, calls = await filled(redis)
    first = await store.page(CallFilter(), None, 10)
    late = a_call(at=9_000_000)
    await store.write(late, 0, None, [], [])
    second = await store.page(CallFilter(), first.cursor, 10)
    assert [c.id for c in second.items] == [c.id for c in calls[10:20]]


async def test_an_index_is_left_when_the_status_changes(redis):
    store, call = RedisCalls(redis), a_call()
    await store.write(call, 0, None, [], [])
    await store.write(replace(call, status=Status.RINGING), 1, call, [], [])
    assert (await store.page(CallFilter(status="initiating"), None, 10)).items == []
    assert len((await store.page(CallFilter(status="ringing"), None, 10)).items) == 1


@pytest.mark.parametrize("cursor", ["x", "cur_", "cur_!!!", "cur_" + "A" * 200, "cur_bnVtXzAx", "cur_é", "cur_\x00"])
async def test_a_foreign_cursor_is_refused(redis, cursor):
    with pytest.raises(InvalidCursor):
        await RedisCalls(redis).page(CallFilter(), cursor, 10)


async def test_redis_away_is_one_kind_of_error():
    nobody = connect("redis://127.0.0.1:1/0", 200)
    with pytest.raises(StoreUnavailable):
        await RedisCalls(nobody).load(mint("call"))
    await nobody.aclose()
