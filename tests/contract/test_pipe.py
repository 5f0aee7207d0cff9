"""Commands that travel together, on the real Redis."""

import asyncio
import os
import signal
import time
from contextlib import suppress

import pytest
from redis.exceptions import ResponseError

from service.errors import StoreUnavailable
from service.store.connection import connect, guarded

COUNT = "redis.call('HINCRBY', KEYS[1], ARGV[1], 1) return redis.call('HGET', KEYS[1], ARGV[1])"


async def calls_of(redis, command):
    """How often a server has carried out a command."""
    stats = await redis.info("commandstats")
    return stats.get(f"cmdstat_{command}", {"calls": 0})["calls"]


@pytest.fixture
async def own(redis_port, other_redis, until):
    """A client of a server that the test may freeze and kill, and that server's process."""
    process = other_redis.start()
    redis = connect(f"redis://127.0.0.1:{other_redis.port}/0", 300)
    await until(lambda: other_redis.answers(redis))
    yield redis, process
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGCONT)
    await redis.aclose()


async def test_commands_of_one_moment_share_a_connection(own):
    redis, _ = own
    before = (await redis.info("stats"))["total_connections_received"]
    assert await asyncio.gather(*(redis.hset("h", str(n), n) for n in range(500))) == [1] * 500
    assert await asyncio.gather(*(redis.hget("h", str(n)) for n in range(500))) == [str(n).encode() for n in range(500)]
    assert (await redis.info("stats"))["total_connections_received"] - before <= 2


async def test_answers_are_those_of_the_plain_client(redis):
    await redis.hset("{t}h", mapping={"a": 1, "b": b"\x00\xff"})
    assert await redis.hgetall("{t}h") == {b"a": b"1", b"b": b"\x00\xff"}
    assert await redis.hmget("{t}h", ["a", "none"]) == [b"1", None]
    await redis.sadd("{t}s", "x", "y")
    assert await redis.smembers("{t}s") == {b"x", b"y"}
    await redis.zadd("{t}z", {"m": 1.5})
    assert await redis.zrange("{t}z", 0, -1, withscores=True) in ([(b"m", 1.5)], [[b"m", 1.5]])
    assert await redis.zscore("{t}z", "m") == 1.5
    assert await redis.expire("{t}z", 5) is True
    assert await redis.zintercard(2, ["{t}z", "{t}z"]) == 1
    assert await redis.zmscore("{t}z", ["m", "none"]) == [1.5, None]
    assert await redis.delete("{t}z", "{t}s") == 2
    assert await redis.ping()


async def test_an_error_goes_to_its_own_caller(redis):
    await redis.sadd("{t}s", "x")
    first, wrong, last = await asyncio.gather(
        redis.hset("{t}h", "a", 1), redis.hget("{t}s", "a"), redis.hget("{t}h", "a"), return_exceptions=True
    )
    assert (first, last) == (1, b"1")
    assert isinstance(wrong, ResponseError)


async def test_a_script_that_the_server_has_forgotten_is_sent_again(redis):
    for script in (redis.register_script(COUNT), redis.durable_script(COUNT)):
        await redis.delete("{t}h")
        for count in (b"1", b"2"):
            await redis.script_flush()
            assert await script(keys=["{t}h"], args=["n"]) == count
        assert await script(keys=["{t}h"], args=["n"]) == b"3"


async def test_a_caller_that_is_cancelled_harms_nobody(redis):
    asked = [asyncio.create_task(redis.hset("{t}h", str(n), n)) for n in range(20)]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(r, asyncio.CancelledError) for r in results[::2])
    assert results[1::2] == [1] * 10
    assert await redis.hget("{t}h", "1") == b"1"


async def test_no_answer_comes_later_than_it_may(own):
    redis, process = own
    await redis.hset("h", "a", 1)
    os.kill(process.pid, signal.SIGSTOP)
    started = time.monotonic()

    async def ask():
        with guarded():
            await redis.hget("h", "a")

    async def ask_in_waves():
        results = []
        for _ in range(8):  # more than may be under way: the last ones have waited for room
            results.append(asyncio.create_task(ask()))
            await asyncio.sleep(0.02)
        return await asyncio.gather(*results, return_exceptions=True)

    assert {type(r) for r in await ask_in_waves()} == {StoreUnavailable}
    with pytest.raises(StoreUnavailable), guarded():
        await redis.ping()
    with pytest.raises(StoreUnavailable), guarded():
        await redis.pipeline(transaction=False).get("x").execute()
    assert time.monotonic() - started < 0.02 * 8 + 3 * 0.3 + 0.2
    os.kill(process.pid, signal.SIGCONT)
    assert await redis.hget("h", "a") == b"1"


async def test_a_lost_connection_fails_all_that_was_under_way_and_nothing_after(own, until):
    redis, process = own
    script = redis.register_script(COUNT)
    await script(keys=["h"], args=["n"])
    os.kill(process.pid, signal.SIGSTOP)
    asked = [asyncio.create_task(script(keys=["h"], args=["n"])) for _ in range(10)]
    await asyncio.sleep(0)
    process.kill()
    for result in await asyncio.gather(*asked, return_exceptions=True):
        with pytest.raises(StoreUnavailable), guarded():
            raise result


async def test_a_server_that_came_back_is_used_without_a_failure(own, other_redis, until):
    redis, process = own
    await redis.hset("h", "a", 1)
    process.kill()
    process.wait(10)
    other_redis.start()
    watcher = connect(f"redis://127.0.0.1:{other_redis.port}/0", 300)
    await until(lambda: other_redis.answers(watcher))
    await watcher.aclose()
    assert await redis.hget("h", "a") is None


async def test_without_replicas_nobody_waits(own):
    redis, _ = own
    write = redis.durable_script(COUNT)
    await asyncio.gather(*(write(keys=["h"], args=["n"]) for _ in range(50)))
    assert await calls_of(redis, "wait") == 0
    assert await calls_of(redis, "info") <= 2 + 1


async def test_a_client_can_be_closed_while_it_waits(own):
    redis, process = own
    await redis.hset("h", "a", 1)
    os.kill(process.pid, signal.SIGSTOP)
    asked = asyncio.create_task(redis.hget("h", "a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await redis.aclose()
    with pytest.raises(StoreUnavailable), guarded():
        await asked
