"""What nodes are to hold, as it is stored: flows as they are heard, numbers and trunks as they are."""

from dataclasses import asdict, replace

import pytest

from service.control.plan_sync import Plan
from service.ivr.flow import Flow, Option, Status
from service.numbers.number import Number
from service.numbers.route import Route, RouteType
from service.store.documents import Documents
from service.store.plan_book import RedisPlanBook
from service.trunks.trunk import Trunk

HEARD = Flow("ivr_a", "A", 1, greeting="Hello.", options=(Option("1", "hangup"),), status=Status.ACTIVE)
NEWER = replace(HEARD, version=2, greeting="Hi.", status=Status.PREPARING, published=HEARD.as_published())
UNHEARD = Flow("ivr_b", "B", 1, greeting="Soon.")
NUMBERS = [
    Number("num_1", "+12025551234", 0, trunk_ids=("trunk_a",), route=Route(RouteType.IVR, "ivr_a")),
    Number("num_2", "+12025550000", 0),
]
TRUNKS = [Trunk("trunk_a", "A", 1, termination_uri="sip:192.0.2.9"), Trunk("trunk_b", "B", 1, default=True)]


class Store:
    def __init__(self, redis):
        self.flows = Documents(redis, "flows", "ivr")
        self.numbers = Documents(redis, "numbers", "num", unique="number")
        self.trunks = Documents(redis, "trunks", "trunk", sole="default")
        self.book = RedisPlanBook(self.flows, self.numbers, self.trunks)

    async def fill(self):
        for collection, values in (
            (self.flows, [NEWER, UNHEARD]),
            (self.numbers, NUMBERS),
            (self.trunks, TRUNKS),
        ):
            for value in values:
                await collection.create(asdict(value))


@pytest.fixture
async def store(redis):
    return Store(redis)


async def test_an_empty_store_has_an_empty_plan(store):
    assert await store.book.all() == Plan([], [], [])


async def test_all_of_it_with_flows_as_they_are_heard(store):
    await store.fill()
    plan = await store.book.all()
    assert plan.flows == [HEARD]  # not the one that is being prepared, and not the newer version
    assert sorted(plan.numbers, key=lambda each: each.id) == NUMBERS
    assert sorted(plan.trunks, key=lambda each: each.id) == TRUNKS


@pytest.mark.parametrize(("flow_id", "flows"), [("ivr_a", [HEARD]), ("ivr_b", []), ("ivr_gone", [])])
async def test_one_flow(store, flow_id, flows):
    await store.fill()
    assert await store.book.part("flow", flow_id) == Plan(flows=flows)


@pytest.mark.parametrize(("number", "numbers"), [("+12025550000", NUMBERS[1:]), ("+12025559999", []), ("num_2", [])])
async def test_one_number(store, number, numbers):
    await store.fill()
    assert await store.book.part("number", number) == Plan(numbers=numbers)


async def test_of_trunks_a_part_is_all_of_them(store):
    await store.fill()
    trunks = await store.book.part("trunk", "trunk_a")
    assert (len(trunks.trunks), trunks.flows, trunks.numbers) == (2, (), ())


async def test_what_is_changed_and_deleted_is_seen_at_once(store):
    await store.fill()
    await store.flows.replace(asdict(replace(NEWER, published=NEWER.as_published())), asdict(NEWER))
    await store.numbers.delete(asdict(NUMBERS[1]))
    assert await store.book.part("number", NUMBERS[1].number) == Plan(numbers=[])
    plan = await store.book.all()
    assert [flow.version for flow in plan.flows] == [2]
    assert [number.id for number in plan.numbers] == ["num_1"]
