"""SIP trunks as a user makes, changes and deletes them, on a real stack."""

import asyncio
import itertools
from pathlib import Path

import orjson
import pytest
from redis.asyncio import Redis

from service.api.resources import Number, Trunk, TrunkCheck

TRUNKS = "/v1/voice/sip-trunks"
EXAMPLE = {
    "name": "Primary Carrier",
    "termination_uri": "sip:trunk.carrier.com:5060",
    "origination_uris": ["sip:orbit-gw.devotel.io"],
    "auth_username": "orbit_user",
    "auth_password": "secure_password",
    "codecs": ["OPUS", "PCMU"],
    "encryption": "tls_srtp",
}
PASSWORD = "pass-word-that-nobody-may-read"
names = (f"carrier {n}" for n in itertools.count())


@pytest.fixture
async def make(live):
    """Makes trunks to nobody in particular; they are gone in the end."""
    made = []

    async def one(**fields):
        body = {"name": next(names), "termination_uri": "sip:127.0.0.1:9", "encryption": "none", **fields}
        status, _, answer = await live.ask("POST", TRUNKS, json=body)
        assert status == 201, answer
        made.append(answer["data"]["id"])
        return answer["data"]

    yield one
    for trunk_id in made:
        await live.ask("DELETE", f"{TRUNKS}/{trunk_id}?force=true")


@pytest.fixture
async def sandbox(live):
    """The built-in trunk."""
    return next(trunk for trunk in await live.get("/voice/sip-trunks?limit=100") if trunk["name"] == "Sandbox")


async def put(live, trunk_id, status=200, **fields):
    answered, _, body = await live.ask("PUT", f"{TRUNKS}/{trunk_id}", json=fields)
    assert answered == status, body
    return body["data"] if status == 200 else body["error"]


async def delete(live, trunk_id, query=""):
    status, _, body = await live.ask("DELETE", f"{TRUNKS}/{trunk_id}{query}")
    return status, body["error"]["code"] if status != 204 else None


@pytest.mark.parametrize("base", ["/v1", "/api/v1"])
async def test_the_references_example(live, base):
    status, _, body = await live.ask("POST", f"{base}/voice/sip-trunks", json=EXAMPLE)
    assert status == 201, body
    made = body["data"]
    assert made == {**made, **{name: value for name, value in EXAMPLE.items() if name != "auth_password"}}
    assert made["id"].startswith("trunk_")
    assert made["status"] == "active"
    assert "auth_password" not in made
    Trunk.model_validate(made)
    assert (await delete(live, made["id"])) == (204, None)
    assert (await live.ask("GET", f"{TRUNKS}/{made['id']}"))[0] == 404


async def test_a_list_in_pages_newest_first(live, make):
    made = [(await make())["id"] for _ in range(3)]
    _, _, first = await live.ask("GET", f"{TRUNKS}?limit=2")
    assert [trunk["id"] for trunk in first["data"]] == made[:0:-1]
    page = first["meta"]["pagination"]
    assert page["has_more"]
    _, _, second = await live.ask("GET", f"{TRUNKS}?limit=2&cursor={page['cursor']}")
    assert second["data"][0]["id"] == made[0]
    for trunk in first["data"] + second["data"]:
        Trunk.model_validate(trunk)
    assert (await live.ask("GET", f"{TRUNKS}?cursor=x"))[2]["error"]["code"] == "INVALID_CURSOR"


async def test_a_change_replaces_what_it_names(live, make):
    made = await make(country="US", max_channels=5, origination_uris=["192.0.2.0/24"])
    changed = await put(live, made["id"], codecs=["G722"], max_channels=None, origination_uris=None)
    expected = {**made, "codecs": ["G722"], "max_channels": None, "origination_uris": []}
    assert {**changed, "updated_at": 0, "health": 0} == {**expected, "updated_at": 0, "health": 0}
    assert changed["updated_at"] > made["updated_at"]
    assert (await live.get(f"/voice/sip-trunks/{made['id']}"))["codecs"] == ["G722"]


