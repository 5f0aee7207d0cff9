"""From the outbox to the receiver: one ordered, signed sequence per resource and endpoint, whatever fails on the way."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from service.calls.ids import mint, now_ms
from service.store import keys
from service.store.connection import connect
from service.store.deliveries import RedisDeliveries
from service.store.lanes import RedisLanes
from service.store.outbox import RedisOutbox
from service.webhooks.desk import Desk
from service.webhooks.dispatcher import Dispatcher
from service.webhooks.guard import Guard
from service.webhooks.sender import Sender

ACCOUNT = b"whsec_account"
PAUSES = (5, 60, 300)


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead

    def pass_seconds(self, seconds: float) -> None:
        self.ahead += round(seconds * 1000)


class House:
    """A store with webhooks, and dispatchers on it that a test starts and stops."""

    def __init__(self, redis) -> None:
        self.redis, self.clock, self.webhooks = redis, Clock(), {}
        self.deliveries = RedisDeliveries(redis)
        self.sequences: Counter[str] = Counter()
        self.running: dict[str, tuple[Dispatcher, asyncio.Task]] = {}

    def subscribe(self, name: str, url: str, *events: str) -> str:
        document = {"id": f"wh_{name}", "url": url, "events": list(events or "*"), "secret": f"whsec_{name}"}
        self.webhooks[document["id"]] = document
        return document["id"]

    async def happen(self, resource: str, times: int = 1, kind: str = "call.ringing", url: str = "") -> None:
        """Events of a resource, written as the transition writes them."""
        pipe = self.redis.pipeline(transaction=False)
        for _ in range(times):
            self.sequences[resource] += 1
            event = {"id": mint("evt"), "type": kind, "sequence": self.sequences[resource], "data": {"id": resource}}
            fields = {"id": event["id"], "type": kind, "resource": resource, "url": url, "body": json.dumps(event)}
            pipe.xadd(keys.OUTBOX, fields)
        await pipe.execute()

    def start(self, process: str = "p1", timeout: float = 5, lease_ms: int = 15_000, per_endpoint: int = 16, **more):
        async def stored():
            return list(self.webhooks.values())

        dispatcher = Dispatcher(
            RedisOutbox(self.redis),
            RedisLanes(self.redis, lease_ms),
            stored,
            Sender(Guard(allow_private=True), timeout),
            ACCOUNT,
            per_endpoint=per_endpoint,
            retry_seconds=PAUSES,
            clock=self.clock,
            block_ms=100,
            **more,
        )
        self.running[process] = dispatcher, asyncio.create_task(dispatcher.run())
        return dispatcher

    async def stop(self, process: str = "p1") -> None:
        task = self.running.pop(process)[1]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def pass_seconds(self, seconds: float) -> None:
        self.clock.pass_seconds(seconds)
        for dispatcher, _ in self.running.values():
            dispatcher.wake()

    def desk(self) -> Desk:
        return Desk(self.deliveries, RedisOutbox(self.redis), self.running["p1"][0].wake)

    async def newest(self, webhook_id: str) -> dict:
        return (await self.deliveries.page(webhook_id, None, 1)).items[0]

    async def has_status(self, webhook_id: str, status: str) -> bool:
        page = await self.deliveries.page(webhook_id, None, 100)
        return bool(page.items) and {d["status"] for d in page.items} == {status}

    async def attempted(self, webhook_id: str, attempts: int) -> bool:
        page = await self.deliveries.page(webhook_id, None, 1)
        return bool(page.items) and page.items[0]["attempts"] == attempts


@asynccontextmanager
async def house_on(redis):
    made = House(redis)
    try:
        yield made
    finally:
        for process in list(made.running):
            await made.stop(process)


@pytest.fixture
async def house(redis):
    async with house_on(redis) as made:
        yield made


def verified(receiver, secret: bytes) -> bool:
    """Every request's signature, computed here with nothing of the service."""
    for request, body in receiver.requests:
        stamp, digest = (part.split("=", 1)[1] for part in request.headers["X-Devotel-Signature"].split(","))
        if not hmac.compare_digest(hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest(), digest):
            return False
    return True


def header(receiver, name: str) -> list[str]:
    return [request.headers[name] for request, _ in receiver.requests]


