"""What a process keeps of the small collections, and when it no longer does."""

import asyncio

import pytest

from service.calls.ids import mint
from service.store import cache as cache_module
from service.store import keys
from service.store.admission import Admission
from service.store.books import RedisNumbers, RedisTrunks
from service.store.cache import Cache
from service.store.connection import connect
from service.store.documents import Documents
from service.store.keyring import Keyring


def numbers(redis, cache=None):
    return Documents(redis, "numbers", "num", unique="number", cache=cache)


def a_number(number, **more):
    return {"id": mint("num"), "number": number, "created_at": 1, **more}


@pytest.fixture
async def cache(redis, until):
    """One that listens."""
    kept = Cache(redis)
    task = asyncio.create_task(kept.run())
    await until(lambda: kept.alive)
    yield kept
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def reads(redis):
    """How often the servers have read."""
    stats = await redis.info("commandstats")
    servers = stats.values() if all(isinstance(v, dict) and "calls" not in v for v in stats.values()) else [stats]
    return sum(s.get(f"cmdstat_{c}", {"calls": 0})["calls"] for s in servers for c in ("hget", "hvals"))


async def test_what_was_read_once_is_not_read_again(redis, cache):
    made = a_number("+1")
    documents = numbers(redis, cache)
    await documents.create(made)
    book, trunks = RedisNumbers(documents), RedisTrunks(Documents(redis, "trunks", "trunk", unique="name", cache=cache))
    await Documents(redis, "trunks", "trunk", unique="name").create(
        {"id": mint("trunk"), "name": "main", "created_at": 1, "sandbox": True, "endpoint": "sandbox", "default": False}
    )
    await Keyring(redis).register("dv_live_sk_1", ("voice:read",), sandbox=False)
    admission = Admission(redis, cache)

    async def all_of_them():
        assert (await book.by_number("+1")).id == made["id"]
        assert (await trunks.sandbox()).name == "main"
        assert await documents.get(made["id"]) == made
        assert (await admission.key("dv_live_sk_1"))["scopes"] == ["voice:read"]

    await all_of_them()
    await asyncio.sleep(0.05)  # the messages of the writes above
    await all_of_them()
    before = await reads(redis)
    for _ in range(5):
        await all_of_them()
    assert await reads(redis) == before


async def test_an_own_change_counts_at_once(redis, cache):
    documents = numbers(redis, cache)
    made = a_number("+1", friendly_name="a")
    await documents.create(made)
    for name in "bcdef":
        assert await documents.find("+1") == made
        changed = {**made, "friendly_name": name}
        assert await documents.replace(changed, made)
        assert await documents.find("+1") == await documents.get(made["id"]) == changed
        assert await documents.all() == [changed]
        made = changed
    assert await documents.delete(made)
    assert await documents.find("+1") is None
    assert await documents.all() == []


async def test_a_change_of_another_process_counts_after_its_message(redis, cache, until):
    here, there = numbers(redis, cache), numbers(redis)
    made = a_number("+1", friendly_name="a")
    await there.create(made)
    assert await here.find("+1") == made

    async def sees(expected):
        return await here.find("+1") == expected

    for name in "bcd":
        changed = {**made, "friendly_name": name}
        assert await there.replace(changed, made)
        await until(lambda changed=changed: sees(changed), 1)
        made = changed
    await there.delete(made)
    await until(lambda: sees(None), 1)


async def test_what_is_not_there_is_not_kept(redis, cache):
    documents, admission = numbers(redis, cache), Admission(redis, cache)
    assert await documents.find("+1") is None
    assert await documents.all() == []
    assert await admission.key("dv_live_sk_1") is None
    made = a_number("+1")
    # Written by hand, so that no message comes.
    await redis.hset(keys.documents("numbers"), made["id"], b'{"id": "%s"}' % made["id"].encode())
    await redis.hset(keys.unique("numbers"), "+1", made["id"])
    assert await documents.find("+1")
    assert await documents.all()
    await Keyring(redis).register("dv_live_sk_1", ("voice:read",), sandbox=False)
    assert await admission.key("dv_live_sk_1")


async def test_a_key_that_may_less_is_noticed(redis, cache, until):
    admission = Admission(redis, cache)
    await Keyring(redis).register("dv_live_sk_1", ("admin",), sandbox=False)
    assert (await admission.key("dv_live_sk_1"))["scopes"] == ["admin"]
    await Keyring(redis).register("dv_live_sk_1", ("voice:read",), sandbox=False)

    async def less():
        return (await admission.key("dv_live_sk_1"))["scopes"] == ["voice:read"]

    await until(less, 1)


