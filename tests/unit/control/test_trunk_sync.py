"""What nodes hold follows the store."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from service.control import node_sync
from service.control.membership import Round
from service.control.trunk_sync import Origin, TrunkSync, home
from service.errors import AsteriskUnavailable
from service.trunks.trunk import Trunk

TRUNK = Trunk("trunk_01J00000000000000000000000", "Carrier", 1, termination_uri="sip:192.0.2.9")


class Store:
    def __init__(self, *trunks):
        self.trunks = {each.id: each for each in trunks}

    async def all(self):
        return list(self.trunks.values())

    async def by_id(self, trunk_id):
        return self.trunks.get(trunk_id)


class Nodes:
    """Nodes that hold trunks. `meanwhile` runs between the read of the store and the push."""

    def __init__(self, *names):
        self.held = {name: {} for name in names}
        self.registered = {}
        self.away = set()
        self.meanwhile = []

    async def settle(self, node, trunks, origins, registers):
        await self._reach(node)
        self.registered[node] = registers
        return self._hold(node, {each.id: each for each in trunks}, set(self.held[node]))

    async def settle_one(self, node, trunk_id, trunk, origins, registers):
        await self._reach(node)
        self.registered[node] = registers
        return self._hold(node, {trunk_id: trunk} if trunk else {}, {trunk_id})

    async def _reach(self, node):
        await asyncio.sleep(0)
        if self.meanwhile:
            self.meanwhile.pop()()
        if node in self.away:
            raise AsteriskUnavailable

    def _hold(self, node, wanted, judged):
        held = self.held[node]
        changes = {i for i in judged | wanted.keys() if held.get(i) != wanted.get(i)}
        for each in changes:
            held.pop(each, None)
            if each in wanted:
                held[each] = wanted[each]
        return len(changes)


class Origins:
    async def of(self, trunks):
        return {each.id: Origin(("192.0.2.1",)) for each in trunks}


def sync_of(store, nodes, held=("node1", "node2")):
    found = Round(held=frozenset(held), attended=frozenset(nodes.held))
    membership = SimpleNamespace(valid=True, round=found)
    lines = SimpleNamespace(streams=tuple(nodes.held))
    return TrunkSync(store, nodes, Origins(), membership, lines)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(node_sync, "LOOK_SECONDS", 0.001)


async def running(sync, until):
    task = asyncio.create_task(sync.run())
    async with asyncio.timeout(5):
        while not until():  # noqa: ASYNC110 (it is another task's work)
            await asyncio.sleep(0.001)
    task.cancel()


async def test_a_new_trunk_reaches_every_node():
    nodes = Nodes("node1", "node2")
    await sync_of(Store(TRUNK), nodes).apply(TRUNK.id)
    assert nodes.held == {"node1": {TRUNK.id: TRUNK}, "node2": {TRUNK.id: TRUNK}}


async def test_a_deleted_trunk_leaves_every_node_and_the_others_stay():
    other = replace(TRUNK, id="trunk_01J00000000000000000000001")
    nodes = Nodes("node1")
    nodes.held["node1"] = {TRUNK.id: TRUNK, other.id: other}
    await sync_of(Store(other), nodes).apply(TRUNK.id)
    assert nodes.held["node1"] == {other.id: other}


async def test_a_node_that_is_away_hides_the_trunk_from_no_other():
    nodes = Nodes("node1", "node2")
    nodes.away.add("node1")
    await sync_of(Store(TRUNK), nodes).apply(TRUNK.id)
    assert nodes.held["node2"] == {TRUNK.id: TRUNK}


async def test_a_trunk_that_changes_during_the_push_is_pushed_again():
    store, nodes, newer = Store(TRUNK), Nodes("node1"), replace(TRUNK, name="newer")
    nodes.meanwhile.append(lambda: store.trunks.update({TRUNK.id: newer}))
    await sync_of(store, nodes).apply(TRUNK.id)
    assert nodes.held["node1"] == {TRUNK.id: newer}


async def test_a_node_that_comes_back_empty_is_filled():
    nodes = Nodes("node1")
    sync = sync_of(Store(TRUNK), nodes)
    await running(sync, lambda: nodes.held["node1"])
    nodes.held["node1"].clear()
    await sync.connected("node1")
    await running(sync, lambda: nodes.held["node1"] == {TRUNK.id: TRUNK})


async def test_only_the_holder_of_a_node_compares_with_it():
    nodes = Nodes("node1", "node2")
    await running(sync_of(Store(TRUNK), nodes, held=("node2",)), lambda: nodes.held["node2"])
    assert not nodes.held["node1"]


async def test_a_node_that_hangs_keeps_a_request_only_for_a_while(monkeypatch):
    """Not even many of them, one behind the other."""
    monkeypatch.setattr(node_sync, "PATIENCE_SECONDS", 0.05)
    nodes = Nodes("node1", "node2")
    asleep = asyncio.Event()
    reach = nodes._reach

    async def hang(node):
        if node == "node1":
            await asleep.wait()
        await reach(node)

    nodes._reach = hang
    sync = sync_of(Store(TRUNK), nodes)
    async with asyncio.timeout(3):
        await asyncio.gather(*(sync.apply(TRUNK.id) for _ in range(20)))
    assert nodes.held["node2"] == {TRUNK.id: TRUNK}
    asleep.set()
    async with asyncio.timeout(3):
        while not nodes.held["node1"]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_node_that_failed_is_compared_soon_and_hears_nothing_until_then(monkeypatch):
    monkeypatch.setattr(node_sync, "AGAIN_SECONDS", 0.05)
    nodes = Nodes("node1")
    nodes.away.add("node1")
    sync = sync_of(Store(TRUNK), nodes)
    await sync.apply(TRUNK.id)
    nodes.away.clear()
    await sync.apply(TRUNK.id)
    assert not nodes.held["node1"]
    await running(sync, lambda: nodes.held["node1"] == {TRUNK.id: TRUNK})


async def test_one_node_registers_a_trunk():
    nodes = Nodes("node1", "node2")
    trunk = replace(TRUNK, register=True)
    await sync_of(Store(trunk), nodes).apply(trunk.id)
    assert sorted(map(len, nodes.registered.values())) == [0, 1]


def test_a_registration_moves_only_when_its_node_goes():
    trunks = [f"trunk_{n}" for n in range(200)]
    three = {each: home(each, ["a", "b", "c"]) for each in trunks}
    two = {each: home(each, ["a", "b"]) for each in trunks}
    assert all(two[each] == three[each] for each in trunks if three[each] != "c")
    assert set(three.values()) == {"a", "b", "c"}
