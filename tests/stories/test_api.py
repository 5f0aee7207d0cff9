"""The API's manners: keys, envelopes, errors, lists, limits."""

import asyncio
import json
import os
import secrets
import subprocess
import sys

import pytest

from tests.stories.client import Api

CALL = {"to": "+15005550001", "from": "+12025551234"}


def error(body):
    assert set(body) == {"error", "meta"}
    assert set(body["meta"]) >= {"request_id", "timestamp"}
    assert body["error"]["status"] in range(400, 600)
    return body["error"]["code"]


@pytest.mark.parametrize("base", ["/v1", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_references_curl_on_both_bases(api, base, slash):
    body = json.dumps(
        {**CALL, "to": "+14155552671", "record": True, "webhook_url": "https://example.com/webhooks/calls"}
    )
    status, headers, answer = await api.ask("POST", f"{base}/voice/calls{slash}", data=body)
    assert status == 201
    data, meta = answer["data"], answer["meta"]
    assert (data["status"], data["record"], data["to"], data["from"]) == (
        "initiating",
        True,
        "+14155552671",
        CALL["from"],
    )
    assert headers["X-Request-Id"] == meta["request_id"]
    assert meta["timestamp"].endswith("Z")
    assert data["created_at"].endswith("Z")
    await api.hang_up(data["id"])
    await api.ends(data["id"])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-API-Key": ""}, "UNAUTHORIZED"),
        ({"X-API-Key": "dv_test_sk_wrong"}, "INVALID_API_KEY"),
        ({"X-API-Key": "", "Authorization": "Bearer dv_live_sk_wrong"}, "INVALID_API_KEY"),
        ({"X-API-Key": "", "Authorization": "Basic eDp5"}, "UNAUTHORIZED"),
    ],
)
async def test_without_a_good_key(api, headers, code):
    status, answered, body = await api.ask("GET", "/v1/voice/calls", headers=headers)
    assert (status, error(body)) == (401, code)
    assert "X-RateLimit-Limit" in answered


async def test_a_bearer_token_is_a_key_too(api):
    headers = {"X-API-Key": "", "Authorization": f"Bearer {api.key}"}
    assert (await api.ask("GET", "/v1/voice/calls", headers=headers))[0] == 200


async def test_a_test_key_says_so_and_a_live_key_does_not(api, stack):
    assert (await api.ask("GET", "/v1/voice/calls"))[1]["x-orbit-env"] == "sandbox"
    async with Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as live:
        assert "x-orbit-env" not in (await live.ask("GET", "/v1/voice/calls"))[1]


async def test_a_key_without_the_scope(api, stack):
    command = [sys.executable, "-m", "service", "keys", "create", "--scope", "voice:read"]
    made = await asyncio.create_subprocess_exec(*command, env={**os.environ, **stack.env}, stdout=subprocess.PIPE)
    key = (await made.communicate())[0].decode().strip()
    async with Api(stack.env["ORBIT_URL"], key) as reader:
        assert (await reader.ask("GET", "/v1/voice/calls"))[0] == 200
        status, _, body = await reader.ask("POST", "/v1/voice/calls", json=CALL)
        assert (status, error(body)) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "INVALID_JSON"),
        (b"{", "INVALID_JSON"),
        (b'{"to": NaN}', "INVALID_JSON"),
        (b"\xff\xfe", "INVALID_JSON"),
        (b'{"a":"\\ud800"}', "INVALID_JSON"),
        (b"[" * 5000, "INVALID_JSON"),
    ],
)
async def test_bad_json(api, data, code):
    status, _, body = await api.ask("POST", "/v1/voice/calls", data=data)
    assert (status, error(body)) == (400, code)


@pytest.mark.parametrize("value", ["[]", '"x"', "5", "null", "true"])
async def test_a_body_that_is_no_object(api, value):
    status, _, body = await api.ask("POST", "/v1/voice/calls", data=value)
    assert (status, error(body)) == (422, "VALIDATION_ERROR")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of our own client: the server need not read it all
