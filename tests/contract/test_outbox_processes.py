"""Processes that die, stop, or work side by side, and a Redis that goes away: nothing is lost, the order holds."""

import asyncio

from aiohttp import web
from structlog.testing import capture_logs

from service.calls.ids import mint
from service.errors import Fenced
from service.store.connection import connect
from service.store.lanes import RedisLanes
from service.store.outbox import RedisOutbox


async def test_a_process_that_ends_between_reading_and_fan_out_loses_nothing(house, receivers, until):
    receiver = await receivers()
    house.subscribe("one", receiver.url)
    await house.happen("call_1", times=3)
    assert len(await RedisOutbox(house.redis).read(2, 100)) == 2  # and dies with them
    house.start()
    await until(lambda: receiver.sequences() == [1, 2, 3])


async def test_a_process_that_is_killed_during_a_request_has_its_lane_taken_over(house, receivers, until):
    receiver = await receivers()
    house.subscribe("one", receiver.url)
    outbox, lanes = RedisOutbox(house.redis), RedisLanes(house.redis, 15_000)
    await house.happen("call_1", times=2)
    plan = [(entry_id, event, [(mint("dlv"), "wh_one", receiver.url)]) for entry_id, event in await outbox.read(9, 100)]
    await outbox.fan_out(plan, house.clock())
    assert len((await lanes.claim(house.clock(), 16, 10, {}))[0]) == 1  # and dies with it
    house.start("p1")
    house.pass_seconds(15)
    await until(lambda: receiver.sequences() == [1, 2])


async def test_a_process_that_is_stopped_lets_requests_finish(house, receivers, until):
    receiver, gate = await receivers(), asyncio.Event()

    async def reply(request):
        await gate.wait()
        return web.Response()

    receiver.reply = reply
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=2)
    await until(lambda: receiver.under_way == 1)
    stopping = asyncio.create_task(house.stop())
    await asyncio.sleep(0)
    gate.set()
    await stopping
    oldest = (await house.deliveries.page(webhook, None, 10)).items[-1]
    assert oldest["status"] == "delivered"
    house.start()
    await until(lambda: receiver.sequences() == [1, 2])


async def test_a_request_that_does_not_finish_gives_its_lane_back_at_once(house, receivers, until):
    receiver = await receivers()

    async def reply(request):
        await asyncio.sleep(30)

    receiver.reply = reply
    house.subscribe("one", receiver.url)
    house.start(drain_seconds=0.01, lease_ms=10**9)
    await house.happen("call_1")
    await until(lambda: receiver.under_way == 1)
    await house.stop()
    receiver.reply = receiver.say(200)
    house.start("p2")
    await until(lambda: receiver.sequences() == [1, 1])


async def test_two_processes_side_by_side_deliver_each_event_once_in_order(house, receivers, until):
    receiver = await receivers()
    webhook = house.subscribe("one", receiver.url)
    house.start("p1")
    house.start("p2")
    for _ in range(5):
        await asyncio.gather(*(house.happen(f"call_{i}", times=2) for i in range(30)))
    await until(lambda: len(receiver.requests) >= 300)
    await until(lambda: house.has_status(webhook, "delivered"))
    assert all(receiver.sequences(f"call_{i}") == list(range(1, 11)) for i in range(30))
    assert len(set(receiver.header("X-Devotel-Delivery-Id"))) == len(receiver.requests) == 300


async def test_redis_goes_away_and_comes_back(other_redis, houses, receivers, until):
    receiver = await receivers()
    gate = asyncio.Event()

    async def reply(request):
        await gate.wait()
        return web.Response()

    receiver.reply = reply
    port, options = other_redis.port, ("--appendonly", "yes", "--appendfsync", "always")
    server = other_redis.start(*options)
    redis = connect(f"redis://127.0.0.1:{port}/0", 500)
    await until(lambda: other_redis.answers(redis))
    house = houses(redis)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=2)
    await until(lambda: receiver.under_way == 1)
    with capture_logs() as logs:
        server.kill()
        server.wait()
        gate.set()
        await until(lambda: [line["event"] for line in logs] == ["webhooks wait for the store"])
    other_redis.start(*options)
    await until(lambda: other_redis.answers(redis))
    await until(lambda: house.has_status(webhook, "delivered"))
    assert receiver.sequences() == [1, 2]
    await house.stop()
    await redis.aclose(close_connection_pool=True)


async def test_the_lanes_of_a_dead_process_are_due_at_once(house, receivers, until):
    receiver = await receivers()
    house.subscribe("one", receiver.url)
    outbox, dead = RedisOutbox(house.redis), RedisLanes(house.redis, 600_000, "orbit-p1-dead")
    await house.happen("call_1", times=2)
    plan = [(entry_id, event, [(mint("dlv"), "wh_one", receiver.url)]) for entry_id, event in await outbox.read(9, 100)]
    await outbox.fan_out(plan, house.clock())
    [held], _ = await dead.claim(house.clock(), 16, 10, {})
    house.start("p1")
    await RedisLanes(house.redis, 15_000).release("orbit-p1-dead", house.clock())
    await until(lambda: receiver.sequences() == [1, 2])
    assert await dead.settle(held, house.clock(), "dead", 0, {}, True) is None  # what it did counts no more
    await until(lambda: house.has_status("wh_one", "delivered"))


async def test_what_a_process_holds_is_noted_only_as_long_as_it_holds_it(house, receivers, until):
    receiver = await receivers()
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=3)
    await until(lambda: house.has_status(webhook, "delivered"))
    assert not await house.redis.keys("*:webhooks:leased:*")


async def test_a_process_that_was_taken_over_sends_nothing(house, receivers, until):
    receiver = await receivers()
    house.subscribe("one", receiver.url)

    def fenced():
        raise Fenced

    house.start(check=fenced)
    await house.happen("call_1")

    async def fanned_out():
        return await RedisOutbox(house.redis).depth() == 0

    await until(fanned_out)
    await asyncio.sleep(0.3)
    assert receiver.requests == []
    assert (await house.newest("wh_one"))["status"] == "pending"


async def test_a_claim_whose_answer_got_lost_is_found_again(house, receivers, until):
    receiver = await receivers()
    house.subscribe("one", receiver.url)
    await house.happen("call_1", times=2)
    lanes = RedisLanes(house.redis, 600_000, "orbit-p1")
    plan = [
        (entry_id, event, [(mint("dlv"), "wh_one", receiver.url)])
        for entry_id, event in await RedisOutbox(house.redis).read(9, 100)
    ]
    await RedisOutbox(house.redis).fan_out(plan, house.clock())
    assert len((await lanes.claim(house.clock(), 16, 10, {}))[0]) == 1  # Redis did it, and its answer came too late
    await lanes.sweep(set(), house.clock())
    assert (await lanes.claim(house.clock(), 16, 10, {}))[0] == []  # it may still be on its way
    await lanes.sweep(set(), house.clock())
    house.start()
    await until(lambda: receiver.sequences() == [1, 2])


async def test_what_is_in_hand_is_not_swept_up(house, receivers, until):
    receiver, gate = await receivers(), asyncio.Event()

    async def reply(request):
        await gate.wait()
        return web.Response()

    receiver.reply = reply
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=2)
    for _ in range(4):
        await until(lambda: receiver.under_way == 1)
        house.pass_seconds(1.1)
        await asyncio.sleep(0.05)
    gate.set()
    await until(lambda: house.has_status(webhook, "delivered"))
    assert receiver.sequences() == [1, 2]
    assert not house.running["p1"][0]._worker._in_hand
