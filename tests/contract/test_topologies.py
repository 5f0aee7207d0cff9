"""A cluster and a master under Sentinel lose a server: what was acknowledged is there, and writes go on."""

import asyncio
import gc
import os
import signal
import time

import pytest

from service.errors import StoreUnavailable
from service.store import keys, replication
from service.store.connection import connect, guarded
from service.store.metrics import WRITES_UNREPLICATED
from tests.contract.servers import Cluster, Watched

WRITE = "redis.call('RPUSH', KEYS[1], ARGV[1]) return 1"
NAME = f"{keys.SHARD}:test:writes"


# The client forgets a connection whose opening a time-out has cut off, and leaves it to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _swept():
    yield
    gc.collect()


@pytest.fixture
def watched(tmp_path):
    with Watched(tmp_path) as servers:
        yield servers


@pytest.fixture
def replicated(tmp_path):
    with Cluster(tmp_path, replica_for=keys.SHARD) as servers:
        yield servers


@pytest.fixture(params=["watched", "replicated"])
def servers(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
async def client(servers):
    redis = connect(servers.url, 800)
    yield redis
    await redis.aclose()


class Writer:
    """Writes until it is stopped, some at once; a write that fails is tried again, as the events of a call are."""

    def __init__(self, redis):
        self._write = redis.durable_script(WRITE)
        self.acknowledged = []
        self._tasks = [asyncio.create_task(self._run(n)) for n in range(8)]

    async def _run(self, number):
        count = 0
        while True:
            text = f"{number}-{count}"
            try:
                with guarded():
                    await self._write(keys=[NAME], args=[text])
                self.acknowledged.append(text)
                count += 1
            except StoreUnavailable:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.001)

    async def stop(self):
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(r, asyncio.CancelledError) for r in results), results


async def written(redis):
    return {text.decode() for text in await redis.lrange(NAME, 0, -1)}


@pytest.mark.parametrize(
    ("servers", "fault"),
    [("watched", signal.SIGKILL), ("watched", signal.SIGSTOP), ("replicated", signal.SIGKILL)],
    indirect=["servers"],
)
async def test_what_was_acknowledged_survives_the_loss_of_the_master(servers, client, until, fault, monkeypatch):
    monkeypatch.setattr(replication, "WAIT_MS", 600)  # also on a machine that is busy with other things
    writer = Writer(client)
    await until(lambda: len(writer.acknowledged) > 500)
    os.kill(servers.master.process.pid, fault)
    count = len(writer.acknowledged)
    await until(lambda: len(writer.acknowledged) > count + 500, seconds=15)
    await writer.stop()
    assert set(writer.acknowledged) <= await written(client)
    assert await client.ping()
    pipe = client.pipeline(transaction=False)
    assert len((await pipe.lrange(NAME, 0, 4).execute())[0]) == 5


async def test_a_replica_that_is_silent_delays_a_little_and_is_counted(servers, client, until):
    write = client.durable_script(WRITE)
    await write(keys=[NAME], args=["first"])
    before = WRITES_UNREPLICATED._value.get()
    for n in range(20):
        await write(keys=[NAME], args=[str(n)])
    assert WRITES_UNREPLICATED._value.get() == before
    os.kill(servers.replica.process.pid, signal.SIGSTOP)
    started = time.monotonic()
    await asyncio.gather(*(write(keys=[NAME], args=[str(n)]) for n in range(20)))
    assert time.monotonic() - started < 1.5  # not one after the other
    assert WRITES_UNREPLICATED._value.get() == before + 20
    os.kill(servers.replica.process.pid, signal.SIGCONT)
    assert len(await written(client)) == 21


async def test_a_frozen_sentinel_hides_nothing(watched):
    os.kill(watched.sentinels[0].process.pid, signal.SIGSTOP)
    redis = connect(watched.url, 800)
    with guarded():
        assert await redis.hset("h", "a", 1) == 1
    await redis.aclose()


@pytest.mark.parametrize("url", ["redis+sentinel://127.0.0.1:1,127.0.0.1:2/main", "redis+cluster://127.0.0.1:1"])
async def test_nobody_there_is_one_kind_of_error_in_time(url):
    redis = connect(url, 300)
    started = time.monotonic()
    for ask in (redis.ping(), redis.hget("h", "a"), redis.register_script(WRITE)(keys=["h"], args=["x"])):
        with pytest.raises(StoreUnavailable), guarded():
            await ask
    with pytest.raises(StoreUnavailable), guarded():
        await redis.pipeline(transaction=False).get("x").execute()
    assert time.monotonic() - started < 4 * 0.3 + 0.2
    await redis.aclose()


async def test_a_shard_that_holds_no_calls_may_be_away(replicated, until):
    redis = connect(replicated.url, 800)
    write = redis.durable_script(WRITE)
    await write(keys=[NAME], args=["before"])
    for other in replicated.masters:
        other.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    lost = next(server for server in replicated.masters if server is not replicated.master)
    lost.kill()
    for n in range(20):
        with guarded():
            await write(keys=[NAME], args=[str(n)])
    await redis.aclose()