async def test_a_name_is_taken_once(live, make):
    one, two = await make(), await make()
    status, _, body = await live.ask("POST", TRUNKS, json={**EXAMPLE, "name": one["name"]})
    assert (status, body["error"]["code"], body["error"]["details"]["field"]) == (409, "CONFLICT", "name")
    error = await put(live, two["id"], 409, name=one["name"])
    assert (error["code"], error["details"]["field"]) == ("CONFLICT", "name")


async def test_every_fault_in_one_answer(live):
    bad = {
        "termination_uri": "sip:0.0.0.0;transport=udp", "origination_uris": ["0.0.0.0/0"], "codecs": ["G729"],
        "encryption": "tls", "auth_username": "a\r\nb", "register": True, "max_channels": 0, "country": "XX",
    }  # fmt: skip
    status, _, body = await live.ask("POST", TRUNKS, json=bad)
    assert status == 422
    assert {fault["field"] for fault in body["error"]["errors"]} == {
        "name", "termination_uri", "origination_uris.0", "codecs.0", "auth_username", "auth_password", "max_channels",
        "country",
    }  # fmt: skip


async def test_a_change_is_checked_with_what_is_there(live, make):
    made = await make(termination_uri="sip:127.0.0.1:9;transport=tcp")
    assert (await put(live, made["id"], 422, encryption="tls"))["details"]["field"] == "termination_uri"
    assert (await put(live, made["id"], 422, register=True))["details"]["field"] == "auth_username"
    assert (await live.ask("PUT", f"{TRUNKS}/trunk_x", json={"codecs": []}))[0] == 404


async def test_of_many_defaults_at_once_one_stays(live, make, sandbox):
    assert sandbox["default"]
    made = [(await make())["id"] for _ in range(4)]
    await asyncio.gather(*(put(live, each, default=True) for each in made * 3))
    shown = [trunk for trunk in await live.get("/voice/sip-trunks?limit=100") if trunk["default"]]
    assert len(shown) == 1
    assert shown[0]["id"] in made
    await put(live, shown[0]["id"], default=False)
    assert (await live.get(f"/voice/sip-trunks/{sandbox['id']}"))["default"]


async def test_the_sandbox_is_built_in(live, sandbox):
    Trunk.model_validate(sandbox)
    assert await delete(live, sandbox["id"], "?force=true") == (409, "CONFLICT")
    assert (await put(live, sandbox["id"], 422, encryption="tls"))["details"]["field"] == "encryption"
    renamed = await put(live, sandbox["id"], name="Played network")
    assert renamed["name"] == "Played network"
    await put(live, sandbox["id"], name="Sandbox")


async def test_a_trunk_with_a_live_call_is_deleted_by_force_alone(live, make):
    made = await make(termination_uri="sip:127.0.0.1:9;transport=udp")
    call = await live.call("+15005550199", trunk_id=made["id"], timeout=20)
    assert await delete(live, made["id"]) == (409, "IN_USE")
    assert await delete(live, made["id"], "?force=1") == (422, "VALIDATION_ERROR")
    assert await delete(live, made["id"], "?force=true") == (204, None)
    await live.hang_up(call["id"])
    await live.ends(call["id"])


async def test_numbers_let_go_of_a_trunk_that_is_deleted(live, make):
    one, two = (await make())["id"], (await make())["id"]
    both = {"number": "+12025550142", "trunk_ids": [one, two]}
    status, _, body = await live.ask("POST", "/v1/numbers", json={**both, "trunk_id": one})
    assert (status, body["error"]["details"]["field"]) == (422, "trunk_id")
    status, _, body = await live.ask("POST", "/v1/numbers", json={**both, "trunk_ids": [one, "trunk_x"]})
    assert (status, body["error"]["details"]["field"]) == (422, "trunk_ids.1")
    status, _, body = await live.ask("POST", "/v1/numbers", json=both)
    assert (status, body["data"]["trunk_ids"]) == (201, [one, two])
    number = body["data"]["id"]
    assert await delete(live, one) == (204, None)
    shown = await live.get(f"/numbers/{number}")
    Number.model_validate(shown)
    assert shown["trunk_ids"] == [two]
    await live.ask("DELETE", f"/v1/numbers/{number}")


