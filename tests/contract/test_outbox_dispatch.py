"""From the outbox to the receiver: one ordered, signed sequence per resource and endpoint."""

import asyncio
import json

from aiohttp import web

from service.settings import Settings
from service.store import keys
from service.store.lanes import RedisLanes
from service.store.outbox import RedisOutbox
from service.webhooks.start import lease_ms, webhooks


async def test_a_receiver_that_fails_twice_sees_one_ordered_signed_sequence(house, receivers, until):
    receiver = await receivers()
    receiver.reply = receiver.say(500, 500, 200)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=4)
    await until(lambda: len(receiver.requests) == 1)
    for attempts, pause in enumerate(house.pauses[:2], 1):
        await until(lambda attempts=attempts: house.attempted(webhook, attempts))
        house.pass_seconds(pause)
    await until(lambda: house.has_status(webhook, "delivered"))
    assert receiver.sequences() == [1, 1, 1, 2, 3, 4]
    assert receiver.verified(b"whsec_one")
    assert len(set(receiver.header("X-Devotel-Delivery-Id")[:3])) == 1
    assert len(set(receiver.header("X-Devotel-Delivery-Id"))) == 4
    assert len(set(receiver.header("X-Devotel-Event-Id"))) == 4


async def test_retries_come_when_they_are_due_and_not_before(house, receivers, until):
    receiver = await receivers()
    receiver.reply = receiver.say(503)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1")
    for attempts, pause in enumerate(house.pauses, 1):
        await until(lambda attempts=attempts: house.attempted(webhook, attempts))
        delivery = await house.newest(webhook)
        assert (delivery["status"], delivery["error"]) == ("retrying", "HTTP 503")
        house.pass_seconds(pause - 1)
        await house.redis.ping()
        assert len(receiver.requests) == attempts
        house.pass_seconds(1)
    await until(lambda: house.has_status(webhook, "dead"))
    assert len(receiver.requests) == len(house.pauses) + 1


async def test_the_own_url_of_a_resource_is_signed_with_the_accounts_secret(house, receivers, until):
    mine, subscribed = await receivers(), await receivers()
    house.subscribe("one", subscribed.url, "call.*")
    house.start()
    await house.happen("call_1", url=mine.url + "?call=1")
    await house.happen("call_2", url=mine.url + "?call=2")
    await until(lambda: len(mine.requests) == len(subscribed.requests) == 2)
    assert {request.raw_path for request, _ in mine.requests} == {"/hooks?call=1", "/hooks?call=2"}
    assert mine.verified(house.account_secret)
    assert subscribed.verified(b"whsec_one")


async def test_only_who_subscribed_to_an_event_hears_of_it(house, receivers, until):
    calls, ends = await receivers(), await receivers()
    house.subscribe("calls", calls.url, "call.*")
    house.subscribe("ends", ends.url, "call.completed")
    house.start()
    await house.happen("call_1", kind="call.ringing")
    await house.happen("conf_1", kind="conference.started")
    await house.happen("call_1", kind="call.completed")
    await until(lambda: len(calls.requests) == 2 and len(ends.requests) == 1)
    assert ends.header("X-Devotel-Event-Type") == ["call.completed"]
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


async def test_a_dead_letter_is_replayed_with_the_same_ids(house, receivers, until):
    receiver = await receivers()
    receiver.reply = receiver.say(500)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1")
    for attempts, pause in enumerate(house.pauses, 1):
        await until(lambda attempts=attempts: house.attempted(webhook, attempts))
        house.pass_seconds(pause)
    await until(lambda: house.has_status(webhook, "dead"))
    receiver.reply = receiver.say(200)
    dead = await house.newest(webhook)
    replayed = await house.desk().replay(webhook, dead["id"])
    assert (replayed["id"], replayed["status"], replayed["attempts"]) == (dead["id"], "pending", 0)
    await until(lambda: house.has_status(webhook, "delivered"))
    assert len(set(receiver.header("X-Devotel-Delivery-Id"))) == len(set(receiver.header("X-Devotel-Event-Id"))) == 1
    assert (await house.newest(webhook))["attempts"] == 1


async def test_a_deleted_webhook_is_sent_nothing_more(house, receivers, until, monkeypatch):
    monkeypatch.setattr("service.webhooks.roster.KEPT_SECONDS", -1)
    receiver = await receivers()
    receiver.reply = receiver.say(500)
    webhook = house.subscribe("one", receiver.url)
    house.start()
    await house.happen("call_1", times=3)
    await until(lambda: house.attempted(webhook, 1))
    del house.webhooks[webhook]
    house.pass_seconds(house.pauses[0])
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
    house.pass_seconds(house.pauses[0])
    await until(lambda: house.has_status(webhook, "delivered"))
    assert len(new.requests) == 1
    assert new.verified(b"whsec_new")
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
    assert one.verified(b"whsec_one")
    assert await house.has_status("wh_other", "delivered")
    assert other.header("X-Devotel-Event-Type") == ["call.ringing"]


async def test_the_room_as_the_service_starts_it(house, receivers, until):
    receiver = await receivers()
    webhook = house.subscribe("one", receiver.url)
    settings = Settings(webhook_allow_private=True)

    async def stored():
        return list(house.webhooks.values())

    lanes = RedisLanes(house.redis, lease_ms(settings.webhook_timeout_seconds))
    outbox, free = RedisOutbox(house.redis), lambda: None
    async with webhooks(settings, outbox, lanes, house.deliveries, stored, b"whsec_account", free) as post:
        assert await post.check_url(receiver.url) is None
        assert await post.check_url("http://169.254.169.254/") == "must not lead to a link-local address"
        await post.courier.test(house.webhooks[webhook])
        await house.happen("call_1")
        await until(lambda: len(receiver.requests) == 2)
        await until(lambda: house.has_status(webhook, "delivered"))
    assert (await house.deliveries.page(webhook, None, 10)).total == 2
