"""What the API takes for a trunk, and what it tells of a fault."""

import json

import orjson
import pytest

from service.api.answer import error_response
from service.api.body import check_body
from service.api.openapi import document
from service.api.schemas import CreateTrunk, DeleteTrunkQuery, UpdateTrunk
from service.api.table import ROUTES
from service.errors import ValidationFailed
from service.trunks.rules import faults

GOOD = {"name": "Primary Carrier", "termination_uri": "sip:trunk.carrier.com:5060"}
SECRET = "hunter2-ü"


async def further(value):
    return faults({"encryption": "tls_srtp", **value})


async def refused(value, model=CreateTrunk):
    """The error of a body's answer."""
    with pytest.raises(ValidationFailed) as caught:
        await check_body(model, value, None, further)
    return orjson.loads(error_response(caught.value, "req_1").body)["error"]


async def at_fault(change, model=CreateTrunk):
    error = await refused({**GOOD, **change} if model is CreateTrunk else change, model)
    assert all(fault["expected"] for fault in error["errors"])
    return sorted(fault["field"] for fault in error["errors"])


async def test_the_references_example():
    example = {
        **GOOD, "origination_uris": ["sip:orbit-gw.devotel.io"], "auth_username": "orbit_user",
        "auth_password": "secure_password", "codecs": ["OPUS", "PCMU"], "encryption": "tls_srtp",
    }  # fmt: skip
    body, warnings = await check_body(CreateTrunk, example, None, further)
    assert warnings == []
    assert body.model_dump(mode="json", by_alias=True, exclude_unset=True) == example


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": " \u3000"}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"name": None}, ["name"]),
        ({"termination_uri": "trunk.carrier.com"}, ["termination_uri"]),
        ({"termination_uri": "sip:h\r\nVia: x"}, ["termination_uri"]),
        ({"termination_uri": "sip:alice@h"}, ["termination_uri"]),
        ({"termination_uri": "sip:192.0.2.0/24"}, ["termination_uri"]),
        ({"termination_uri": "sip:h;transport=udp"}, ["termination_uri"]),
        ({"termination_uri": "sips:h", "encryption": "none"}, ["termination_uri"]),
        ({"termination_uri": 5}, ["termination_uri"]),
        ({"origination_uris": ["sip:ok", "sip:a b", "0.0.0.0/0"]}, ["origination_uris.1", "origination_uris.2"]),
        ({"origination_uris": ["h"] * 65}, ["origination_uris"]),
        ({"origination_uris": "sip:h"}, ["origination_uris"]),
        ({"codecs": ["OPUS", "G729"]}, ["codecs.1"]),
        ({"codecs": ["opus"]}, ["codecs.0"]),
        ({"codecs": ["OPUS", "OPUS"]}, ["codecs"]),
        ({"codecs": []}, ["codecs"]),
        ({"codecs": None}, ["codecs"]),
        ({"encryption": "srtp"}, ["encryption"]),
        ({"encryption": None}, ["encryption"]),
        ({"tls_verify": "no"}, ["tls_verify"]),
        ({"register": True}, ["auth_password", "auth_username"]),
        ({"auth_password": "x"}, ["auth_username"]),
        ({"country": "XX"}, ["country"]),
        ({"country": "us"}, ["country"]),
        ({"max_channels": 0}, ["max_channels"]),
        ({"max_channels": 100_001}, ["max_channels"]),
        ({"max_channels": "5"}, ["max_channels"]),
        ({"calls_per_second": 1_001}, ["calls_per_second"]),
        ({"calls_per_second": 1.5}, ["calls_per_second"]),
    ],
)
async def test_a_fault_names_its_field(change, fields):
    assert await at_fault(change) == fields


async def test_every_fault_is_told_at_once():
    bad = {
        "termination_uri": "sip:h;transport=udp", "codecs": ["G729"], "encryption": "tls", "country": "Mars",
        "max_channels": -1, "register": True, "origination_uris": ["10.0.0.0/2"], "auth_username": "a b",
    }  # fmt: skip
    fields = {fault["field"]: fault for fault in (await refused(bad))["errors"]}
    assert set(fields) == {
        "name", "termination_uri", "codecs.0", "country", "max_channels", "origination_uris.0", "auth_username",
        "auth_password",
    }  # fmt: skip
    assert fields["name"]["code"] == "MISSING_REQUIRED_FIELD"


