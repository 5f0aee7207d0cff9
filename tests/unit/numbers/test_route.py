"""A route by itself, and a number with one."""

from dataclasses import replace

import pytest

from service.numbers.change import changed
from service.numbers.number import Number, number_of
from service.numbers.route import Route, RouteType, faults, route_of

HOLD = Route(RouteType.HOLD)
NUMBER = Number("num_1", "+12025550100", 1, trunk_id="trunk_1", route=HOLD)


@pytest.mark.parametrize(
    ("kind", "target"), [("hold", None), ("reject", None), ("ivr", "ivr_1"), ("number", "+1"), ("sip", "sip:a@h")]
)
def test_a_route_with_what_its_type_needs(kind, target):
    assert faults(Route(RouteType(kind), target)) == []


@pytest.mark.parametrize("kind", [RouteType.IVR, RouteType.NUMBER, RouteType.SIP])
def test_a_type_that_needs_a_target(kind):
    [fault] = faults(Route(kind))
    assert (fault.field, fault.code) == ("route.target", "MISSING_REQUIRED_FIELD")


@pytest.mark.parametrize("kind", [RouteType.HOLD, RouteType.REJECT])
def test_a_type_that_has_none(kind):
    [fault] = faults(Route(kind, "x"))
    assert (fault.field, fault.value) == ("route.target", "x")


@pytest.mark.parametrize("kind", [RouteType.AGENT, RouteType.VOICEMAIL, RouteType.CONFERENCE])
@pytest.mark.parametrize("target", [None, "x"])
def test_a_type_that_is_still_to_come_says_so(kind, target):
    [fault] = faults(Route(kind, target))
    assert fault.field == "route.type"
    assert fault.expected == f"ivr, number, sip, hold, reject; {kind}: not available yet"


def test_a_stored_number_without_the_field_holds_its_calls_as_it_did():
    stored = {"id": "num_1", "number": "+12025550100", "created_at": 1, "trunk_id": None}
    assert number_of(stored).route == HOLD
    assert number_of({**stored, "route": None}).route is None
    assert number_of({**stored, "route": {"type": "ivr", "target": "ivr_1"}}).route == Route(RouteType.IVR, "ivr_1")
    assert route_of({"type": "hold"}) == HOLD


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ({}, {}),
        ({"friendly_name": "Desk"}, {"friendly_name": "Desk"}),
        ({"route": None}, {"route": None}),
        ({"route": {"type": "reject"}}, {"route": Route(RouteType.REJECT)}),
        ({"route": {"type": "sip", "target": "SIP:Desk@h"}}, {"route": Route(RouteType.SIP, "sip:Desk@h")}),
        ({"trunk_id": None}, {"trunk_id": None}),
        ({"trunk_id": "trunk_2"}, {"trunk_id": "trunk_2"}),
        ({"trunk_ids": ["trunk_2"]}, {"trunk_id": None, "trunk_ids": ("trunk_2",)}),
        ({"trunk_ids": None}, {}),
        ({"id": "num_2", "created_at": 5, "colour": "blue"}, {}),
    ],
)
def test_what_is_named_is_replaced(named, shown):
    assert changed(NUMBER, named) == replace(NUMBER, **shown)


@pytest.mark.parametrize(
    "junk",
    [
        {"route": "hold"}, {"route": {}}, {"route": {"type": "x"}}, {"route": {"type": []}}, {"route": {"type": None}},
        {"route": {"type": "ivr", "target": 5}}, {"trunk_id": 5}, {"trunk_ids": "trunk_2"}, {"trunk_ids": [5]},
        {"number": None}, {"friendly_name": 5},
    ],
)  # fmt: skip
def test_what_is_no_value_of_its_kind_is_passed_over(junk):
    assert changed(NUMBER, junk) == NUMBER