async def test_a_body_of_two_megabytes(api):
    status, _, body = await api.ask("POST", "/v1/voice/calls", data=b'{"x":"' + b"a" * 2_000_000 + b'"}')
    assert (status, error(body)) == (413, "PAYLOAD_TOO_LARGE")


async def test_every_fault_in_one_answer(api):
    bad = {"to": "12345", "record": "yes", "max_duration": 86_401, "timeout": 0, "metadata": {"k": "x" * 20_000},
           "webhook_url": "http://169.254.169.254/"}  # fmt: skip
    status, _, body = await api.ask("POST", "/v1/voice/calls", json=bad)
    assert status == 422
    faults = {f["field"]: f for f in body["error"]["errors"]}
    assert set(faults) == {"to", "from", "record", "max_duration", "timeout", "metadata", "webhook_url"}
    assert faults["to"] == {
        "code": "INVALID_PHONE_NUMBER", "field": "to", "value": "12345", "expected": faults["to"]["expected"],
    }  # fmt: skip
    assert faults["from"]["code"] == "MISSING_REQUIRED_FIELD"
    assert faults["webhook_url"]["code"] == "INVALID_WEBHOOK_URL"
    assert all(f["expected"] for f in faults.values())
    assert set(body["error"]["details"]) == {"field", "value", "expected"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"from": "+12025550199"}, "NUMBER_NOT_REGISTERED"),
        ({"to": "+1"}, "INVALID_PHONE_NUMBER"),
        ({"agent_id": "agt_abc123"}, "VALIDATION_ERROR"),
        ({"ivr_id": "ivr_abc123"}, "VALIDATION_ERROR"),
    ],
)
async def test_what_a_call_needs(api, network, change, code):
    status, _, body = await api.ask("POST", "/v1/voice/calls", json={**CALL, **change})
    assert (status, error(body)) == (422, code)
    assert network.arrived == []


async def test_an_unknown_field_is_accepted_and_named(api):
    status, _, body = await api.ask("POST", "/v1/voice/calls", json={**CALL, "recrod": True})
    assert (status, body["meta"]["warnings"]) == (201, ["unknown field: recrod"])
    await api.ends(body["data"]["id"])


@pytest.mark.parametrize(
    "value",
    ["&,|;${}()\"'", "line\nbreak", "🚀 ünï", "${SHELL(touch /tmp/x)}", "`id`", "\x7f", "a\tb", "'; --"],
)
async def test_hostile_text_is_data(api, value):
    call = await api.call("+15005550001", metadata={value: value, "nested": [value, {"k": value}]})
    ended = await api.ends(call["id"])
    assert ended["metadata"] == {value: value, "nested": [value, {"k": value}]}
    for field in ("to", "from", "trunk_id", "agent_id"):
        status, _, body = await api.ask("POST", "/v1/voice/calls", json={**CALL, field: value})
        assert status == 422, (field, body)


async def test_a_nul_in_metadata_is_data(api):
    call = await api.call("+15005550001", metadata={"k": "a\x00b"})
    assert (await api.ends(call["id"]))["metadata"] == {"k": "a\x00b"}


@pytest.mark.parametrize("call_id", ["x", "call_abc123", "call_" + "0" * 26, "call_" + "Z" * 26, "..%2f", "%00", "🚀"])
async def test_a_bad_id_is_not_found(api, call_id):
    for method, path in (("GET", ""), ("POST", "/hangup"), ("GET", "/events"), ("GET", "/recording")):
        status, _, body = await api.ask(method, f"/v1/voice/calls/{call_id}{path}")
        assert (status, error(body)) == (404, "NOT_FOUND")


async def test_an_unknown_path_and_an_unknown_method(api):
    assert error((await api.ask("GET", "/v1/voice/nothing"))[2]) == "NOT_FOUND"
    status, headers, body = await api.ask("PATCH", "/v1/voice/calls")
    assert (status, error(body)) == (405, "METHOD_NOT_ALLOWED")
    assert headers["Allow"]


