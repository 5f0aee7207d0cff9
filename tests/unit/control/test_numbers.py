"""Numbers are registered and routed, and the nodes hear of it."""

from types import SimpleNamespace

import orjson
import pytest

from service.control.numbers import NumberRegistry
from service.control.route_check import RouteCheck
from service.errors import Conflict, NotFound, ValidationFailed
from service.ivr.flow import Action, Flow, Option
from service.numbers.number import number_of
from service.numbers.route import Route, RouteType
from service.store.books import RedisNumbers, RedisTrunks
from tests.documents import FakeDocuments
from tests.fakes import FakeFlows

OURS, OTHER, THIRD = "+12025550100", "+12025550101", "+12025550102"
MENU = {"type": "ivr", "target": "ivr_1"}
URI = {"type": "sip", "target": "sip:desk@pbx.example.com"}


class Elsewhere:
    """`Destinations` that forbids one host."""

    async def fault(self, uri):
        return "another host" if "loop" in uri else None


class House:
    """A registry and what it speaks to: `told` is what the nodes were told, each with what was stored then."""

    def __init__(self):
        self.documents, self.trunks = FakeDocuments(unique="number"), FakeDocuments(unique="name", sole="default")
        self.flows, self.told = FakeFlows(Flow("ivr_1", "One", 0), Flow("ivr_2", "Two", 0)), []
        check = RouteCheck(RedisNumbers(self.documents), RedisTrunks(self.trunks), self.flows, Elsewhere())
        nodes = SimpleNamespace(apply=self.apply)
        self.numbers = NumberRegistry(self.documents, self.documents, self.trunks, check, nodes)

    async def apply(self, kind, number):
        stored = await self.documents.find(number)
        self.told.append((kind, number, stored and stored["route"]))

    async def trunk(self, trunk_id, **fields):
        await self.trunks.create({"id": trunk_id, "name": trunk_id, "created_at": 0, **fields})

    async def faults(self, named, number_id=None):
        found = await self.numbers.faults(named, number_id)
        assert all(fault.expected for fault in found)
        return [fault.field for fault in found]


@pytest.fixture
def house():
    return House()


async def test_a_number_without_a_route_has_none(house):
    made = await house.numbers.create({"number": OURS, "friendly_name": "Desk"})
    assert made == {
        "id": made["id"], "number": OURS, "friendly_name": "Desk", "trunk_id": None, "trunk_ids": [],
        "webhook_url": None, "route": None, "created_at": made["created_at"],
    }  # fmt: skip
    assert await house.numbers.get(made["id"]) == made
    assert (await house.numbers.page(None, 20)).items == [made]
    assert house.told == [("number", OURS, None)]
    with pytest.raises(Conflict):
        await house.numbers.create({"number": OURS})


async def test_a_number_of_a_version_without_routes_is_shown_as_what_it_does(house):
    await house.documents.create({"id": "num_1", "number": OURS, "created_at": 0, "trunk_id": None})
    assert (await house.numbers.get("num_1"))["route"] == {"type": "hold", "target": None}
    assert (await house.numbers.update("num_1", {"friendly_name": "Desk"}))["route"] == {"type": "hold", "target": None}
    assert (await house.numbers.update("num_1", {"route": None}))["route"] is None
    assert number_of(await house.documents.get("num_1")).route is None