async def test_a_read_that_a_change_overtook_is_not_kept(redis, cache, until):
    async def slow():
        found = "old"
        await redis.publish(keys.CHANGED, "numbers")
        await until(lambda: "numbers" not in cache._kept)
        return found

    assert await cache.get("numbers", "x", slow) == "old"

    async def quick():
        return "new"

    assert await cache.get("numbers", "x", quick) == "new"


async def test_without_a_living_subscription_nothing_is_kept(redis_port, other_redis, until, monkeypatch):
    monkeypatch.setattr(cache_module, "PULSE_SECONDS", 0.1)
    monkeypatch.setattr(cache_module, "SILENCE_SECONDS", 0.4)
    monkeypatch.setattr(cache_module, "AGAIN_SECONDS", 0.05)
    process = other_redis.start()
    redis = connect(f"redis://127.0.0.1:{other_redis.port}/0", 300)
    await until(lambda: other_redis.answers(redis))
    kept = Cache(redis)
    task = asyncio.create_task(kept.run())
    await until(lambda: kept.alive)
    await asyncio.sleep(0.6)  # longer than the silence that it bears: it asks by itself
    assert kept.alive
    documents = numbers(redis, kept)
    made = a_number("+1")
    await documents.create(made)
    assert await documents.find("+1") == made
    process.kill()
    process.wait(10)
    await until(lambda: not kept.alive)
    other_redis.start()
    await until(lambda: other_redis.answers(redis))
    assert await documents.find("+1") is None  # the new server knows nothing
    await until(lambda: kept.alive)
    await documents.create(made)
    assert await documents.find("+1") == made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await redis.aclose()


async def test_a_collection_takes_no_more_than_its_share(redis, cache, monkeypatch):
    monkeypatch.setattr(cache_module, "MOST", 3)

    async def read():
        return b"x"

    for n in range(9):
        await cache.get("numbers", str(n), read)
    assert list(cache._kept["numbers"]) == ["6", "7", "8"]


async def test_small_buckets_are_exact_however_many_take(redis):
    several = [Admission(redis) for _ in range(3)]
    left = await asyncio.gather(*(several[n % 3].take("b", 0.001, 39) for n in range(60)))
    assert sum(a.taken for a in left) == 39


async def test_a_large_bucket_is_taken_from_in_advance_and_its_limit_holds(redis):
    several = [Admission(redis) for _ in range(3)]
    before = await scripts_run(redis)
    left = await asyncio.gather(*(several[n % 3].take("b", 0.001, 1000) for n in range(900)))
    assert all(a.taken for a in left)
    assert await scripts_run(redis) - before <= 3 * 7
    assert 1000 - 900 - 3 * 50 <= left[-1].remaining <= 1000 - 900 + 50
    left = await asyncio.gather(*(several[0].take("b", 0.001, 1000) for n in range(200)))
    assert 0 < sum(a.taken for a in left) <= 100
    refused = [a for a in left if not a.taken]
    assert all(a.remaining == 0 and a.wait_ms > 100_000 for a in refused)
    others = [await each.take("b", 0.001, 1000) for each in several[1:] for _ in range(60)]
    assert sum(a.taken for a in left) + sum(a.taken for a in others) == 100


async def test_a_bucket_that_is_empty_is_not_asked_until_there_may_be_a_token(redis):
    admission = Admission(redis)
    for _ in range(50):
        await admission.take("b", 20, 50)
    before = await scripts_run(redis)
    answers = [await admission.take("b", 20, 50) for _ in range(20)]
    refused = [a for a in answers if not a.taken]
    assert len(refused) > 10
    assert all(0 < a.wait_ms <= 51 for a in refused)
    assert await scripts_run(redis) - before < 10
    await asyncio.sleep(refused[-1].wait_ms / 1000 + 0.01)  # the bucket's own pace
    assert (await admission.take("b", 20, 50)).taken


async def scripts_run(redis):
    stats = await redis.info("commandstats")
    servers = stats.values() if all(isinstance(v, dict) and "calls" not in v for v in stats.values()) else [stats]
    return sum(s.get(f"cmdstat_{c}", {"calls": 0})["calls"] for s in servers for c in ("evalsha", "eval"))
