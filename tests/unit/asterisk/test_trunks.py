"""What a node holds is settled object by object."""

import asyncio

import pytest

from service.asterisk.ari import AriRefused
from service.asterisk.trunks import AsteriskTrunks
from service.control.trunk_sync import Origin
from service.errors import AsteriskUnavailable
from service.trunks.trunk import Trunk

TRUNKS = [Trunk(f"trunk_{n:026d}", f"t{n}", 1, termination_uri="sip:192.0.2.9") for n in range(30)]
ORIGINS = {trunk.id: Origin() for trunk in TRUNKS}
NONE = frozenset()


class Node:
    """The pushed objects of a node. `fault` says what an object meets."""

    def __init__(self, fault=lambda kind, object_id: None):
        self.there, self.fault, self.put_at_all = {}, fault, []

    async def rows(self, trunk_id=""):
        return dict(self.there)

    async def put(self, made):
        self.put_at_all.append(made.key)
        await asyncio.sleep(0)
        if fault := self.fault(*made.key):
            raise fault
        self.there[made.key] = made.fields

    async def delete(self, kind, object_id):
        self.there.pop((kind, object_id), None)

    async def look(self, trunk_id, *, register):
        pass


def settle(node, trunks):
    return AsteriskTrunks({"node1": node}, 30).settle("node1", trunks, ORIGINS, NONE)


@pytest.mark.parametrize("fault", [AriRefused(400, "no"), ValueError("too long")])
async def test_one_object_that_is_not_taken_stands_in_the_way_of_no_other(fault):
    bad = TRUNKS[0].id
    node = Node(lambda kind, object_id: fault if object_id == bad else None)
    node.there["identify", "trunk_gone-1"] = {}
    taken = await settle(node, TRUNKS)
    assert {key[1] for key in node.there if key[0] == "endpoint"} == {trunk.id for trunk in TRUNKS[1:]}
    assert ("identify", "trunk_gone-1") not in node.there
    assert taken == 2 * len(TRUNKS) - 1 + 1
    assert await settle(node, TRUNKS) == 0  # and it is not tried for ever in one go


async def test_nothing_goes_on_behind_the_back_of_one_who_gave_up():
    node = Node(lambda kind, object_id: AsteriskUnavailable() if object_id.startswith(TRUNKS[3].id) else None)
    with pytest.raises(AsteriskUnavailable):
        await settle(node, TRUNKS)
    count = len(node.put_at_all)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(node.put_at_all) == count < len(TRUNKS)