async def test_a_route_is_set_changed_and_cleared_and_the_nodes_hear_of_each(house):
    made = await house.numbers.create({"number": OURS, "webhook_url": "http://x/", "route": MENU})
    for route in ({"type": "hold", "target": None}, MENU, None):
        assert await house.numbers.update(made["id"], {"route": route}) == {**made, "route": route}
    assert [route for *_, route in house.told] == [MENU, {"type": "hold", "target": None}, MENU, None]
    await house.numbers.delete(made["id"])
    assert house.told[-1] == ("number", OURS, None)
    for missing in (house.numbers.delete(made["id"]), house.numbers.update(made["id"], {}), house.numbers.get("num_x")):
        with pytest.raises(NotFound):
            await missing


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        (None, []),
        ({"type": "hold"}, []),
        (MENU, []),
        ({"type": "ivr", "target": "ivr_x"}, ["route.target"]),
        ({"type": "ivr"}, ["route.target"]),
        ({"type": "number", "target": OTHER}, []),
        ({"type": "number", "target": OURS}, ["route.target"]),
        ({"type": "number", "target": "2025550101"}, ["route.target"]),
        ({"type": "number", "target": "${SHELL(id)}"}, ["route.target"]),
        (URI, []),
        ({"type": "sip", "target": "sips:desk@pbx.example.com:5061"}, []),
        ({"type": "sip", "target": "pbx.example.com"}, ["route.target"]),
        ({"type": "sip", "target": "sip:pbx.example.com"}, ["route.target"]),
        ({"type": "sip", "target": "sip:desk@pbx.example.com&PJSIP/x"}, ["route.target"]),
        ({"type": "sip", "target": "sip:desk@loop.example.com"}, ["route.target"]),
        ({"type": "agent", "target": "agt_1"}, ["route.type"]),
        ({"type": "reject", "target": OTHER}, ["route.target"]),
    ],
)
async def test_where_a_route_may_lead(house, route, fields):
    await house.trunk("trunk_1", default=True, allow_sip_destinations=True)
    assert await house.faults({"number": OURS, "route": route}) == fields
    made = await house.numbers.create({"number": OURS})
    assert await house.faults({"route": route}, made["id"]) == fields


async def test_a_sip_uri_needs_a_trunk_that_dials_it(house):
    body = {"number": OURS, "route": URI}
    assert await house.faults(body) == ["route.target"]
    await house.trunk("trunk_1", default=True)
    await house.trunk("trunk_2", allow_sip_destinations=True)
    [fault] = await house.numbers.faults(body)
    assert fault.expected == "E.164: the trunk does not allow SIP destinations (trunk_1)"
    assert await house.faults({**body, "trunk_id": "trunk_2"}) == []
    assert await house.faults({**body, "trunk_ids": ["trunk_1", "trunk_2"]}) == []
    made = await house.numbers.create({**body, "trunk_id": "trunk_2"})
    assert await house.faults({"trunk_id": "trunk_1"}, made["id"]) == ["route.target"]
    with pytest.raises(ValidationFailed):
        await house.numbers.update(made["id"], {"trunk_id": "trunk_1"})
    assert await house.faults({"friendly_name": "Desk"}, made["id"]) == []


async def test_numbers_do_not_lead_back_to_one_another(house):
    await house.numbers.create({"number": OTHER, "route": {"type": "number", "target": THIRD}})
    await house.numbers.create({"number": THIRD, "route": {"type": "number", "target": OURS}})
    [fault] = await house.numbers.faults({"number": OURS, "route": {"type": "number", "target": OTHER}})
    assert fault.expected == f"a number that does not lead back: {OURS} → {OTHER} → {THIRD} → {OURS}"


async def test_of_two_numbers_that_come_to_lead_to_each_other_at_once_one_does_not(house):
    first = await house.numbers.create({"number": OURS})
    second = await house.numbers.create({"number": OTHER})

    async def faster():
        await house.numbers.update(second["id"], {"route": {"type": "number", "target": OURS}})

    house.documents.before_write = faster
    with pytest.raises(ValidationFailed):
        await house.numbers.update(first["id"], {"route": {"type": "number", "target": OTHER}})
    assert (await house.numbers.get(first["id"]))["route"] is None
    assert (await house.numbers.get(second["id"]))["route"]["target"] == OURS


async def test_a_number_does_not_lead_to_a_flow_that_transfers_back_to_it(house):
    options = (Option("1", Action.TRANSFER_NUMBER, OURS),)
    house.flows.flows["ivr_1"] = Flow("ivr_1", "One", 0, options=options)
    [fault] = await house.numbers.faults({"number": OURS, "route": MENU})
    assert fault.expected == f"a flow that does not lead back: {OURS} → ivr_1 → {OURS}"
    assert await house.faults({"number": OTHER, "route": MENU}) == []


