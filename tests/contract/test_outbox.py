"""The outbox in Redis: no event is lost, none is fanned out twice, lanes keep their order."""

import asyncio
import json
from itertools import count

import pytest

from service.calls.ids import mint
from service.control.ports import OutboxEntry
from service.errors import StoreUnavailable
from service.store import keys
from service.store.connection import connect
from service.store.lanes import RedisLanes
from service.store.outbox import RedisOutbox

LEASE_MS = 15_000
_number = count(1)


def event(resource: str = "call_1") -> OutboxEntry:
    n = next(_number)
    return OutboxEntry(f"evt_{n}", "call.ringing", resource, "", json.dumps({"sequence": n}).encode())


async def write(redis, *events: OutboxEntry) -> None:
    """As the transition writes them."""
    for e in events:
        fields = {"id": e.id, "type": e.type, "resource": e.resource, "url": e.url, "body": e.body}
        await redis.xadd(keys.OUTBOX, fields)


def to(*endpoints: str) -> list[tuple[str, str, str]]:
    return [(mint("dlv"), endpoint, f"http://{endpoint}/") for endpoint in endpoints]


async def queue(redis, outbox: RedisOutbox, now: int, *pairs: tuple[OutboxEntry, list]) -> None:
    """Writes events and fans them out."""
    await write(redis, *(e for e, _ in pairs))
    batch = await outbox.read(100, 100)
    await outbox.fan_out([(entry_id, e, t) for (entry_id, e), (_, t) in zip(batch, pairs, strict=True)], now)


@pytest.fixture
def outbox(redis):
    return RedisOutbox(redis)


async def claimed(lanes: RedisLanes, now: int, each: int = 16, total: int = 100, busy=None):
    return list((await lanes.claim(now, each, total, busy or {}))[0])


async def test_an_event_stays_until_it_is_fanned_out(redis, outbox):
    e = event()
    await write(redis, e)
    [(entry_id, read)] = await outbox.read(10, 100)
    assert read == e
    assert await RedisOutbox(redis).read(10, 100) == [(entry_id, e)]
    await outbox.fan_out([(entry_id, e, [])], 0)
    assert await outbox.read(10, 1) == []
    assert await outbox.depth() == 0


async def test_an_event_that_two_processes_have_read_is_fanned_out_once(redis, outbox):
    e = event()
    await write(redis, e)
    [(entry_id, _)] = await outbox.read(10, 100)
    await outbox.fan_out([(entry_id, e, to("wh_1"))], 0)
    await RedisOutbox(redis).fan_out([(entry_id, e, to("wh_1"))], 0)
    assert await redis.zcard(keys.deliveries("wh_1")) == 1


async def test_events_come_oldest_first_and_no_more_than_asked_for(redis, outbox):
    events = [event() for _ in range(5)]
    await write(redis, *events)
    assert [e for _, e in await outbox.read(3, 100)] == events[:3]


async def test_who_waits_is_given_an_event_when_it_comes(redis, outbox):
    waiting = asyncio.create_task(outbox.read(10, 600))
    e = event()
    await write(redis, e)
    assert [read for _, read in await waiting] == [e]


async def test_bytes_come_out_as_they_went_in(redis, outbox):
    body = bytes(range(256))
    e = OutboxEntry("evt_1", "call.ringing", "call_1", "http://x/?a=%2F&b=ü", body)
    await queue(redis, outbox, 0, (e, [("dlv_1", "url_1", e.url)]))
    [held] = await claimed(RedisLanes(redis, LEASE_MS), 0)
    assert held.event == e
    assert (held.id, held.endpoint, held.attempts, held.untried) == ("dlv_1", "url_1", 0, True)


async def test_a_lane_gives_one_delivery_at_a_time_in_order(redis, outbox):
    lanes = RedisLanes(redis, LEASE_MS)
    first, second = event(), event()
    await queue(redis, outbox, 0, (first, to("wh_1")), (second, to("wh_1")))
    [held] = await claimed(lanes, 0)
    assert held.event.id == first.id
    assert await claimed(lanes, 0) == []
    following = await lanes.settle(held, 0, "delivered", 0, {"attempts": 1}, True)
    assert following is not None
    assert following.event.id == second.id
    assert await lanes.settle(following, 0, "delivered", 0, {"attempts": 1}, True) is None
    assert await claimed(lanes, 10**9) == []
    assert await redis.exists(keys.lane("wh_1", "call_1"), keys.lanes_due("wh_1"), keys.ENDPOINTS_DUE) == 0