async def test_pages_of_calls(api):
    marks = [f"+1555555{secrets.randbelow(10_000):04}"]
    made = [await api.call("+15005550003", metadata={"mark": marks[0]}) for _ in range(5)]
    await asyncio.gather(*(api.ends(c["id"]) for c in made))
    _, _, first = await api.ask("GET", "/v1/voice/calls", params={"to": "+15005550003", "limit": 2})
    cursor = first["meta"]["pagination"]["cursor"]
    assert [c["id"] for c in first["data"]] == [made[4]["id"], made[3]["id"]]
    assert first["meta"]["pagination"]["has_more"] is True
    assert first["meta"]["pagination"]["total"] >= 5
    parameters = {"to": "+15005550003", "limit": 2, "cursor": cursor}
    _, _, second = await api.ask("GET", "/v1/voice/calls", params=parameters)
    assert [c["id"] for c in second["data"]] == [made[2]["id"], made[1]["id"]]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("cursor=nonsense", 400, "INVALID_CURSOR"),
        ("cursor=", 400, "INVALID_CURSOR"),
        ("cursor=cur_%00", 400, "INVALID_CURSOR"),
        ("limit=0", 422, "VALIDATION_ERROR"),
        ("limit=101", 422, "VALIDATION_ERROR"),
        ("limit=ten", 422, "VALIDATION_ERROR"),
        ("status=done", 422, "VALIDATION_ERROR"),
        ("direction=sideways", 422, "VALIDATION_ERROR"),
        ("created_after=yesterday", 422, "VALIDATION_ERROR"),
        ("created_after=2026-01-01T00:00:00", 422, "VALIDATION_ERROR"),
    ],
)
async def test_bad_queries(api, query, status, code):
    found, _, body = await api.ask("GET", f"/v1/voice/calls?{query}")
    assert (found, error(body)) == (status, code)


async def test_a_plus_in_a_query_need_not_be_escaped(api):
    call = await api.call("+15005550003")
    await api.ends(call["id"])
    from yarl import URL

    url = URL(f"{api.url}/v1/voice/calls?to=+15005550003&limit=1", encoded=True)
    async with api.session.get(url) as answer:
        assert (await answer.json())["data"][0]["id"] == call["id"]


async def test_every_name_that_does_not_exist_is_told_at_once(api):
    body = {"to": "+15005550001", "from": "+12025550199", "agent_id": "a", "ivr_id": "i", "trunk_id": "t"}
    status, _, answer = await api.ask("POST", "/v1/voice/calls", json=body)
    assert (status, error(answer)) == (422, "NUMBER_NOT_REGISTERED")
    assert {e["field"] for e in answer["error"]["errors"]} == {"from", "agent_id", "ivr_id", "trunk_id"}


async def test_what_two_put_at_once_is_both_kept(api):
    _, _, body = await api.ask("POST", "/v1/webhooks", json={"url": "http://example.com/1", "events": ["webhook.test"]})
    where = f"/v1/webhooks/{body['data']['id']}"
    for n in range(10):
        changes = ({"url": f"http://example.com/{n}"}, {"description": f"number {n}"})
        await asyncio.gather(*(api.ask("PUT", where, json=change) for change in changes))
        _, _, body = await api.ask("GET", where)
        assert (body["data"]["url"], body["data"]["description"]) == (f"http://example.com/{n}", f"number {n}")
    await api.ask("DELETE", where)


@pytest.mark.parametrize(
    ("route", "field", "expected"),
    [
        ({"type": "fax"}, "type", "'agent', 'ivr'"),
        ({"type": "ivr"}, "target", "the id of a flow"),
        ({"type": "ivr", "target": "ivr_x"}, "target", "the id of a flow"),
        ({"type": "number", "target": "5551234"}, "target", "E.164"),
        ({"type": "sip", "target": "sip:${SHELL(id)}@h"}, "target", "a SIP URI"),
        ({"type": "hold", "target": "+14155550100"}, "target", "null"),
        ({"type": "agent", "target": "agt_1"}, "type", "not available yet"),
        ({"type": None, "target": "ivr_x"}, "target", "null"),
    ],
)
async def test_a_route_that_leads_nowhere_is_refused(api, route, field, expected):
    made = next(each for each in await api.get("/numbers") if each["number"] == CALL["from"])
    status, _, body = await api.ask("PUT", f"/v1/numbers/{made['id']}/routing", json=route)
    assert (status, body["error"]["details"]["field"]) == (422, field), body
    assert expected in body["error"]["details"]["expected"]
    if route["type"] is not None:
        body = {"number": "+12025550166", "route": route}
        status, _, body = await api.ask("POST", "/v1/numbers", json=body)
        assert (status, body["error"]["details"]["field"]) == (422, f"route.{field}"), body
    assert await api.get(f"/numbers/{made['id']}") == made


