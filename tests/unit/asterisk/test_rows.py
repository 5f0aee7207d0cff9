"""Rows of AstDB over AMI: put where they differ, deleted where they are not wanted."""

import asyncio

import pytest

from service.asterisk.plan import LONGEST
from service.asterisk.rows import AT_ONCE, NodeRows
from service.errors import AsteriskUnavailable


class Ami:
    """An AstDB that answers as Asterisk does: a tree is found by LIKE, with all that begins so."""

    def __init__(self, rows=()):
        self.rows, self.done, self.response = dict(rows), [], "Success"
        self.under_way = self.most = 0

    async def action(self, name, Family, Key="", Val=""):  # noqa: N803
        if name == "DBGetTree":
            found = [k for k in self.rows if f"/{k}".startswith(f"/{Family}/{Key}")]
            return [{"Response": "Success"}, *({"Key": f"/{k}", "Val": self.rows[k]} for k in found)]
        self.done.append((name, f"{Family}/{Key}"))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if name == "DBPut" and self.response == "Success":
            self.rows[f"{Family}/{Key}"] = Val
        elif name == "DBDel":
            self.rows.pop(f"{Family}/{Key}", None)
        return [{"Response": self.response}]


async def test_a_family_and_one_of_it():
    node = NodeRows(Ami({"flow/ivr_1": "a", "flow/ivr_10": "b", "flow/ivr_2": "c"}))
    assert await node.read("flow") == {"flow/ivr_1": "a", "flow/ivr_10": "b", "flow/ivr_2": "c"}
    assert await node.read("flow", "ivr_1") == {"flow/ivr_1": "a"}
    assert await node.read("number") == {}


async def test_what_is_missing_or_different_is_put_and_what_is_not_wanted_deleted():
    ami = Ami({"trunk/a": "1", "trunk/b": "2", "national/49/30": "+4930"})
    node = NodeRows(ami)
    wanted = {"trunk/a": "1", "trunk/b": "3", "trunk/c": "4"}
    assert await node.change(wanted, dict(ami.rows)) == 3
    assert ami.rows == wanted
    assert sorted(ami.done) == [("DBDel", "national/49/30"), ("DBPut", "trunk/b"), ("DBPut", "trunk/c")]
    assert await node.change(wanted, dict(ami.rows)) == 0


async def test_a_row_that_is_too_long_stays_as_it_is_and_is_not_tried_for_ever():
    ami = Ami({"flow/a": "old"})
    long = "é" * (LONGEST // 2) + "x"
    assert await NodeRows(ami).change({"flow/a": long, "flow/b": long[:-1]}, dict(ami.rows)) == 1
    assert ami.rows == {"flow/a": "old", "flow/b": long[:-1]}


async def test_a_node_that_cannot_write_is_unavailable():
    ami = Ami()
    ami.response = "Error"
    with pytest.raises(AsteriskUnavailable):
        await NodeRows(ami).change({"flow/a": "1"}, {})


async def test_many_rows_are_on_their_way_at_once_but_not_all():
    ami = Ami()
    wanted = {f"number/+{n}": "none||" for n in range(3 * AT_ONCE + 1)}
    assert await NodeRows(ami).change(wanted, {}) == len(wanted)
    assert ami.rows == wanted
    assert 1 < ami.most <= AT_ONCE
