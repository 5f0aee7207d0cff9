"""`PlanNodes` over the nodes: rows of AstDB and prompts, compared with what they should be."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

import structlog

from service.asterisk import plan as rows_of
from service.asterisk.plan import FAMILIES, READY, Rows
from service.asterisk.prompts import NodePrompts
from service.asterisk.rows import NodeRows
from service.control.plan_sync import Plan
from service.errors import AsteriskUnavailable
from service.numbers.number import Number

log = structlog.get_logger()


class AsteriskPlans:
    """`nodes`: the rows and the prompts of each."""

    def __init__(self, nodes: Mapping[str, tuple[NodeRows, NodePrompts]]) -> None:
        self._nodes = nodes

    async def settle(self, node: str, plan: Plan) -> int:
        rows, prompts = self._node(node)
        await prompts.look()
        there: Rows = {}
        for family in FAMILIES:
            there |= await rows.read(family)
        wanted = await asyncio.to_thread(_rows, plan, prompts.there, there)
        changed = await rows.change(wanted, there)
        if changed or not await rows.read("plan", "ready"):
            await rows.change({READY: "1"}, {})
        await prompts.clear({each for flow in plan.flows for each in flow.hashes})
        return changed

    async def bring(self, node: str, part: Plan) -> bool:
        _, prompts = self._node(node)
        return await prompts.bring(each for flow in part.flows for each in flow.hashes)

    async def settle_part(self, node: str, kind: str, resource_id: str, part: Plan) -> int:
        rows, prompts = self._node(node)
        there: Rows = {}
        if kind == "trunk":
            there = await rows.read("trunk")
        for key in _KEYS[kind](resource_id) if kind in _KEYS else ():
            there |= await rows.read(*key.split("/", 1))
        wanted = _rows(part, prompts.there, there)
        others = {k for k, value in there.items() if k.startswith("national/") and value != resource_id}
        return await rows.change(wanted, {k: value for k, value in there.items() if k in wanted or k not in others})

    def _node(self, name: str) -> tuple[NodeRows, NodePrompts]:
        found = self._nodes.get(name)
        if found is None:
            raise AsteriskUnavailable(f"There is no node {name}.")
        return found


_KEYS: dict[str, Callable[[str], Iterable[str]]] = {
    "flow": lambda flow_id: (f"flow/{flow_id}",),
    "number": lambda number: rows_of.of_number(Number("", number, 0)),
}
"""The rows of one resource; trunks depend on one another (one is the default), and are settled together."""


def _rows(plan: Plan, prompts: AbstractSet[str], there: Rows) -> Rows:
    made: Rows = rows_of.of_trunks(plan.trunks)
    for flow in plan.flows:
        key = f"flow/{flow.id}"
        try:
            row = rows_of.of_flow(flow) if prompts >= set(flow.hashes) else {}
        except KeyError:
            log.error("a flow is as it was: no prompt was made of a text; change it to have it made", flow=flow.id)
            row = {}
        made |= row or ({key: there[key]} if key in there else {})
    for number in plan.numbers:
        made |= rows_of.of_number(number)
    return made