async def test_numbers_come_and_go(api):
    number = f"+1415555{secrets.randbelow(10_000):04}"
    status, _, body = await api.ask("POST", "/v1/numbers", json={"number": number, "friendly_name": "Desk"})
    assert (status, body["data"]["number"]) == (201, number)
    made = body["data"]
    assert error((await api.ask("POST", "/v1/numbers", json={"number": number}))[2]) == "CONFLICT"
    assert await api.get(f"/numbers/{made['id']}") == made
    assert made in await api.get("/numbers", params={"limit": 100})
    call = await api.call("+15005550001", **{"from": number})
    await api.ends(call["id"])
    assert made["route"] is None
    route = {"type": "number", "target": "+14155550100"}
    status, _, body = await api.ask("PUT", f"/v1/numbers/{made['id']}/routing", json=route)
    assert (status, body["data"]) == (200, {**made, "route": route})
    status, _, body = await api.ask("PUT", f"/v1/numbers/{made['id']}", json={"friendly_name": None, "colour": "blue"})
    assert (status, body["data"]) == (200, {**made, "friendly_name": None, "route": route})
    assert body["meta"]["warnings"] == ["unknown field: colour"]
    status, _, body = await api.ask("DELETE", f"/v1/numbers/{made['id']}")
    assert (status, body) == (204, b"")
    assert error((await api.ask("GET", f"/v1/numbers/{made['id']}"))[2]) == "NOT_FOUND"
    assert error((await api.ask("DELETE", f"/v1/numbers/{made['id']}"))[2]) == "NOT_FOUND"
    status, _, body = await api.ask("POST", "/v1/voice/calls", json={**CALL, "from": number})
    assert error(body) == "NUMBER_NOT_REGISTERED"


async def test_health_metrics_and_the_readable_page(api):
    assert (await api.ask("GET", "/healthz"))[0] == 200
    assert (await api.ask("GET", "/readyz"))[2]["status"] == "ready"
    text = (await api.ask("GET", "/metrics"))[2].decode()
    for name in ("orbit_request_seconds", "orbit_call_events_total", "orbit_node_alive", "orbit_events_ignored"):
        assert name in text
    page = (await api.ask("GET", "/docs"))[2].decode()
    assert "openapi.json" in page
    assert (await api.ask("GET", "/docs/assets/swagger-ui-bundle.js"))[0] == 200


async def test_no_secret_is_in_the_log(api, stack):
    await api.call("+15005550001")
    text = "".join(path.read_text(errors="replace") for path in (stack.home.folder / "log").glob("*"))
    assert "call_id" in text or "request_id" in text
    for name in ("ORBIT_LIVE_KEY", "ORBIT_TEST_KEY", "ORBIT_WEBHOOK_SECRET", "ORBIT_ARI_PASSWORD"):
        assert stack.env[name] not in text, name


async def test_a_body_that_is_not_what_its_encoding_says(api, stack):
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    status, _, body = await api.ask("POST", "/v1/voice/calls", data=b"{}", headers=headers)
    assert (status, error(body)) == (400, "INVALID_JSON")


async def test_a_limit_is_told_on_every_answer_of_the_api(api):
    for method, path in (("GET", "/v1/nothing"), ("PATCH", "/api/v1/voice/calls"), ("GET", "/v1/voice/calls/x")):
        assert "X-RateLimit-Remaining" in (await api.ask(method, path))[1]


async def test_what_is_no_http_is_a_line_in_the_log_and_no_trace(api, stack):
    host, port = api.url.removeprefix("http://").split(":")
    for raw in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw)
        writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    log = (stack.home.folder / "log" / "service.log").read_text()
    assert "bad HTTP request" in log
    assert "Traceback" not in log
