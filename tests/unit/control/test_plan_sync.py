"""The plan on its way to nodes."""

from types import SimpleNamespace

import pytest

from service.control.membership import Round
from service.control.plan_sync import Plan, PlanSync, TrunkPlan
from tests.unit.ivr.menus import flow

A = flow("a", ("1", "hangup"))


class Book:
    async def all(self):
        return Plan([A])

    async def part(self, kind, resource_id):
        return Plan([A] if (kind, resource_id) == ("flow", A.id) else ())


class Nodes:
    """`comes`: whether prompts came, each time."""

    def __init__(self):
        self.done, self.comes = [], []

    async def bring(self, node, part):
        self.done.append(("bring", node, len(part.flows)))
        return self.comes.pop(0) if self.comes else False

    async def settle(self, node, plan):
        self.done.append(("settle", node, len(plan.flows)))
        return 0

    async def settle_part(self, node, kind, resource_id, part):
        self.done.append((kind, node, resource_id, len(part.flows)))
        return 0


@pytest.fixture
def nodes():
    return Nodes()


def sync_of(nodes, *names):
    membership = SimpleNamespace(valid=True, round=Round(held=frozenset(names), attended=frozenset(names)))
    return PlanSync(Book(), nodes, membership, SimpleNamespace(streams=names))


async def test_a_flow_comes_with_its_prompts_to_every_node(nodes):
    await sync_of(nodes, "node1", "node2").apply("flow", A.id)
    assert sorted(nodes.done) == [
        ("bring", "node1", 1), ("bring", "node2", 1),
        ("flow", "node1", A.id, 1), ("flow", "node2", A.id, 1),
    ]  # fmt: skip


async def test_a_flow_that_is_gone_brings_nothing(nodes):
    await sync_of(nodes, "node1").apply("flow", "ivr_gone")
    assert nodes.done == [("bring", "node1", 0), ("flow", "node1", "ivr_gone", 0)]


@pytest.mark.parametrize("kind", ["number", "trunk"])
async def test_numbers_and_trunks_have_no_prompts(nodes, kind):
    await sync_of(nodes, "node1").apply(kind, "x_1")
    assert nodes.done == [(kind, "node1", "x_1", 0)]


async def test_on_a_comparison_rows_come_before_prompts_and_flows_follow_when_theirs_came(nodes):
    nodes.comes = [True]
    await sync_of(nodes, "node1")._compare("node1")
    assert nodes.done == [("settle", "node1", 1), ("bring", "node1", 1)] * 2


async def test_a_comparison_after_which_no_prompt_came_is_over(nodes):
    await sync_of(nodes, "node1")._compare("node1")
    assert nodes.done == [("settle", "node1", 1), ("bring", "node1", 1)]


async def test_a_node_that_has_just_failed_is_brought_nothing(nodes):
    sync = sync_of(nodes, "node1")
    sync._behind["node1"] = float("inf")
    await sync._compare("node1")
    assert nodes.done == []


async def test_a_trunk_is_there_before_transfers_go_by_it():
    done = []

    class Objects:
        async def apply(self, trunk_id):
            done.append(trunk_id)

    class Transfers:
        async def apply(self, kind, trunk_id):
            done.append((kind, trunk_id))

    await TrunkPlan(objects=Objects(), plan=Transfers()).apply("trunk_a")
    assert done == ["trunk_a", ("trunk", "trunk_a")]