async def test_every_fault_is_told_at_once(house):
    made = await house.numbers.create({"number": OURS})
    named = {"number": OTHER, "trunk_id": "trunk_x", "trunk_ids": ["trunk_y"], "route": {"type": "ivr"}}
    assert await house.faults(named, made["id"]) == ["number", "trunk_id", "trunk_ids.0", "trunk_id", "route.target"]
    assert await house.faults({"number": OURS}, made["id"]) == []


async def test_a_trunk_takes_the_place_of_trunks_and_they_of_it(house):
    await house.trunk("trunk_1")
    await house.trunk("trunk_2")
    made = await house.numbers.create({"number": OURS, "trunk_id": "trunk_1"})
    shown = await house.numbers.update(made["id"], {"trunk_ids": ["trunk_2", "trunk_1"]})
    assert (shown["trunk_id"], shown["trunk_ids"]) == (None, ["trunk_2", "trunk_1"])
    shown = await house.numbers.update(made["id"], {"trunk_id": "trunk_2"})
    assert (shown["trunk_id"], shown["trunk_ids"]) == ("trunk_2", [])


async def test_two_changes_at_once_are_both_kept(house):
    made = await house.numbers.create({"number": OURS})

    async def another():
        await house.numbers.update(made["id"], {"friendly_name": "Desk"})

    house.documents.before_write = another
    shown = await house.numbers.update(made["id"], {"route": MENU})
    assert (shown["friendly_name"], shown["route"]) == ("Desk", MENU)
    assert await house.numbers.get(made["id"]) == shown


async def test_no_number_leads_to_a_flow_that_was_deleted_at_that_moment(house):
    made = await house.numbers.create({"number": OTHER, "friendly_name": "Desk", "route": {"type": "hold"}})

    async def deleted():
        house.flows.flows.pop("ivr_1")

    house.documents.before_write = deleted
    with pytest.raises(ValidationFailed) as caught:
        await house.numbers.update(made["id"], {"route": MENU, "friendly_name": "Menu"})
    assert [fault.field for fault in caught.value.faults] == ["route.target"]
    assert await house.numbers.get(made["id"]) == made
    assert house.told[-1] == ("number", OTHER, {"type": "hold", "target": None})
    with pytest.raises(ValidationFailed):
        await house.numbers.create({"number": OURS, "route": MENU})
    assert await house.documents.find(OURS) is None
    assert house.told[-1][2] is None


async def test_what_another_request_changed_meanwhile_is_not_undone_with_the_route(house):
    made = await house.numbers.create({"number": OURS, "route": {"type": "ivr", "target": "ivr_2"}})
    flows = house.flows.by_id

    async def gone_after_the_write(flow_id):
        stored = await house.documents.get(made["id"])
        if stored["route"] == MENU:
            house.documents.rows[made["id"]] = orjson.dumps({**stored, "friendly_name": "Desk"})
            return None
        return await flows(flow_id)

    house.flows.by_id = gone_after_the_write
    with pytest.raises(ValidationFailed):
        await house.numbers.update(made["id"], {"route": MENU})
    shown = await house.numbers.get(made["id"])
    assert (shown["friendly_name"], shown["route"]["target"]) == ("Desk", "ivr_2")


async def test_the_numbers_that_lead_to_a_flow(house):
    for number, route in ((OURS, MENU), (OTHER, {"type": "hold"}), (THIRD, MENU)):
        await house.numbers.create({"number": number, "route": route})
    assert await house.numbers.routed_to("ivr", "ivr_1") == [OURS, THIRD]
    assert await house.numbers.routed_to("ivr", "ivr_2") == []


async def test_what_was_made_of_a_seed_is_not_made_again(house):
    seed = "0" * 26
    made = [await house.numbers.create({"number": OURS, "route": MENU}, seed) for _ in range(2)]
    assert made[0] == made[1]
    assert number_of(await house.documents.get(made[0]["id"])).route == Route(RouteType.IVR, "ivr_1")