async def test_a_repeated_request_makes_one_trunk(live):
    body, key = {**EXAMPLE, "name": next(names)}, {"Idempotency-Key": next(names)}
    answers = [await live.ask("POST", TRUNKS, json=body, headers=key) for _ in range(2)]
    assert [status for status, _, _ in answers] == [201, 201]
    assert answers[1][1]["Idempotent-Replayed"] == "true"
    assert answers[0][2] == answers[1][2]
    assert await delete(live, answers[0][2]["data"]["id"]) == (204, None)


async def test_a_trunk_is_looked_at_now(live, make):
    made = await make()
    found = await live.get(f"/voice/sip-trunks/{made['id']}/health")
    TrunkCheck.model_validate(found)
    assert found["explanation"]
    assert (await live.ask("GET", f"{TRUNKS}/trunk_x/health"))[0] == 404


async def test_a_password_is_in_its_trunk_and_nowhere_else(live, stack, make):
    key = {"Idempotency-Key": next(names)}
    secret = {"auth_username": "u", "auth_password": PASSWORD}
    made = await make(**secret)
    said = [made, await put(live, made["id"], auth_password=PASSWORD + "2", register=True)]
    said += [await live.ask("GET", f"{TRUNKS}/{made['id']}{path}") for path in ("", "/health")]
    body = {**EXAMPLE, **secret, "name": next(names)}
    said += [other := (await live.ask("POST", TRUNKS, json=body, headers=key))[2]]
    for bad in (
        {"auth_password": PASSWORD + "\n"}, {"auth_password": [PASSWORD]}, {"auth_pasword": PASSWORD},
        {"termination_uri": f"sip:u:{PASSWORD}@h"}, {"name": None}, {"auth_username": None},
    ):  # fmt: skip
        said += [await live.ask("POST", TRUNKS, json={**body, **bad}, headers={"Idempotency-Key": next(names)})]
        said += [await live.ask("PUT", f"{TRUNKS}/{made['id']}", json=bad)]
    said += [await live.ask("POST", TRUNKS, data=orjson.dumps([body]))]
    call = await live.call("+15005550199", trunk_id=made["id"], timeout=1)
    said += [await live.ends(call["id"]), await live.ask("GET", f"/v1/voice/calls/{call['id']}/events")]
    said += [await live.ask("GET", path) for path in (TRUNKS, "/openapi.json", "/metrics")]
    assert PASSWORD not in repr(said)

    for file in logs(Path(stack.env["ORBIT_HOME"])):
        assert PASSWORD.encode() not in file.read_bytes(), file
    keys = [key async for key in everything(stack.env["ORBIT_REDIS_URL"])]
    assert [key for key, value in keys if PASSWORD in repr(value)] == [b"{orbit:trunks}:documents"]
    await delete(live, other["data"]["id"])


def logs(home):
    """What anybody wrote for people."""
    found = [file for file in home.rglob("*") if file.is_file() and "log" in file.relative_to(home).parts[:-1]]
    assert "service.log" in [file.name for file in found]
    return found


async def everything(url):
    """Every key of Redis with all that is in it."""
    async with Redis.from_url(url) as redis:
        readers = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"list": lambda key: redis.lrange(key, 0, -1),
            b"set": redis.smembers,
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"stream": redis.xrange,
        }
        async for key in redis.scan_iter():
            yield key, await readers[await redis.type(key)](key)


async def test_a_test_key_sees_trunks_and_touches_none(live, api, stack):
    status, _, made = await live.ask(
        "POST", TRUNKS, json={"name": "untouched", "termination_uri": "sip:127.0.0.9", "encryption": "none"}
    )
    assert status == 201, made
    path = f"{TRUNKS}/{made['data']['id']}"
    body = {"name": "mine", "termination_uri": "sip:127.0.0.66"}
    for method, where, json in (("POST", TRUNKS, body), ("PUT", path, body), ("DELETE", path, None)):
        status, _, answer = await api.ask(method, where, json=json)
        assert (status, answer["error"]["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert (await api.ask("GET", f"{path}/health"))[0] == 403
    assert (await api.ask("GET", path))[2]["data"]["name"] == "untouched"
    assert (await live.ask("DELETE", path))[0] == 204
