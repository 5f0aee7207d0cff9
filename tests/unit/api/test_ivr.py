"""What the API takes for a flow, and what it shows of one."""

from types import SimpleNamespace

import orjson
import pytest

from service.api import ivr
from service.api.answer import error_response
from service.api.body import check_body
from service.api.flow_resources import Flow, SpeechEngine, Walk
from service.api.flow_schemas import CreateFlow, Simulate, UpdateFlow
from service.api.openapi import document
from service.api.table import ROUTES
from service.errors import InvalidJson, PayloadTooLarge, ValidationFailed
from tests.unit.control.flows import GOOD, House

EXAMPLE = {
    "name": "Main Menu",
    "greeting": "Welcome to Acme Corp. Press 1 for sales, 2 for support, or 3 to leave a voicemail.",
    "language": "en-US",
    "menu": {
        "options": [
            {"key": "1", "action": "transfer_agent", "target": "agt_sales"},
            {"key": "2", "action": "transfer_agent", "target": "agt_support"},
            {"key": "3", "action": "voicemail", "target": "vmail_general"},
        ]
    },
    "timeout_seconds": 8,
    "fallback_action": "voicemail",
}


@pytest.fixture
def house():
    return House()


async def refused(value, model=CreateFlow, flows=None):
    async def further(body):
        return await flows.faults(body) if flows else []

    with pytest.raises(ValidationFailed) as caught:
        await check_body(model, value, None, further)
    return orjson.loads(error_response(caught.value, "req_1").body)["error"]


async def at_fault(change, model=CreateFlow):
    error = await refused({**GOOD, **change} if model is CreateFlow else change, model)
    assert all(fault["expected"] for fault in error["errors"])
    return sorted(fault["field"] for fault in error["errors"])


async def test_the_references_example_is_well_formed_and_told_what_is_to_come(house):
    body, warnings = await check_body(CreateFlow, EXAMPLE, None)
    assert warnings == []
    assert body.model_dump(mode="json", exclude_unset=True) == EXAMPLE
    error = await refused(EXAMPLE, flows=house.flows)
    assert [fault["field"] for fault in error["errors"]] == [f"menu.options.{n}.action" for n in range(3)]


OPTION = {"key": "1", "action": "hangup"}


def options(**change):
    return {"menu": {"options": [{**OPTION, **change}]}}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"greeting": ""}, ["greeting"]),
        ({"greeting": "  "}, ["greeting"]),
        ({"greeting": "x" * 65536}, ["greeting"]),
        ({"greeting": "a\x00b"}, ["greeting"]),
        ({"greeting": "a\x1b[0m"}, ["greeting"]),
        ({"greeting": "a\x85b"}, ["greeting"]),
        ({"greeting": None}, ["greeting"]),
        ({"language": "e"}, ["language"]),
        ({"language": 1}, ["language"]),
        ({"timeout_seconds": 0}, ["timeout_seconds"]),
        ({"timeout_seconds": 61}, ["timeout_seconds"]),
        ({"timeout_seconds": "8"}, ["timeout_seconds"]),
        ({"timeout_seconds": 8.5}, ["timeout_seconds"]),
        ({"max_retries": -1}, ["max_retries"]),
        ({"max_retries": 11}, ["max_retries"]),
        ({"max_retries": True}, ["max_retries"]),
        ({"fallback_action": "ivr"}, ["fallback_action"]),
        ({"greeting_url": "http://a.example/x.wav"}, ["greeting_url"]),
        ({"greeting_url": "file:///etc/passwd"}, ["greeting_url"]),
        ({"invalid_prompt": ""}, ["invalid_prompt"]),
        ({"invalid_prompt": "x" * 1001}, ["invalid_prompt"]),
        ({"menu": None}, ["menu"]),
        ({"menu": {}}, ["menu.options"]),
        ({"menu": {"options": []}}, ["menu.options"]),
        ({"menu": {"options": [{**OPTION, "key": k} for k in "0123456789*#0"]}}, ["menu.options"]),
        (options(key="12"), ["menu.options.0.key"]),
        (options(key=1), ["menu.options.0.key"]),
        (options(key="A"), ["menu.options.0.key"]),
        (options(action="explode"), ["menu.options.0.action"]),
        (options(target="x" * 1001), ["menu.options.0.target"]),
        (options(target="a\rb"), ["menu.options.0.target"]),
        (options(phrases=["x"] * 21), ["menu.options.0.phrases"]),
        (options(phrases=["x" * 101]), ["menu.options.0.phrases.0"]),
        (options(phrases="sales"), ["menu.options.0.phrases"]),
        (options(phrases=["ok", ""]), ["menu.options.0.phrases.1"]),
    ],
)
async def test_a_fault_names_its_field(change, fields):
    assert await at_fault(change) == fields
    assert await at_fault(change, UpdateFlow) == fields


