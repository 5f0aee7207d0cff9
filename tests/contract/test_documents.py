"""Small collections on the real Redis."""

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest

from service.calls.ids import mint
from service.control.numbers import NumberRegistry
from service.control.route_check import RouteCheck
from service.control.webhooks import WebhookRegistry
from service.errors import Conflict, InvalidCursor, ValidationFailed
from service.ivr.flow import Flow
from service.store.books import RedisNumbers, RedisTrunks
from service.store.documents import Documents
from tests.fakes import FakeFlows


@pytest.fixture
def numbers(redis):
    return Documents(redis, "numbers", "num", unique="number")


def a_number(number, at=None):
    return {"id": mint("num", at), "number": number}


async def test_what_was_created_is_found(numbers):
    made = a_number("+1")
    await numbers.create(made)
    assert await numbers.get(made["id"]) == await numbers.find("+1") == made


async def test_of_two_at_once_one_wins(numbers):
    results = await asyncio.gather(*(numbers.create(a_number("+1")) for _ in range(20)), return_exceptions=True)
    assert sum(r is None for r in results) == 1
    assert sum(isinstance(r, Conflict) for r in results) == 19
    assert (await numbers.page(None, 10)).total == 1


async def test_a_value_is_free_after_a_delete_and_after_a_change(numbers):
    made = a_number("+1")
    await numbers.create(made)
    changed = {**made, "number": "+2"}
    assert await numbers.replace(changed, made)
    assert await numbers.find("+1") is None
    await numbers.create(a_number("+1"))
    assert await numbers.delete(changed)
    assert not await numbers.delete(changed)
    assert not await numbers.replace(changed, changed)
    await numbers.create(a_number("+2"))


async def test_of_many_deletes_one_counts_and_a_late_one_harms_nobody(numbers):
    made, later = a_number("+1"), a_number("+1")
    await numbers.create(made)
    assert sum(await asyncio.gather(*(numbers.delete(made) for _ in range(20)))) == 1
    await numbers.create(later)
    assert not await numbers.delete(made)
    assert await numbers.find("+1") == later


async def test_a_value_that_changed_before_a_delete_is_free_after_it(numbers):
    made = a_number("+1")
    await numbers.create(made)
    assert await numbers.replace({**made, "number": "+2"}, made)
    assert await numbers.delete(made)
    assert await numbers.find("+2") is None
    await numbers.create(a_number("+2"))


@pytest.fixture
def trunks(redis):
    return Documents(redis, "trunks", "trunk", unique="name", sole="default")


def a_trunk(name, default):
    return {"id": mint("trunk"), "name": name, "default": default, "country": None}


async def test_a_taken_value_is_told_with_its_field(trunks):
    await trunks.create(a_trunk("a", False))
    with pytest.raises(Conflict) as caught:
        await trunks.create(a_trunk("a", False))
    assert [(fault.field, fault.value) for fault in caught.value.faults] == [("name", "a")]


async def test_who_gets_the_sole_flag_takes_it_from_the_others(trunks):
    one, two = a_trunk("one", True), a_trunk(',"default":true\\', True)
    await trunks.create(one)
    assert await trunks.flagged("default") == one
    await trunks.create(two)
    assert await trunks.all() == [{**one, "default": False}, two]
    assert not await trunks.replace({**one, "country": "US"}, one)
    assert await trunks.replace(one, {**one, "default": False})
    assert await trunks.flagged("default") == one
    assert await trunks.get(two["id"]) == {**two, "default": False}
    assert await trunks.delete(one)
    assert await trunks.flagged("default") is None


async def test_of_many_that_take_the_sole_flag_at_once_one_has_it(trunks):
    made = [a_trunk(str(n), False) for n in range(8)]
    for each in made:
        await trunks.create(each)

    async def take(document):
        while not await trunks.replace({**document, "default": True}, document):
            document = await trunks.get(document["id"])

    await asyncio.gather(*(take(each) for each in made for _ in range(5)))
    assert [each["default"] for each in await trunks.all()].count(True) == 1


async def test_those_that_name_something(numbers):
    made = [{**a_number(f"+{n}", at=n), "webhook_url": url} for n, url in enumerate(["x", 'say "ivr_1"', "ivr_1"])]
    for number in made:
        await numbers.create(number)
    assert await numbers.naming("ivr_1") == made[1:]
    assert await numbers.naming('"ivr_1"') == made[1:2]
    assert await numbers.naming("ivr_2") == []


async def test_pages(numbers):
    made = [a_number(f"+{n}", at=n) for n in range(5)]
    for number in made:
        await numbers.create(number)
    first = await numbers.page(None, 3)
    second = await numbers.page(first.cursor, 3)
    assert [*first.items, *second.items] == made[::-1]
    assert (first.total, second.cursor) == (5, None)
    with pytest.raises(InvalidCursor):
        await numbers.page("cur_x", 3)


def registry(redis, *flows):
    documents, trunks = Documents(redis, "numbers", "num", unique="number"), Documents(redis, "trunks", "trunk")
    check = RouteCheck(RedisNumbers(documents), RedisTrunks(trunks), FakeFlows(*flows), None)
    return NumberRegistry(documents, documents, trunks, check, SimpleNamespace(apply=AsyncMock()))


async def test_a_repeated_request_finds_what_the_first_one_made(redis):
    numbers = registry(redis)
    webhooks = WebhookRegistry(Documents(redis, "webhooks", "wh"), courier=None)
    seed = mint("call")
    made = [await numbers.create({"number": "+12025550100"}, seed) for _ in range(2)]
    assert made[0] == made[1]
    made = [await webhooks.create("http://x/", ["*"], None, seed) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0]["signing_secret"]
    assert (await webhooks.page(None, 10)).total == 1


async def test_a_numbers_route_is_stored_and_found_by_its_target(redis):
    numbers = registry(redis, Flow("ivr_1", "Menu", 0))
    menu = {"type": "ivr", "target": "ivr_1"}
    made = await numbers.create({"number": "+12025550100", "route": menu})
    assert (await numbers.get(made["id"]))["route"] == menu
    assert await numbers.routed_to("ivr", "ivr_1") == ["+12025550100"]
    await asyncio.gather(
        numbers.update(made["id"], {"route": {"type": "hold"}}), numbers.update(made["id"], {"friendly_name": "Desk"})
    )
    shown = await numbers.get(made["id"])
    assert (shown["route"], shown["friendly_name"]) == ({"type": "hold", "target": None}, "Desk")
    assert await numbers.routed_to("ivr", "ivr_1") == []


async def test_a_number_is_undone_where_its_flow_went_at_that_moment(redis):
    flow = Flow("ivr_1", "Menu", 0)
    flows, numbers = SimpleNamespace(by_id=AsyncMock(return_value=flow)), registry(redis, flow)
    made = await numbers.create({"number": "+12025550100", "route": {"type": "hold"}})
    numbers._check._flows = flows
    flows.by_id.side_effect = [flow, None]
    with pytest.raises(ValidationFailed):
        await numbers.update(made["id"], {"route": {"type": "ivr", "target": "ivr_1"}})
    assert await numbers.get(made["id"]) == made
    flows.by_id.side_effect = [None]
    with pytest.raises(ValidationFailed):
        await numbers.create({"number": "+12025550101", "route": {"type": "ivr", "target": "ivr_1"}})
    assert (await numbers.page(None, 10)).items == [made]
