"""What nodes see of trunks, stored and told: each change once, whoever finds it, and known everywhere at once."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from service.calls.times import now_ms
from service.control.membership import Round
from service.control.trunk_health import Change, HealthBook
from service.control.trunk_view import present_trunk
from service.control.trunk_watch import TrunkWatch
from service.errors import AsteriskUnavailable, Fenced
from service.store import keys
from service.store.cache import Cache
from service.store.trunk_health import RedisTrunkHealth, dump, load
from service.trunks import health
from service.trunks.health import Record, Registration, Seen, Sighting, State
from service.trunks.trunk import Trunk

T = "trunk_01JD0000000000000000000000"
HERE, SILENT, UNASKED = Seen("a1", True, 12.5), Seen("a1", False), Seen("a1", None)


class Nodes:
    """`Contacts` that say what a test put there."""

    def __init__(self):
        self.seen, self.asked, self.heard, self.fails = {}, [], None, None

    def listen(self, heard):
        self.heard = heard

    def say(self, node, seen, endpoint=T):
        self.seen.setdefault(node, {})[endpoint] = seen

    async def look(self, node):
        return dict(self.seen.get(node, {}))

    async def ask(self, node, endpoint):
        if self.fails:
            raise self.fails
        self.asked.append((node, endpoint))
        return True


class Standing:
    """A membership that holds what a test says."""

    valid = True

    def __init__(self, *held, attended=("n1", "n2")):
        self.round = Round(held=frozenset(held), attended=frozenset(attended))


class Processes:
    """Processes on one store; each may hold every node."""

    def __init__(self, redis):
        self.redis, self.nodes, self.trunks = redis, Nodes(), [Trunk(T, "one", 1, auth_password="hunter2")]

    async def read(self):
        return list(self.trunks)

    def store(self, app="p1", cache=None):
        return RedisTrunkHealth(self.redis, cache or Cache(self.redis), app)

    def watch(self, app="p1", store=None, standing=None):
        return TrunkWatch(
            self.nodes, store or self.store(app), self.read, standing or Standing("n1", "n2"), present_trunk
        )

    async def trunk(self, trunk_id):
        return next((trunk for trunk in self.trunks if trunk.id == trunk_id), None)

    async def hold(self, app="p1", *nodes):
        await self.redis.hset(keys.HOLDERS, mapping=dict.fromkeys(nodes or ("n1", "n2"), app))

    async def events(self):
        rows = [fields for _, fields in await self.redis.xrange(keys.OUTBOX)]
        assert all(row[b"id"].decode() == orjson.loads(row[b"body"])["id"] for row in rows)
        assert all(row[b"type"].decode() == orjson.loads(row[b"body"])["type"] for row in rows)
        return [orjson.loads(row[b"body"]) for row in rows]

    async def told(self):
        return [event["type"].removeprefix("trunk.") for event in await self.events()]


@pytest.fixture
async def processes(redis, monkeypatch):
    monkeypatch.setattr(health, "AGAIN_MS", 0)
    made = Processes(redis)
    await made.hold()
    return made


async def goes_down(processes, watch, node="n1"):
    processes.nodes.say(node, SILENT)
    await watch.look(node)
    await asyncio.sleep(0.002)  # the next look is of another millisecond
    await watch.look(node)


def test_a_record_comes_back_as_it_was_stored():
    sighting = Sighting("a1", 5, True, 1, 4, 12.5, Registration.REJECTED)
    record = Record({"n1": sighting, "n2": Sighting("a2", 6)}, State.REACHABLE, State.UNREACHABLE, 3, "9")
    assert load(dump(record)) == record
    assert load(dump(Record())) == Record()


def test_a_record_of_another_version_is_read_as_far_as_it_is_known():
    sighting = Sighting("a1", 5, True, registration=Registration.REGISTERED)
    newer = orjson.loads(dump(Record({"n1": sighting}, State.REACHABLE, State.REACHABLE, 3)))
    newer |= {"since": 1, "told": "congested"}
    newer["sightings"]["n1"] |= {"via": "tls", "registration": "expired"}
    assert load(orjson.dumps(newer)) == Record(
        {"n1": replace(sighting, registration=None)}, State.REACHABLE, State.UNKNOWN, 3
    )
    older = {"sightings": {"n1": {"address": "a1", "at": 5}}}
    assert load(orjson.dumps(older)) == Record({"n1": Sighting("a1", 5)})


async def test_a_change_and_its_event(processes):
    watch = processes.watch()
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    [event] = await processes.events()
    assert (event["type"], event["sequence"]) == ("trunk.reachable", 1)
    data = event["data"]
    assert data["id"] == T
    assert (data["status"], data["health"]["state"], data["health"]["rtt_ms"]) == ("active", "reachable", 12.5)
    await goes_down(processes, watch)
    event = (await processes.events())[1]
    assert (event["type"], event["sequence"]) == ("trunk.unreachable", 2)
    assert (event["data"]["status"], event["data"]["health"]["rtt_ms"]) == ("unreachable", None)
    assert b"hunter2" not in b"".join(f for _, row in await processes.redis.xrange(keys.OUTBOX) for f in row.values())


async def test_at_the_first_miss_the_node_is_asked_to_ask_again_once(processes, monkeypatch):
    monkeypatch.setattr(health, "AGAIN_MS", 60_000)
    watch = processes.watch()
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    processes.nodes.say("n1", SILENT)
    for _ in range(3):
        await asyncio.sleep(0.002)
        assert await watch.look("n1") == pytest.approx(3.5)
    assert processes.nodes.asked == [("n1", T)]
    assert await processes.told() == ["reachable"]


async def test_many_that_miss_at_once_are_all_asked_again_before_they_are_down(processes, monkeypatch):
    processes.trunks = [Trunk(f"trunk_{n:026d}", f"t{n}", 1) for n in range(120)]
    watch, ids = processes.watch(), {trunk.id for trunk in processes.trunks}

    def all_say(seen):
        for trunk in processes.trunks:
            processes.nodes.say("n1", seen, trunk.id)

    all_say(HERE)
    await watch.look("n1")
    all_say(SILENT)
    for count in (50, 100, 120):
        assert await processes.told() == ["reachable"] * 120
        pause = await watch.look("n1")
        assert len({endpoint for _, endpoint in processes.nodes.asked}) == len(processes.nodes.asked) == count
        assert (pause == 0) == (count < 120)
        monkeypatch.setattr(health, "AGAIN_MS", 60_000)
    monkeypatch.setattr(health, "AGAIN_MS", 0)
    await asyncio.sleep(0.002)
    await watch.look("n1")
    assert {endpoint for _, endpoint in processes.nodes.asked} == ids
    assert await processes.told() == ["reachable"] * 120 + ["unreachable"] * 120


async def test_without_a_second_question_there_is_no_second_miss(processes):
    watch = processes.watch()
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    processes.nodes.fails = AsteriskUnavailable()
    for _ in range(3):
        await goes_down(processes, watch)
    assert await processes.told() == ["reachable"]
    processes.nodes.fails = None
    await goes_down(processes, watch)
    assert await processes.told() == ["reachable", "unreachable"]
    assert processes.nodes.asked == [("n1", T)]


async def test_one_that_a_node_has_not_asked_yet_is_asked_once_for_each_address(processes):
    watch = processes.watch()
    for seen in (UNASKED, UNASKED, replace(UNASKED, address="a2"), replace(UNASKED, address="a2")):
        processes.nodes.say("n1", seen)
        await watch.look("n1")
    assert processes.nodes.asked == [("n1", T)] * 2


async def test_of_many_that_find_a_change_at_once_one_tells(processes):
    watches = [processes.watch() for _ in range(8)]
    for seen in (HERE, SILENT, SILENT, HERE):
        processes.nodes.say("n1", seen)
        processes.nodes.say("n2", seen)
        await asyncio.sleep(0.002)
        for _ in range(3):  # one that was overtaken looks again
            await asyncio.gather(*(watch.look(node) for watch in watches for node in ("n1", "n2")))
    assert await processes.told() == ["reachable", "unreachable", "reachable"]
    assert [event["sequence"] for event in await processes.events()] == [1, 2, 3]


async def test_another_process_goes_on_where_one_died(processes):
    """The first miss was seen by one, the second by another; a third starts later and finds nothing new."""
    first, second = processes.watch("p1"), processes.watch("p2")
    processes.nodes.say("n1", HERE)
    await first.look("n1")
    processes.nodes.say("n1", SILENT)
    await first.look("n1")
    await processes.hold("p2")
    await asyncio.sleep(0.002)
    await second.look("n1")
    assert await processes.told() == ["reachable", "unreachable"]
    await processes.hold("p3")
    await processes.watch("p3").look("n1")
    assert await processes.told() == ["reachable", "unreachable"]


async def test_who_holds_the_node_no_more_writes_nothing(processes):
    watch = processes.watch("p1")
    await processes.hold("p2")
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    assert await processes.events() == []
    assert await processes.store().all() == {}
    with pytest.raises(Fenced):
        await processes.store("p1").write([Change(T, None, Record())], "n1")


async def test_a_record_that_was_overtaken_is_left_alone_and_named(processes):
    one, other = processes.store(), processes.store()
    assert await one.write([Change(T, None, Record(sequence=1)), Change("trunk_2", None, Record())]) == set()
    before = (await one.all())[T]
    assert await other.write([Change(T, before, Record(sequence=2))]) == set()
    assert await one.write([Change(T, before, Record(sequence=3)), Change("trunk_3", None, Record())]) == {T}
    stored = await processes.store().all()
    assert stored[T].record.sequence == 2
    assert set(stored) == {T, "trunk_2", "trunk_3"}


async def test_the_record_of_a_deleted_trunk_goes(processes):
    watch = processes.watch()
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    processes.trunks = []
    await watch.look("n1")
    assert await processes.store().all() == {}
    assert await processes.told() == ["reachable"]


async def test_times_alone_are_stored_at_whole_looks_only(processes):
    watch, store = processes.watch(), processes.store()
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    before = (await store.all())[T].raw
    await asyncio.sleep(0.002)
    await watch.look("n1", whole=False)
    assert (await store.all())[T].raw == before
    await watch.look("n1")
    assert (await store.all())[T].raw != before


async def test_other_processes_know_at_once_without_asking(processes, redis, until):
    cache = Cache(redis)
    listening = asyncio.create_task(cache.run())
    await until(lambda: cache.alive)
    store = Counted(redis, cache, "p9")
    book = HealthBook(store)
    reading = asyncio.create_task(book.run())
    watch = processes.watch()
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    await goes_down(processes, watch)
    await until(lambda: book.down(T), 1)
    assert book.of(processes.trunks)[T].state is State.UNREACHABLE
    before, looks = store.reads, store.looks
    await until(lambda: store.looks >= looks + 3)
    assert store.reads == before, "nothing changed, and somebody asked the store"
    processes.nodes.say("n1", HERE)
    await watch.look("n1")
    await until(lambda: not book.down(T), 1)
    for task in (listening, reading):
        task.cancel()
    await asyncio.gather(listening, reading, return_exceptions=True)


@pytest.fixture
async def book(processes):
    made = HealthBook(processes.store(), processes.trunk)
    reading = asyncio.create_task(made.run())
    yield made
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_refused_credentials_are_stored_once_and_taken_back(processes, book, until):
    for _ in range(3):
        book.called(T, refused=True)
    await until(lambda: book.of(processes.trunks)[T].refused)
    book.called(T, refused=False)
    await until(lambda: not book.of(processes.trunks)[T].refused)
    assert await processes.events() == []


async def test_a_refusal_is_of_the_credentials_and_not_of_the_name(processes, book, until):
    book.called(T, refused=True)
    await until(lambda: book.of(processes.trunks)[T].refused)
    [trunk] = processes.trunks
    processes.trunks = [replace(trunk, name="two", updated_at=now_ms() + 1)]
    assert book.of(processes.trunks)[T].refused
    for password in ("also wrong", "wrong again"):  # the next refusal is known at once
        processes.trunks = [replace(trunk, auth_password=password, updated_at=now_ms())]
        assert not book.of(processes.trunks)[T].refused
        book.called(T, refused=True)
        await until(lambda: book.of(processes.trunks)[T].refused, 2)
    assert b"wrong again" not in (await processes.store().all())[T].raw


async def test_a_trunk_that_is_gone_meanwhile_is_refused_nothing(processes, book, until):
    trunks, processes.trunks = processes.trunks, []
    book.called(T, refused=True)
    await until(lambda: not book._writing)
    assert await processes.store().all() == {}
    assert not book.of(trunks)[T].refused


async def test_a_node_that_misses_what_others_reach_is_known(processes, book, until):
    watch = processes.watch()
    for node in ("n1", "n2"):
        processes.nodes.say(node, HERE)
        await watch.look(node)
    await goes_down(processes, watch, "n2")
    await until(lambda: book.down_from(T, "n2"))
    assert (book.down_from(T, "n1"), book.down_from(T, "n3"), book.down(T)) == (False, False, False)
    await goes_down(processes, watch, "n1")
    await until(lambda: book.down(T))
    processes.nodes.say("n2", HERE)
    await watch.look("n2")
    await until(lambda: book.down_from(T, "n1") and not book.down_from(T, "n2"))


async def test_it_follows_the_nodes_that_it_holds_and_looks_when_there_is_news(processes, until):
    standing = Standing("n1")
    watch = processes.watch(standing=standing)
    running = asyncio.create_task(watch.run())
    processes.nodes.say("n1", UNASKED)
    await until(lambda: ("n1", T) in processes.nodes.asked)
    processes.nodes.say("n1", HERE)
    processes.nodes.heard("n1")

    async def told():
        return await processes.told() == ["reachable"]

    await until(told, 3)
    standing.round = Round(held=frozenset({"n2"}), attended=frozenset({"n1", "n2"}))
    processes.nodes.say("n2", UNASKED)
    await until(lambda: ("n2", T) in processes.nodes.asked)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_thousand_trunks_are_one_list_and_one_write(processes):
    processes.trunks = [Trunk(f"trunk_{n:026d}", f"t{n}", 1) for n in range(1000)]
    for trunk in processes.trunks:
        processes.nodes.say("n1", HERE, trunk.id)
    store = Counted(processes.redis, Cache(processes.redis), "p1")
    watch = processes.watch(store=store)
    await watch.look("n1")
    assert (store.reads, store.writes) == (1, 1)
    assert await processes.told() == ["reachable"] * 1000
    await watch.look("n1", whole=False)
    assert store.writes == 1


class Counted(RedisTrunkHealth):
    """Counts its questions to Redis."""

    reads = writes = looks = 0

    async def all(self):
        self.looks += 1
        return await super().all()

    async def _read(self):
        self.reads += 1
        return await super()._read()

    async def write(self, changes, node=""):
        self.writes += 1
        return await super().write(changes, node)
