"""`PlanNodes` over the nodes: rows of AstDB and prompts, compared with what they should be."""

from collections.abc import Mapping

import structlog

from service.asterisk import plan as rows_of
from service.asterisk.plan import FAMILIES, READY, Rows
from service.asterisk.prompts import NodePrompts
from service.asterisk.rows import NodeRows
from service.control.plan_sync import Plan
from service.errors import AsteriskUnavailable

log = structlog.get_logger()


class AsteriskPlans:
    """`nodes`: the rows and the prompts of each."""

    def __init__(self, nodes: Mapping[str, tuple[NodeRows, NodePrompts]]) -> None:
        self._nodes = nodes

    async def settle(self, node: str, plan: Plan) -> int:
        rows, prompts = self._node(node)
        there: Rows = {}
        for family in (family for families in FAMILIES.values() for family in families):
            there |= await rows.read(family)
        changed = await rows.change(_rows(plan, prompts, there), there)
        if changed or not await rows.read("plan", "ready"):
            await rows.change({READY: "1"}, {})
        await prompts.clear({each for flow in plan.flows for each in flow.hashes})
        return changed

    async def bring(self, node: str, part: Plan, *, look: bool) -> None:
        _, prompts = self._node(node)
        if look:
            await prompts.look()
        await prompts.bring(each for flow in part.flows for each in flow.hashes)

    async def settle_part(self, node: str, kind: str, resource_id: str, part: Plan) -> int:
        rows, prompts = self._node(node)
        there: Rows = {}
        for family in FAMILIES[kind]:
            there |= await rows.read(family, resource_id if kind == "flow" else "")
        return await rows.change(_rows(part, prompts, there), there)

    def _node(self, name: str) -> tuple[NodeRows, NodePrompts]:
        found = self._nodes.get(name)
        if found is None:
            raise AsteriskUnavailable(f"There is no node {name}.")
        return found


def _rows(plan: Plan, prompts: NodePrompts, there: Rows) -> Rows:
    made: Rows = rows_of.of_trunks(plan.trunks)
    for flow in plan.flows:
        key = f"flow/{flow.id}"
        try:
            row = rows_of.of_flow(flow) if prompts.has(flow.hashes) else {}
        except KeyError:
            log.error("a flow is as it was: no prompt was made of a text; change it to have it made", flow=flow.id)
            row = {}
        made |= row or ({key: there[key]} if key in there else {})
    for number in plan.numbers:
        made |= rows_of.of_number(number)
    return made