async def test_a_receiver_that_fails_twice_sees_one_ordered_signed_sequence(house, receivers, until):
    receiver = await receivers()
    receiver.reply = receiver.say(500, 500, 200)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=4)
    await until(lambda: len(receiver.requests) == 1)
    for attempts, pause in enumerate(PAUSES[:2], 1):
        await until(lambda attempts=attempts: oldest_attempts(house, webhook, attempts))
        house.pass_seconds(pause)
    await until(lambda: house.has_status(webhook, "delivered"))
    assert receiver.sequences() == [1, 1, 1, 2, 3, 4]
    assert verified(receiver, b"whsec_one")
    assert len(set(header(receiver, "X-Devotel-Delivery-Id")[:3])) == 1
    assert len(set(header(receiver, "X-Devotel-Delivery-Id"))) == 4
    assert len(set(header(receiver, "X-Devotel-Event-Id"))) == 4


async def oldest_attempts(house, webhook: str, attempts: int) -> bool:
    page = await house.deliveries.page(webhook, None, 100)
    return bool(page.items) and max(d["attempts"] for d in page.items) == attempts


async def test_retries_come_when_they_are_due_and_not_before(house, receivers, until):
    receiver = await receivers()
    receiver.reply = receiver.say(503)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1")
    for attempts, pause in enumerate(PAUSES, 1):
        await until(lambda attempts=attempts: house.attempted(webhook, attempts))
        delivery = await house.newest(webhook)
        assert (delivery["status"], delivery["error"]) == ("retrying", "HTTP 503")
        house.pass_seconds(pause - 1)
        await house.redis.ping()
        assert len(receiver.requests) == attempts
        house.pass_seconds(1)
    await until(lambda: house.has_status(webhook, "dead"))
    assert len(receiver.requests) == len(PAUSES) + 1


async def test_the_own_url_of_a_resource_is_signed_with_the_accounts_secret(house, receivers, until):
    mine, subscribed = await receivers(), await receivers()
    house.subscribe("one", subscribed.url, "call.*")
    house.start()
    await house.happen("call_1", url=mine.url + "?call=1")
    await house.happen("call_2", url=mine.url + "?call=2")
    await until(lambda: len(mine.requests) == len(subscribed.requests) == 2)
    assert {request.raw_path for request, _ in mine.requests} == {"/hooks?call=1", "/hooks?call=2"}
    assert verified(mine, ACCOUNT)
    assert verified(subscribed, b"whsec_one")


async def test_only_who_subscribed_to_an_event_hears_of_it(house, receivers, until):
    calls, ends = await receivers(), await receivers()
    house.subscribe("calls", calls.url, "call.*")
    house.subscribe("ends", ends.url, "call.completed")
    house.start()
    await house.happen("call_1", kind="call.ringing")
    await house.happen("conf_1", kind="conference.started")
    await house.happen("call_1", kind="call.completed")
    await until(lambda: len(calls.requests) == 2 and len(ends.requests) == 1)
    assert header(ends, "X-Devotel-Event-Type") == ["call.completed"]
    assert await house.redis.xlen(keys.OUTBOX) == 0


async def test_a_dead_endpoint_delays_no_live_one(house, receivers, until):
    live = await receivers()
    house.subscribe("live", live.url)
    house.subscribe("dead", "http://127.0.0.1:1/hooks")
    house.start()
    await asyncio.gather(*(house.happen(f"call_{i}", times=3) for i in range(50)))
    await until(lambda: len(live.requests) == 150)
    assert all(live.sequences(f"call_{i}") == [1, 2, 3] for i in range(50))


async def test_slow_endpoints_with_full_slots_delay_no_other(house, receivers, until):
    live, slow, gate = await receivers(), [await receivers() for _ in range(5)], asyncio.Event()

    async def reply(request):
        await gate.wait()
        return web.Response()

    for i, receiver in enumerate(slow):
        receiver.reply = reply
        house.subscribe(f"slow{i}", receiver.url)
    house.start(per_endpoint=4)
    await asyncio.gather(*(house.happen(f"call_{i}") for i in range(50)))
    await until(lambda: all(receiver.under_way == 4 for receiver in slow))
    house.subscribe("live", live.url)
    await house.happen("call_late", times=20)
    await until(lambda: live.sequences() == list(range(1, 21)))
    gate.set()
    await until(lambda: all(len(receiver.requests) == 70 for receiver in slow))
    assert {receiver.most_at_once for receiver in slow} == {4}


