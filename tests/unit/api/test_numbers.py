"""What the API takes for a number and its route, and what it tells of a fault."""

from types import SimpleNamespace

import pytest

from service.api.body import check_body
from service.api.number_schemas import CreateNumber, RoutingBody, UpdateNumber
from service.api.numbers import check_routing, route
from service.errors import Fault, ValidationFailed

OURS = "+12025550100"


async def allowed(_):
    return None


async def at_fault(model, value):
    with pytest.raises(ValidationFailed) as caught:
        await check_body(model, value, allowed)
    assert all(fault.expected for fault in caught.value.faults)
    return sorted({(fault.field, fault.code) for fault in caught.value.faults})


@pytest.mark.parametrize(
    "body",
    [
        {"number": OURS},
        {"number": OURS, "friendly_name": "Desk", "trunk_id": "trunk_1", "webhook_url": "https://x.example.com/"},
        {"number": OURS, "route": None},
        {"number": OURS, "route": {"type": "hold"}},
        {"number": OURS, "route": {"type": "ivr", "target": "ivr_1"}},
    ],
)
async def test_a_number_as_it_is_named(body):
    made, warnings = await check_body(CreateNumber, body, allowed)
    assert made.model_dump(mode="json", exclude_unset=True) == body
    assert warnings == []


async def test_what_nobody_knows_is_named():
    body = {"number": OURS, "colour": "blue", "route": {"type": "hold", "color": "red"}}
    _, warnings = await check_body(CreateNumber, body, allowed)
    assert warnings == ["unknown field: colour", "unknown field: route.color"]


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({}, [("number", "MISSING_REQUIRED_FIELD")]),
        ({"number": "12025550100"}, [("number", "INVALID_PHONE_NUMBER")]),
        ({"number": OURS, "route": "hold"}, [("route", "VALIDATION_ERROR")]),
        ({"number": OURS, "route": {}}, [("route.type", "MISSING_REQUIRED_FIELD")]),
        ({"number": OURS, "route": {"type": None}}, [("route.type", "VALIDATION_ERROR")]),
        ({"number": OURS, "route": {"type": "fax"}}, [("route.type", "VALIDATION_ERROR")]),
        ({"number": OURS, "route": {"type": "ivr", "target": 5}}, [("route.target", "VALIDATION_ERROR")]),
        ({"number": OURS, "route": {"type": "ivr", "target": ""}}, [("route.target", "VALIDATION_ERROR")]),
        ({"number": OURS, "route": {"type": "sip", "target": "sip:a@b\r\nV:"}}, [("route.target", "VALIDATION_ERROR")]),
        ({"number": OURS, "route": {"type": "sip", "target": "x" * 256}}, [("route.target", "VALIDATION_ERROR")]),
    ],
)  # fmt: skip
async def test_what_is_no_number(value, fields):
    assert await at_fault(CreateNumber, value) == fields


async def test_an_update_may_name_nothing():
    body, _ = await check_body(UpdateNumber, {}, allowed)
    assert body.model_dump(mode="json", exclude_unset=True) == {}
    assert await at_fault(UpdateNumber, {"number": None}) == [("number", "VALIDATION_ERROR")]


class Numbers:
    """A registry that notes what it is asked, and finds the faults that it was given."""

    def __init__(self, *faults):
        self.found, self.asked = list(faults), []

    async def faults(self, named, number_id):
        self.asked.append((number_id, named))
        return self.found

    async def update(self, number_id, named):
        self.asked.append((number_id, named))
        return {}


def context(numbers, body=None):
    return SimpleNamespace(
        id="num_1",
        body=body,
        services=SimpleNamespace(numbers=numbers),
        request=SimpleNamespace(match_info={"id": "num_1"}),
    )


async def test_routing_is_the_route_alone():
    numbers = Numbers(Fault("route.target", "ivr_x", "the id of a flow"))
    value = {"type": "ivr", "target": "ivr_x"}
    assert await check_routing(context(numbers), value) == [Fault("target", "ivr_x", "the id of a flow")]
    body, _ = await check_body(RoutingBody, value, allowed)
    await route(context(numbers, body))
    assert numbers.asked == [("num_1", {"route": value})] * 2


async def test_routing_is_cleared_by_null():
    numbers = Numbers()
    assert await check_routing(context(numbers), {"type": None}) == []
    assert [f.field for f in await check_routing(context(numbers), {"type": None, "target": "ivr_1"})] == ["target"]
    body, _ = await check_body(RoutingBody, {"type": None}, allowed)
    await route(context(numbers, body))
    assert numbers.asked == [("num_1", {"route": None})]
    assert await at_fault(RoutingBody, {}) == [("type", "MISSING_REQUIRED_FIELD")]
