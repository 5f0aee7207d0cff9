"""Flows, on a store in memory and on the real ones: several processes write, one version reaches the callers."""

import asyncio

import pytest

from service.control import prompt_keeper
from service.errors import InUse, NotFound, ValidationFailed
from service.ivr.flow import flow_of
from service.store.documents import Documents
from tests.documents import FakeDocuments
from tests.unit.control.flows import GOOD, MENU, House, leading_to


@pytest.fixture(params=["memory", "redis"])
def stores(request):
    """Makes what a process has of flows, and of orders."""
    if request.param == "memory":
        flows, orders = FakeDocuments(), FakeDocuments()
        return lambda: (flows, orders)
    redis = request.getfixturevalue("redis")
    return lambda: (Documents(redis, "flows", "ivr"), Documents(redis, "flow_orders", "ivr"))


@pytest.fixture
def house(stores):
    return House(*stores())


async def test_from_saved_to_heard(house, until):
    flow_id = await house.make(greeting="${SHELL(id)} ¿Qué tal? 你好")
    stored = await house.documents.get(flow_id)
    assert flow_of(stored).live.prompts == flow_of(stored).prompts
    assert flow_of(stored).live.greeting == "${SHELL(id)} ¿Qué tal? 你好"
    await until(lambda: none_left(house))


async def none_left(house):
    return not await house.orders.all()


async def test_many_processes_change_one_flow(stores, until):
    houses = [House(*stores()) for _ in range(4)]
    flow_id = await houses[0].make()
    await asyncio.gather(
        *(houses[n % 4].flows.update(flow_id, {"timeout_seconds": 11 + n, "name": f"Name {n}"}) for n in range(12))
    )
    found = await houses[0].active(flow_id)
    assert (found["version"], found["live_version"]) == (13, 13)
    assert found["name"] == f"Name {found['timeout_seconds'] - 11}"


async def test_another_process_ends_what_one_began(stores, monkeypatch, until):
    first, second = House(*stores()), House(*stores())
    monkeypatch.setattr(prompt_keeper, "HELD_MS", 50)
    monkeypatch.setattr(prompt_keeper, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(first.keeper, "begin", lambda flow_id, version: None)  # it dies
    made = await first.flows.create(GOOD)
    running = asyncio.create_task(second.keeper.run())
    assert (await second.active(made["id"]))["live_version"] == 1
    await until(lambda: none_left(second))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_flow_that_others_lead_to_stays(house):
    flow_id = await house.make()
    front = await house.make(**leading_to(flow_id))
    with pytest.raises(InUse):
        await house.flows.delete(flow_id)
    await house.flows.delete(front)
    await house.flows.delete(flow_id)
    assert (await house.flows.page(None, 10)).total == 0


async def test_of_a_delete_and_a_flow_that_comes_to_lead_there_one_wins(stores):
    for _ in range(10):
        first, second = House(*stores()), House(*stores())
        target, front = await first.make(), await first.make()
        await asyncio.gather(
            first.flows.delete(target),
            second.flows.update(front, {"menu": leading_to(target)["menu"]}),
            return_exceptions=True,
        )
        leads = flow_of(await first.documents.get(front)).leads_to
        assert not leads or await first.documents.get(target)


async def test_two_that_come_to_lead_to_each_other_at_once(stores):
    for _ in range(10):
        first, second = House(*stores()), House(*stores())
        one, other = await first.make(), await first.make()
        await asyncio.gather(
            first.flows.update(one, {"menu": leading_to(other)["menu"]}),
            second.flows.update(other, {"menu": leading_to(one)["menu"]}),
            return_exceptions=True,
        )
        both = [flow_of(await first.documents.get(each)) for each in (one, other)]
        assert not all(each.leads_to for each in both)


async def test_no_flow(house):
    for ask in (
        house.flows.get("ivr_1"),
        house.flows.delete("ivr_1"),
        house.flows.update("ivr_1", {"menu": MENU}),
        house.flows.faults({}, "ivr_1"),
    ):
        with pytest.raises(NotFound):
            await ask
    with pytest.raises(ValidationFailed):
        await house.flows.create(leading_to("ivr_1"))
