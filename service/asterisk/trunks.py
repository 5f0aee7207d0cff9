"""`TrunkNodes` over the nodes: what each holds is compared with what it should hold; only the difference is sent."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import structlog

from service.asterisk import metrics
from service.asterisk.ari import AriRefused
from service.asterisk.pjsip import PjsipObject, differences, login, objects, owner
from service.asterisk.push import Pushed, Rows
from service.control.trunk_sync import Origins
from service.errors import AsteriskUnavailable
from service.trunks.trunk import Trunk

log = structlog.get_logger()

AT_ONCE = 8  # requests to one node


class AsteriskTrunks:
    """`qualify` is the pause between two OPTIONS to a trunk, seconds."""

    def __init__(self, nodes: Mapping[str, Pushed], qualify: int) -> None:
        self._nodes, self._qualify = nodes, qualify

    async def settle(self, node: str, trunks: Sequence[Trunk], origins: Origins, registers: frozenset[str]) -> int:
        return await self._settle(node, trunks, origins, registers, await self._pushed(node).rows())

    async def settle_one(
        self, node: str, trunk_id: str, trunk: Trunk | None, origins: Origins, registers: frozenset[str]
    ) -> int:
        pushed = self._pushed(node)
        rows = {key: row for key, row in (await pushed.rows(trunk_id)).items() if owner(key[1]) == trunk_id}
        changed = await self._settle(node, [trunk] if trunk else [], origins, registers, rows)
        if changed and trunk is not None and trunk.enabled:
            # One whose login was refused has stopped to register.
            refused = ("registration", trunk_id) in rows and rows.get(("auth", trunk_id)) != login(trunk).fields
            await pushed.look(trunk_id, register=refused and trunk_id in registers)
        return changed

    async def _settle(
        self, node: str, trunks: Iterable[Trunk], origins: Origins, registers: frozenset[str], rows: Rows
    ) -> int:
        wanted: list[PjsipObject] = []
        unsure = set()
        for trunk in trunks:
            origin = origins[trunk.id]
            if not origin.complete and trunk.enabled:
                unsure.add(trunk.id)
            wanted += objects(trunk, origin.addresses, self._qualify, trunk.id in registers)
        put, gone = differences(wanted, rows)
        gone = [key for key in gone if key[0] != "identify" or owner(key[1]) not in unsure]
        pushed, taken = self._pushed(node), 0
        for _, made in groupby(put, key=lambda each: each.kind):
            taken += await _side_by_side([partial(pushed.put, each) for each in made], node)
        for _, keys in groupby(gone, key=lambda key: key[0]):
            taken += await _side_by_side([partial(pushed.delete, *key) for key in keys], node)
        return taken

    def _pushed(self, node: str) -> Pushed:
        pushed = self._nodes.get(node)
        if pushed is None:
            raise AsteriskUnavailable(f"There is no node {node}.")
        return pushed


async def _side_by_side(work: Iterable[Callable[[], Coroutine[Any, Any, None]]], node: str) -> int:
    """Does all, and returns how much of it the node took. One object that it does not take stands in the way of no
    other; where it is away, what is under way is given up, so that nothing old reaches it later.

    Raises `AsteriskUnavailable`.
    """
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(each: Callable[[], Coroutine[Any, Any, None]]) -> int:
        async with turns:
            try:
                await each()
            except AriRefused as refusal:
                metrics.REFUSED.labels("push", refusal.status).inc()
                log.error("a trunk's object was refused", node=node, why=str(refusal)[:200])
                return 0
            except ValueError as error:
                log.error("a trunk's object cannot be pushed", node=node, why=str(error)[:200])
                return 0
        return 1

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each)) for each in work]
    except* AsteriskUnavailable as away:
        raise AsteriskUnavailable from away
    return sum(task.result() for task in tasks)