async def test_what_is_required():
    assert sorted(f["field"] for f in (await refused({}))["errors"]) == ["greeting", "menu", "name"]


@pytest.mark.parametrize(
    "greeting",
    ["${SHELL(id)}", "<speak><break time='9s'/>Hi</speak>", "Press 1 | or 2, & hold; $[1+1] %{x}", "¿Qué tal? 你好 😀"],
)
async def test_what_looks_like_a_program_is_text(greeting, house):
    body, _ = await check_body(CreateFlow, {**GOOD, "greeting": greeting}, None, house.flows.faults)
    made = await house.flows.create(body.model_dump(mode="json", exclude_unset=True))
    await house.active(made["id"])
    assert (greeting, "en-US") in house.speaker.spoken


async def test_a_put_names_what_it_likes():
    for good in ({}, {"max_retries": 0}, {"fallback_target": None, "greeting_url": None, "invalid_prompt": None}):
        body, _ = await check_body(UpdateFlow, good, None)
        assert body.model_dump(mode="json", exclude_unset=True) == good


async def test_answers_are_as_the_page_describes_them(house):
    flow_id = await house.make()
    Flow.model_validate(await house.flows.get(flow_id), strict=False)
    context = SimpleNamespace(
        services=SimpleNamespace(flows=house.flows), id=flow_id, body=Simulate(keys="5,timeout,1,1")
    )
    walk = (await ivr.simulate(context)).data
    Walk.model_validate(walk)
    assert (walk["end"], walk["unused"]) == ("transferred to +14155552671", ("1",))


class Upload:
    """A request with a body of pieces."""

    def __init__(self, *pieces, content_type="audio/wav"):
        self.pieces, self.content_type, self.content = pieces, content_type, self

    async def iter_chunked(self, size):
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


async def uploaded(house, flow_id, request):
    services = SimpleNamespace(flows=house.flows)
    return (await ivr.upload(SimpleNamespace(services=services, id=flow_id, request=request))).data


async def test_audio_larger_than_other_bodies(house):
    flow_id = await house.make()
    shown = await uploaded(house, flow_id, Upload(*[b"x" * 1_000_000] * 10))
    assert shown["greeting_audio"] == "uploaded"
    assert len(house.speaker.kept[0]) == 10_000_000


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (Upload(*[b"x" * 1_000_000] * 11), PayloadTooLarge),
        (Upload(b"x", TimeoutError()), InvalidJson),
        (Upload(b"x", content_type="text/html"), ValidationFailed),
    ],
)
async def test_audio_that_is_not_taken(house, request_, error):
    flow_id = await house.make()
    with pytest.raises(error):
        await uploaded(house, flow_id, request_)
    assert house.speaker.kept == []


def test_the_page_has_every_route():
    page = document(ROUTES)
    paths = page["paths"]
    assert set(paths["/v1/voice/ivr/{id}"]) == {"get", "put", "delete"}
    assert "204" in paths["/v1/voice/ivr/{id}/greeting"]["delete"]["responses"]
    upload = paths["/v1/voice/ivr/{id}/greeting"]["put"]["requestBody"]["content"]
    assert list(upload) == ["audio/wav", "application/octet-stream"]
    shown = {"Flow", "Walk", "SpeechEngine", "CreateFlow", "UpdateFlow", "Simulate"}
    assert shown <= set(page["components"]["schemas"])


async def test_engines():
    from service.speech.engine import EngineState

    state = EngineState("kokoro", True, ("en-US",), ("en-US",), "natural", None)
    context = SimpleNamespace(services=SimpleNamespace(engines=lambda: [state]))
    answer = await ivr.engines(context)
    SpeechEngine.model_validate_json(orjson.dumps(answer.data[0]))
    assert answer.page.total == 1
