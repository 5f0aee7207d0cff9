"""Deliveries as the API lists them, and their replay."""

import pytest

from service.calls.ids import mint
from service.control.ports import OutboxEntry
from service.errors import Conflict, InvalidCursor, NotFound
from service.store import keys
from service.store.deliveries import RedisDeliveries
from service.store.lanes import KEEP_MS, RedisLanes
from service.store.outbox import RedisOutbox

AT = 1_760_000_000_000


class Ledger:
    """Makes deliveries and brings them to a status."""

    def __init__(self, redis, most: int = 10_000):
        self.redis, self.outbox, self.lanes = redis, RedisOutbox(redis, most), RedisLanes(redis, 1000)
        self.deliveries = RedisDeliveries(redis)
        self.made = 0

    async def make(self, resource="call_1", endpoint="wh_1") -> str:
        self.made += 1
        name = mint("dlv", AT + self.made)
        event = OutboxEntry(f"evt_{self.made}", "call.ringing", resource, "", b"{}")
        await self.outbox.add(event, [(name, endpoint, "https://one.example/")], AT)
        return name

    async def settle(self, status: str, due: int = AT, **fields):
        held = (await self.lanes.claim(AT, 16, 1, {}))[0][0]
        await self.lanes.settle(held, AT + 250, status, due, fields, False)


@pytest.fixture
def ledger(redis):
    return Ledger(redis)


async def test_a_delivery_is_shown_from_queued_to_delivered(ledger):
    name = await ledger.make()
    expected = {
        "id": name,
        "webhook_id": "wh_1",
        "event_id": "evt_1",
        "event_type": "call.ringing",
        "resource_id": "call_1",
        "url": "https://one.example/",
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": None,
        "response_status": None,
        "error": None,
        "created_at": "2025-10-09T08:53:20.000Z",
        "delivered_at": None,
    }
    assert await ledger.deliveries.get("wh_1", name) == expected
    await ledger.settle("retrying", AT + 5000, attempts=1, error="HTTP 500", response_status=500)
    assert await ledger.deliveries.get("wh_1", name) == expected | {
        "status": "retrying",
        "attempts": 1,
        "error": "HTTP 500",
        "response_status": 500,
        "next_attempt_at": "2025-10-09T08:53:25.000Z",
    }
    held = (await ledger.lanes.claim(AT + 5000, 16, 1, {}))[0][0]
    fields = {"attempts": 2, "error": "", "response_status": 204}
    await ledger.lanes.settle(held, AT + 5040, "delivered", AT, fields, True)
    assert await ledger.deliveries.get("wh_1", name) == expected | {
        "status": "delivered",
        "attempts": 2,
        "response_status": 204,
        "delivered_at": "2025-10-09T08:53:25.040Z",
    }


async def test_pages_are_newest_first_and_hold_while_more_come(ledger):
    names = [await ledger.make() for _ in range(5)]
    first = await ledger.deliveries.page("wh_1", None, 2)
    assert [d["id"] for d in first.items] == [names[4], names[3]]
    assert first.total == 5
    await ledger.make()
    second = await ledger.deliveries.page("wh_1", first.cursor, 2)
    assert [d["id"] for d in second.items] == [names[2], names[1]]
    last = await ledger.deliveries.page("wh_1", second.cursor, 2)
    assert ([d["id"] for d in last.items], last.cursor) == ([names[0]], None)


async def test_a_page_that_is_just_full_has_no_cursor(ledger):
    for _ in range(2):
        await ledger.make()
    page = await ledger.deliveries.page("wh_1", None, 2)
    assert (len(page.items), page.cursor) == (2, None)
    assert (await ledger.deliveries.page("wh_none", None, 2)).total == 0


async def test_a_cursor_of_somebody_else_is_refused(ledger):
    with pytest.raises(InvalidCursor):
        await ledger.deliveries.page("wh_1", "cur_nonsense", 2)


async def test_expired_records_are_dropped_from_the_list(ledger, redis):
    names = [await ledger.make() for _ in range(6)]
    await redis.delete(*(keys.delivery(n) for n in names[1:5]))
    page = await ledger.deliveries.page("wh_1", None, 2)
    assert [d["id"] for d in page.items] == [names[5], names[0]]
    assert (page.cursor, page.total) == (None, 2)


async def test_finished_records_expire(ledger, redis):
    name = await ledger.make()
    assert await redis.pttl(keys.delivery(name)) == -1
    await ledger.settle("delivered")
    assert 0 < await redis.pttl(keys.delivery(name)) <= KEEP_MS
    assert not await redis.hexists(keys.delivery(name), "body")


async def test_the_list_of_an_endpoint_is_bounded_and_what_is_on_its_way_is_not_lost(redis):
    ledger = Ledger(redis, most=3)
    waiting = await ledger.make("call_waiting")
    await ledger.settle("retrying", AT + 10**6)
    for i in range(5):
        await ledger.make(f"call_{i}")
        await ledger.settle("delivered")
    assert (await ledger.deliveries.page("wh_1", None, 10)).total == 3
    assert len([k async for k in redis.scan_iter(keys.delivery("*"))]) == 4
    held = (await ledger.lanes.claim(AT + 10**6, 16, 1, {}))[0][0]
    assert held.id == waiting
    await ledger.lanes.settle(held, AT, "delivered", AT, {}, True)
    assert await redis.exists(keys.delivery(waiting)) == 0


async def test_a_dead_delivery_is_replayed_with_its_ids_and_all_its_attempts(ledger, redis):
    name = await ledger.make()
    await ledger.settle("dead", attempts=8, error="timeout")
    await ledger.deliveries.replay("wh_1", name, AT)
    shown = await ledger.deliveries.get("wh_1", name)
    assert (shown["status"], shown["attempts"], shown["error"]) == ("pending", 0, None)
    assert await redis.pttl(keys.delivery(name)) == -1
    held = (await ledger.lanes.claim(AT, 16, 1, {}))[0][0]
    assert (held.id, held.event.id, held.event.body) == (name, "evt_1", b"{}")


async def test_a_replay_waits_its_turn(ledger):
    dead = await ledger.make()
    await ledger.settle("dead")
    waiting = await ledger.make()
    await ledger.deliveries.replay("wh_1", dead, AT)
    [held] = (await ledger.lanes.claim(AT, 16, 10, {}))[0]
    assert held.id == waiting


async def test_a_delivery_that_waits_for_a_retry_can_be_sent_at_once(ledger):
    name = await ledger.make()
    await ledger.settle("retrying", AT + 86_400_000, attempts=7)
    await ledger.deliveries.replay("wh_1", name, AT + 1)
    held = (await ledger.lanes.claim(AT + 1, 16, 1, {}))[0][0]
    assert (held.id, held.attempts) == (name, 0)


async def test_what_is_delivered_or_on_its_way_is_not_replayed(ledger):
    name = await ledger.make()
    with pytest.raises(Conflict):
        await ledger.deliveries.replay("wh_1", name, AT)
    await ledger.settle("delivered")
    with pytest.raises(Conflict):
        await ledger.deliveries.replay("wh_1", name, AT)


async def test_a_delivery_belongs_to_its_webhook(ledger):
    name = await ledger.make()
    await ledger.settle("dead")
    for webhook_id, delivery_id in (("wh_2", name), ("wh_1", "dlv_none"), ("", "dlv_none")):
        with pytest.raises(NotFound):
            await ledger.deliveries.replay(webhook_id, delivery_id, AT)
        with pytest.raises(NotFound):
            await ledger.deliveries.get(webhook_id, delivery_id)