async def test_a_put_names_what_it_likes():
    for good in ({}, {"max_channels": None}, {"auth_password": None, "auth_username": None}, {"enabled": False}):
        body, _ = await check_body(UpdateTrunk, good, None, further)
        assert body.model_dump(mode="json", by_alias=True, exclude_unset=True) == good
    assert await at_fault({"name": None, "codecs": []}, UpdateTrunk) == ["codecs", "name"]


USERNAMES = ["", " ", "a b", "a\r\nb", 'a"b', "a\\b", "<a>", "ü", "a\x00", "x" * 129]


@pytest.mark.parametrize("username", USERNAMES)
async def test_a_username_that_could_break_out_of_its_header(username):
    assert "auth_username" in await at_fault({"auth_username": username, "auth_password": "x"})


@pytest.mark.parametrize("username", ["u", "+12025550100", "user@carrier.com", "a;b,c^d'e%41", "x" * 128])
async def test_a_username_as_carriers_give_them(username):
    await check_body(CreateTrunk, {**GOOD, "auth_username": username}, None, further)


@pytest.mark.parametrize("password", ["a;b,c\"d'e\\f€", " lead and trail ", "^$[]{}%41", "ü" * 128])
async def test_a_password_of_any_printable_kind(password):
    body, _ = await check_body(CreateTrunk, {**GOOD, "auth_username": "u", "auth_password": password}, None, further)
    assert body.auth_password == password
    assert password not in repr(body)


@pytest.mark.parametrize(
    "password",
    ["", SECRET + "\n", SECRET * 20, [SECRET], {"value": SECRET}, SECRET + "\u2028", SECRET + "\x00", 12345678],
)
async def test_a_fault_of_a_password_does_not_show_it(password):
    error = await refused({**GOOD, "auth_username": "u", "auth_password": password})
    assert {(f["field"], f["value"]) for f in error["errors"]} == {("auth_password", None)}
    assert error["details"]["value"] is None
    assert SECRET not in json.dumps(error, ensure_ascii=False)
    assert "12345678" not in json.dumps(error)


@pytest.mark.parametrize(
    "change",
    [
        {"termination_uri": f"sip:u:{SECRET}@h"},
        {"termination_uri": f"u:{SECRET}@h"},
        {"origination_uris": [f"sip:u:{SECRET}@h"]},
        {"origination_uris": [f"sip:u:{SECRET}@h"] * 65},
        {"origination_uris": f"sip:u:{SECRET}@h"},
    ],
)
async def test_nor_does_a_fault_of_a_uri_with_a_password_in_it(change):
    error = await refused({**GOOD, "auth_username": "u", "auth_password": SECRET, **change})
    assert SECRET not in json.dumps(error, ensure_ascii=False)
    assert error["details"]["value"]


async def test_nor_does_a_body_that_is_no_object():
    assert (await refused([{"auth_password": SECRET}]))["details"] == {
        "field": "", "value": None, "expected": "an object",
    }  # fmt: skip


async def test_a_misspelt_password_is_a_warning_without_its_value():
    _, warnings = await check_body(CreateTrunk, {**GOOD, "auth_pasword": SECRET}, None, further)
    assert warnings == ["unknown field: auth_pasword"]


def test_the_page_describes_a_password_that_is_only_written():
    schemas = document(ROUTES)["components"]["schemas"]
    for model in ("CreateTrunk", "UpdateTrunk"):
        described = schemas[model]["properties"]["auth_password"]
        assert described["anyOf"][0]["writeOnly"]
        assert not {"example", "examples"} & described.keys()
    assert "auth_password" not in schemas["Trunk"]["properties"]


def test_force_is_true_or_false():
    assert DeleteTrunkQuery.model_validate({"force": "true"}).force
    assert not DeleteTrunkQuery.model_validate({"force": "false"}).force
    assert not DeleteTrunkQuery.model_validate({}).force
    with pytest.raises(ValueError, match="true or false"):
        DeleteTrunkQuery.model_validate({"force": "1"})
