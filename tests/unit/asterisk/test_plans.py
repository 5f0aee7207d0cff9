"""What a node holds of the plan, compared with what it should hold."""

from dataclasses import replace

import pytest

from service.asterisk.plans import AsteriskPlans
from service.control.plan_sync import Plan
from service.errors import AsteriskUnavailable
from service.numbers.number import Number
from service.numbers.route import Route, RouteType
from service.trunks.trunk import Trunk
from tests.unit.ivr.menus import flow

NUMBER = Number("num_1", "+12025551234", 0, route=Route(RouteType.IVR, "ivr_a"))
TRUNK = Trunk("trunk_a", "A", 1, termination_uri="sip:192.0.2.9")


def made(menu):
    return replace(menu, prompts={text: f"{menu.id}{place}" for place, text in enumerate(menu.texts)})


A, B = made(flow("a", ("1", "hangup"))), made(flow("b", ("1", "hangup")))
PLAN = Plan([A, B], [NUMBER], [TRUNK])


class Rows:
    def __init__(self):
        self.rows, self.puts = {}, 0

    async def read(self, family, key=""):
        return {k: v for k, v in self.rows.items() if (k == f"{family}/{key}" if key else k.startswith(f"{family}/"))}

    async def change(self, wanted, there):
        put = {k: v for k, v in wanted.items() if there.get(k) != v}
        gone = [k for k in there if k not in wanted]
        self.rows.update(put)
        for key in gone:
            del self.rows[key]
        self.puts += len(put)
        return len(put) + len(gone)


class Prompts:
    """All come but those that are `lost`."""

    def __init__(self, *lost):
        self.there, self.lost, self.looks, self.wanted = set(), set(lost), 0, set()

    async def look(self):
        self.looks += 1

    async def bring(self, hashes):
        before = set(self.there)
        self.there |= set(hashes) - self.lost
        return self.there != before

    async def clear(self, wanted):
        self.wanted = wanted


class Node:
    def __init__(self, *lost):
        self.rows, self.prompts = Rows(), Prompts(*lost)
        self.plans = AsteriskPlans({"node1": (self.rows, self.prompts)})

    async def hold(self, plan):
        await self.plans.bring("node1", plan)
        return await self.plans.settle("node1", plan)

    @property
    def keys(self):
        return set(self.rows.rows)


NUMBERS = {"number/+12025551234", "national/1/2025551234", "national/1/12025551234"}


async def test_a_node_holds_the_plan_and_nothing_else():
    node = Node()
    node.rows.rows = {"flow/ivr_old": "x", "trunk/old": "x", "national/49/30": "x", "ledger/x": "theirs"}
    assert await node.hold(PLAN) == 9
    assert node.keys == {"flow/ivr_a", "flow/ivr_b", *NUMBERS, "trunk/trunk_a", "plan/ready", "ledger/x"}
    assert await node.hold(PLAN) == 0
    assert node.prompts.wanted == {*A.hashes, *B.hashes}


async def test_numbers_and_trunks_wait_for_no_prompt_and_flows_for_theirs():
    node = Node()
    assert await node.plans.settle("node1", PLAN) == 4
    assert node.keys == {*NUMBERS, "trunk/trunk_a", "plan/ready"}
    assert await node.plans.bring("node1", PLAN)
    assert await node.plans.settle("node1", PLAN) == 2
    assert {"flow/ivr_a", "flow/ivr_b"} < node.keys
    assert not await node.plans.bring("node1", PLAN)


async def test_a_flow_whose_prompts_the_node_has_needs_none_brought():
    node = Node()

    async def look():
        node.prompts.there = {*A.hashes}

    node.prompts.look = look
    await node.plans.settle("node1", PLAN)
    assert node.keys == {"flow/ivr_a", *NUMBERS, "trunk/trunk_a", "plan/ready"}


