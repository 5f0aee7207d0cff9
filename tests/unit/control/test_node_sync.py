"""How nodes are settled, whatever it is that they hold. More of it is in test_trunk_sync.py."""

import asyncio
from types import SimpleNamespace

import pytest

from service.control import node_sync
from service.control.membership import Round
from service.control.node_sync import NodeSync
from service.errors import AsteriskUnavailable


class Sync(NodeSync):
    """Notes what is done. `gates`: what waits for an event; `changes`: how much each settling still has to change;
    `completes`: whether more can be settled after each completion."""

    what = "test"

    def __init__(self):
        found = Round(held=frozenset({"node1"}), attended=frozenset({"node1"}))
        super().__init__(SimpleNamespace(valid=True, round=found), SimpleNamespace(streams=("node1",)))
        self.done, self.gates, self.changes, self.completes, self.fails = [], {}, [], [], set()

    async def _do(self, what):
        self.done.append(what)
        if what in self.fails:
            raise AsteriskUnavailable
        if what in self.gates:
            await self.gates[what].wait()

    async def _prepare_one(self, node, key):
        await self._do(f"prepare {key}")

    async def _complete_all(self, node):
        await self._do("complete all")
        return self.completes.pop(0) if self.completes else False

    async def _settle_one(self, node, key):
        await self._do(f"settle {key}")
        return self.changes.pop(0) if self.changes else 0

    async def _settle_all(self, node):
        await self._do("settle all")
        return self.changes.pop(0) if self.changes else 0

    async def apply(self, key):
        async with asyncio.timeout(5):
            await self._everywhere(key)

    def hold_up(self, what):
        self.gates[what] = asyncio.Event()
        return self.gates[what]


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(node_sync, "LOOK_SECONDS", 0.001)


@pytest.fixture
def sync():
    return Sync()


async def seen(sync, what):
    async with asyncio.timeout(5):
        while what not in sync.done:  # noqa: ASYNC110 (it is another task's work)
            await asyncio.sleep(0.001)


async def test_what_is_prepared_for_long_holds_up_nothing_else(sync):
    gate = sync.hold_up("prepare a")
    long = asyncio.create_task(sync.apply("a"))
    await seen(sync, "prepare a")
    await sync.apply("b")
    assert sync.done == ["prepare a", "prepare b", "settle b"]
    gate.set()
    await long
    assert sync.done[-1] == "settle a"


async def test_a_comparison_that_completes_for_long_holds_up_nothing_either(sync):
    gate = sync.hold_up("complete all")
    sync.completes = [True]
    running = asyncio.create_task(sync.run())
    await seen(sync, "complete all")
    await sync.apply("a")
    assert sync.done == ["settle all", "complete all", "prepare a", "settle a"]
    gate.set()
    async with asyncio.timeout(5):
        while sync.done.count("complete all") < 2:  # noqa: ASYNC110 (it is another task's work)
            await asyncio.sleep(0.001)
    assert sync.done[4:] == ["settle all", "complete all"]
    running.cancel()


async def test_a_comparison_ends_when_nothing_was_changed_and_no_more_can_be(sync):
    sync.changes, sync.completes = [3, 0, 0], [False, True, False]
    await sync._compare("node1")
    assert sync.done == ["settle all", "complete all"] * 3
    sync.done.clear()
    sync.completes = [True] * 100
    await sync._compare("node1")
    assert sync.done == ["settle all", "complete all"] * node_sync.ROUNDS


async def test_only_what_settling_takes_puts_off_the_next_comparison(sync, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(node_sync.time, "monotonic", lambda: now)

    async def takes(seconds, answer):
        nonlocal now
        now += seconds
        return answer

    sync._settle_all, sync._complete_all = lambda node: takes(1, 0), lambda node: takes(60, False)
    sync._due["node1"] = now + node_sync.COMPARE_SECONDS
    await sync._compare("node1")
    assert sync._due["node1"] == now + node_sync.SHARE


async def test_of_two_that_settle_one_waits_for_the_other(sync):
    gate = sync.hold_up("settle a")
    first = asyncio.create_task(sync.apply("a"))
    await seen(sync, "settle a")
    second = asyncio.create_task(sync.apply("b"))
    await seen(sync, "prepare b")
    assert "settle b" not in sync.done
    gate.set()
    await asyncio.gather(first, second)
    assert sync.done[-1] == "settle b"


async def test_it_is_looked_again_until_nothing_differs_but_not_for_ever(sync):
    sync.changes = [2, 1, 0]
    await sync.apply("a")
    assert sync.done == ["prepare a", "settle a"] * 3
    sync.changes = [1] * 100
    await sync.apply("b")
    assert sync.done.count("settle b") == node_sync.ROUNDS


async def test_what_cannot_be_prepared_is_not_settled(sync):
    sync.fails.add("prepare a")
    await sync.apply("a")
    assert sync.done == ["prepare a"]


async def test_a_node_that_failed_hears_nothing_until_it_is_connected_again(sync):
    sync.fails.add("settle a")
    await sync.apply("a")
    await sync.apply("b")
    assert sync.done == ["prepare a", "settle a"]
    await sync.connected("node1")
    await sync.apply("b")
    assert sync.done[2:] == ["prepare b", "settle b"]


async def test_a_fault_of_ours_is_not_taken_for_a_nodes(sync):
    async def broken(node, key):
        raise KeyError

    sync._prepare_one = broken
    await sync.apply("a")
    del sync._prepare_one
    await sync.apply("b")
    assert sync.done == ["prepare b", "settle b"]