async def test_a_retry_holds_its_lane_and_no_other(redis, outbox):
    lanes = RedisLanes(redis, LEASE_MS)
    await queue(
        redis, outbox, 0, (event("call_1"), to("wh_1")), (event("call_1"), to("wh_1")), (event("call_2"), to("wh_1"))
    )
    one, two = sorted(await claimed(lanes, 0), key=lambda held: held.event.resource)
    await lanes.settle(one, 0, "retrying", 5000, {"attempts": 1}, True)
    await lanes.settle(two, 0, "delivered", 0, {"attempts": 1}, True)
    nothing, next_due = await lanes.claim(4999, 16, 100, {})
    assert (list(nothing), next_due) == ([], 5000)
    [again] = await claimed(lanes, 5000)
    assert (again.id, again.attempts, again.status) == (one.id, 1, "retrying")


async def test_a_dead_delivery_lets_its_lane_go_on(redis, outbox):
    lanes = RedisLanes(redis, LEASE_MS)
    second = event()
    await queue(redis, outbox, 0, (event(), to("wh_1")), (second, to("wh_1")))
    [held] = await claimed(lanes, 0)
    following = await lanes.settle(held, 0, "dead", 0, {"attempts": 8}, True)
    assert following is not None
    assert following.event.id == second.id


async def test_the_lanes_of_a_dead_process_come_back_and_what_it_says_later_counts_no_more(redis, outbox):
    dead, alive = RedisLanes(redis, LEASE_MS), RedisLanes(redis, LEASE_MS)
    await queue(redis, outbox, 0, (event(), to("wh_1")))
    [lost] = await claimed(dead, 0)
    assert await claimed(alive, LEASE_MS - 1) == []
    [taken] = await claimed(alive, LEASE_MS)
    assert taken.id == lost.id
    await dead.settle(lost, LEASE_MS, "dead", 0, {"attempts": 1, "error": "late"}, True)
    assert await redis.hget(keys.delivery(taken.id), "status") == b"pending"
    await alive.settle(taken, LEASE_MS, "delivered", 0, {"attempts": 1}, True)
    assert await redis.hget(keys.delivery(taken.id), "status") == b"delivered"


async def test_an_endpoint_has_no_more_lanes_than_its_share(redis, outbox):
    lanes = RedisLanes(redis, LEASE_MS)
    pairs = [(event(f"call_{i}"), to("wh_1")) for i in range(10)]
    await queue(redis, outbox, 0, *pairs)
    assert len(await claimed(lanes, 0, each=4)) == 4
    assert len(await claimed(lanes, 0, each=4, busy={"wh_1": 4})) == 0
    assert len(await claimed(lanes, 0, each=4, busy={"wh_1": 3})) == 1
    assert len(await claimed(lanes, 0, each=4)) == 4
    assert len(await claimed(lanes, 0, each=4)) == 1


async def test_endpoints_whose_slots_are_taken_hide_no_other(redis, outbox):
    lanes = RedisLanes(redis, LEASE_MS)
    stuck = [f"wh_{i}" for i in range(30)]
    await queue(redis, outbox, 0, *((event(f"call_{i}"), to(*stuck)) for i in range(3)))
    await queue(redis, outbox, 5, (event("call_9"), to("wh_live")))
    [held] = await claimed(lanes, 10, each=2, total=1, busy=dict.fromkeys(stuck, 2))
    assert held.endpoint == "wh_live"


async def test_a_record_that_is_gone_does_not_stop_its_lane(redis, outbox):
    second = event()
    gone = to("wh_1")
    await queue(redis, outbox, 0, (event(), gone), (second, to("wh_1")))
    await redis.delete(keys.delivery(gone[0][0]))
    [held] = await claimed(RedisLanes(redis, LEASE_MS), 0)
    assert held.event.id == second.id


async def test_without_redis_every_question_says_so(redis):
    away = connect("redis://127.0.0.1:1/0", 200)
    outbox, lanes = RedisOutbox(away), RedisLanes(away, LEASE_MS)
    for ask in (
        outbox.read(1, 1),
        outbox.depth(),
        outbox.fan_out([("1-1", event(), [])], 0),
        lanes.claim(0, 1, 1, {}),
    ):
        with pytest.raises(StoreUnavailable):
            await ask
    await away.aclose(close_connection_pool=True)
