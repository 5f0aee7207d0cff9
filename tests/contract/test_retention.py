"""Old calls leave the store with all that belongs to them."""

import asyncio
from dataclasses import replace

import pytest

from service.calls.call import Call, Direction, Leg, Recording
from service.calls.ids import channel_of, mint
from service.calls.status import Status
from service.calls.times import now_ms
from service.control import retention
from service.control.ports import CallFilter, OutboxEntry
from service.control.retention import DAY_MS, Retention
from service.storage.folder import Folder
from service.store import keys
from service.store.calls import RedisCalls
from service.store.retention import RedisOldCalls


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 4)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)


async def a_call(store, days_ago, **more):
    """A call that was stored, and has ended a minute later."""
    at = now_ms() - round(days_ago * DAY_MS)
    call_id = mint("call", at)
    leg = Leg(channel_of(call_id), "node1", "orbit-p1")
    call = Call(call_id, Direction.OUTBOUND, "+1", "+2", leg, at, agent_id="agt_1")
    await store.write(call, 0, None, [b"{}"], [OutboxEntry(mint("evt"), "call.initiated", call_id, "", b"{}")])
    ended = replace(call, **{"status": Status.COMPLETED, "ended_at": at + 60_000, **more})
    await store.write(ended, 1, call, [b"{}"], [])
    return ended


async def everything(redis):
    """Every key with the calls' ids in it."""
    found = {}
    async for name in redis.scan_iter(f"{keys.SHARD}*"):
        kind = await redis.type(name)
        read = {b"zset": lambda n: redis.zrange(n, 0, -1), b"set": redis.smembers, b"hash": redis.hkeys}
        found[name.decode()] = [m.decode() for m in await read[kind](name)] if kind in read else []
    return found


async def test_nothing_of_an_old_call_is_left(redis, tmp_path):
    store, storage = RedisCalls(redis), Folder(tmp_path)
    old = [await a_call(store, 100 - n, recording=Recording.READY) for n in range(10)]
    young = await a_call(store, 10, recording=Recording.READY)
    waits = await a_call(store, 200, recording=Recording.PENDING)
    for call in (*old, young):
        raw = tmp_path / "raw"
        raw.write_bytes(b"\0" * 64)
        await storage.keep(call.id, raw, swap=False)
    assert await Retention(RedisOldCalls(redis), storage, 90).sweep() == 10
    left = str(await everything(redis))
    assert not [call for call in old if call.id in left or storage.find(call.id)]
    assert young.id in left
    assert storage.find(young.id)
    assert await store.take_recordings(now_ms(), now_ms(), 10) == [waits.id]
    assert [c.id for c in (await store.page(CallFilter(agent_id="agt_1"), None, 10)).items] == [young.id, waits.id]
    assert await redis.xlen(keys.OUTBOX) == 12
    assert {p.name for p in tmp_path.rglob("*.wav")} == {f"{young.id}.wav"}


async def test_several_processes_at_once_delete_each_call_once(redis, tmp_path):
    store = RedisCalls(redis)
    for n in range(20):
        await a_call(store, 100 - n / 10)
    sweeps = (Retention(RedisOldCalls(redis), Folder(tmp_path), 90).sweep() for _ in range(4))
    assert sum(await asyncio.gather(*sweeps)) == 20
    assert (await store.page(CallFilter(), None, 10)).total == 0


async def test_a_call_that_changed_meanwhile_stays(redis):
    store, old = RedisCalls(redis), RedisOldCalls(redis)
    call = await a_call(store, 100)
    [held] = await old.created_before(now_ms(), "", 10)
    await store.write(replace(call, agent_summary={"summary": "x"}), 2, call, [], [])
    assert not await old.delete(held)
    assert (await store.load(call.id)).version == 3