async def test_resources_go_side_by_side_each_in_its_order(house, receivers, until):
    receiver, held = await receivers(), asyncio.Event()

    async def reply(request):
        if json.loads(receiver.requests[-1][1])["data"]["id"] == "call_held":
            await held.wait()
        return web.Response()

    receiver.reply = reply
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_held", times=2)
    await until(lambda: receiver.sequences("call_held") == [1])
    await house.happen("call_free", times=10)
    await until(lambda: receiver.sequences("call_free") == list(range(1, 11)))
    assert receiver.sequences("call_held") == [1]
    held.set()
    await until(lambda: house.has_status(webhook, "delivered"))
    assert receiver.sequences("call_held") == [1, 2]


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
    assert len(set(header(receiver, "X-Devotel-Delivery-Id"))) == len(receiver.requests) == 300


async def test_a_dead_letter_is_replayed_with_the_same_ids(house, receivers, until):
    receiver = await receivers()
    receiver.reply = receiver.say(500)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1")
    for attempts, pause in enumerate(PAUSES, 1):
        await until(lambda attempts=attempts: house.attempted(webhook, attempts))
        house.pass_seconds(pause)
    await until(lambda: house.has_status(webhook, "dead"))
    receiver.reply = receiver.say(200)
    dead = await house.newest(webhook)
    replayed = await house.desk().replay(webhook, dead["id"])
    assert (replayed["id"], replayed["status"], replayed["attempts"]) == (dead["id"], "pending", 0)
    await until(lambda: house.has_status(webhook, "delivered"))
    assert len(set(header(receiver, "X-Devotel-Delivery-Id"))) == len(set(header(receiver, "X-Devotel-Event-Id"))) == 1
    assert (await house.newest(webhook))["attempts"] == 1


async def test_a_deleted_webhook_is_sent_nothing_more(house, receivers, until, monkeypatch):
    monkeypatch.setattr("service.webhooks.roster.KEPT_SECONDS", -1)
    receiver = await receivers()
    receiver.reply = receiver.say(500)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=3)
    await until(lambda: oldest_attempts(house, webhook, 1))
    del house.webhooks[webhook]
    house.pass_seconds(PAUSES[0])
    await until(lambda: house.has_status(webhook, "dead"))
    assert {d["error"] for d in (await house.deliveries.page(webhook, None, 9)).items} == {"webhook deleted"}
    assert len(receiver.requests) == 1


async def test_a_retry_takes_the_url_and_the_secret_that_a_webhook_has_by_then(house, receivers, until, monkeypatch):
    monkeypatch.setattr("service.webhooks.roster.KEPT_SECONDS", -1)
    old, new = await receivers(), await receivers()
    old.reply = old.say(500)
    webhook = house.subscribe("one", old.url)
    house.start()
    await house.happen("call_1")
    await until(lambda: house.attempted(webhook, 1))
    house.webhooks[webhook] |= {"url": new.url, "secret": "whsec_new"}
    house.pass_seconds(PAUSES[0])
    await until(lambda: house.has_status(webhook, "delivered"))
    assert len(new.requests) == 1
    assert verified(new, b"whsec_new")
    assert (await house.newest(webhook))["url"] == new.url


async def test_a_test_event_reaches_its_webhook_alone_even_behind_a_retry(house, receivers, until):
    one, other = await receivers(), await receivers()
    one.reply = one.say(500, 200)
    webhook = house.subscribe("one", one.url, "call.*")
    house.subscribe("other", other.url)
    house.start()
    await house.happen("call_1")
    await until(lambda: other.requests and house.attempted(webhook, 1))
    delivery = await house.desk().test(house.webhooks[webhook])
    assert (delivery["event_type"], delivery["status"], delivery["webhook_id"]) == ("webhook.test", "pending", webhook)
    await until(lambda: len(one.requests) == 2)
    body = json.loads(one.requests[1][1])
    assert (body["type"], body["sequence"], body["data"]) == ("webhook.test", 1, {"webhook_id": webhook})
    assert body["id"] == delivery["event_id"]
    assert verified(one, b"whsec_one")
    assert await house.has_status("wh_other", "delivered")
    assert header(other, "X-Devotel-Event-Type") == ["call.ringing"]


async def test_redis_goes_away_and_comes_back(other_redis, receivers, until, capsys):
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
    async with house_on(redis) as house:
        webhook = house.subscribe("one", receiver.url)
        house.start()
        await house.happen("call_1", times=2)
        await until(lambda: receiver.under_way == 1)
        server.kill()
        server.wait()
        gate.set()
        await until(lambda: "webhooks wait for the store" in capsys.readouterr().out)
        other_redis.start(*options)
        await until(lambda: other_redis.answers(redis))
        await until(lambda: house.has_status(webhook, "delivered"))
        assert receiver.sequences() == [1, 2]
    await redis.aclose(close_connection_pool=True)