async def test_a_node_is_ready_though_there_is_nothing_to_hold():
    node = Node()
    assert await node.hold(Plan()) == 0
    assert node.keys == {"plan/ready"}
    puts = node.rows.puts
    await node.hold(Plan())
    assert node.rows.puts == puts


async def test_a_prompt_that_does_not_come_stops_no_number_and_no_other_flow():
    node = Node(A.greeting_hash)
    await node.hold(PLAN)
    assert node.keys == {"flow/ivr_b", *NUMBERS, "trunk/trunk_a", "plan/ready"}


async def test_a_flow_whose_new_prompts_do_not_come_is_as_it_was():
    node = Node("new")
    await node.hold(PLAN)
    before = dict(node.rows.rows)
    newer = replace(A, version=2, prompts={**A.prompts, A.greeting: "new"})
    assert await node.hold(Plan([newer, B], [NUMBER], [TRUNK])) == 0
    await node.plans.settle_part("node1", "flow", A.id, Plan([newer]))
    assert node.rows.rows == before


async def test_a_flow_without_a_prompt_of_a_sentence_of_ours_is_as_it_was_and_stops_nothing():
    """The words of this version of the service differ from those that were spoken."""
    node = Node()
    await node.hold(Plan([A]))
    row = node.rows.rows["flow/ivr_a"]
    drifted = replace(A, version=2, prompts={**A.prompts, "Sorry!": "h"})
    del drifted.prompts[A.unavailable]
    await node.hold(Plan([drifted, B], [NUMBER]))
    assert node.rows.rows["flow/ivr_a"] == row
    assert node.keys == {"flow/ivr_a", "flow/ivr_b", *NUMBERS, "plan/ready"}
    assert "h" in node.prompts.wanted


async def test_a_flow_of_its_own_reaches_a_node_and_leaves_it():
    node = Node()
    await node.hold(PLAN)
    newer = replace(A, version=2)
    await node.plans.bring("node1", Plan([newer]))
    assert await node.plans.settle_part("node1", "flow", A.id, Plan([newer])) == 1
    assert node.rows.rows["flow/ivr_a"].startswith("2|")
    assert await node.plans.settle_part("node1", "flow", A.id, Plan()) == 1
    assert node.keys == {"flow/ivr_b", *NUMBERS, "trunk/trunk_a", "plan/ready"}
    assert node.prompts.looks == 1


async def test_numbers_and_trunks_are_settled_by_themselves():
    node = Node()
    await node.hold(PLAN)
    other = replace(NUMBER, id="num_2", number="+12025559999", route=None)
    assert await node.plans.settle_part("node1", "number", other.number, Plan(numbers=[other])) == 3
    assert node.rows.rows["number/+12025559999"] == "none||"
    held = replace(other, route=Route(RouteType.HOLD))
    assert await node.plans.settle_part("node1", "number", other.number, Plan(numbers=[held])) == 1
    assert await node.plans.settle_part("node1", "number", NUMBER.number, Plan()) == 3
    assert await node.plans.settle_part("node1", "trunk", TRUNK.id, Plan()) == 1
    assert node.keys == {
        "flow/ivr_a", "flow/ivr_b", "number/+12025559999", "national/1/2025559999", "national/1/12025559999",
        "plan/ready",
    }  # fmt: skip


async def test_a_number_that_goes_takes_no_national_row_of_another_with_it():
    node = Node()
    other = replace(NUMBER, id="num_2", number="+112025551234")  # at home, it is dialled as the same digits
    await node.hold(Plan(numbers=[NUMBER, other]))
    assert await node.plans.settle_part("node1", "number", NUMBER.number, Plan()) == 1
    assert {node.rows.rows[f"national/1/{digits}"] for digits in ("2025551234", "12025551234")} == {other.number}
    assert await node.hold(Plan(numbers=[other])) == 0


async def test_a_node_that_is_not_there():
    with pytest.raises(AsteriskUnavailable):
        await Node().plans.settle("node2", PLAN)
