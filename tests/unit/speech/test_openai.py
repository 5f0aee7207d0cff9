"""An endpoint that speaks OpenAI's API, played by a server here."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from service.speech.engine import Voice
from service.speech.errors import SpeechUnavailable
from service.speech.openai import OpenAi

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def endpoint():
    """What it answers, in turn; and what it was asked."""
    answers, asked = [], []

    async def speech(request):
        asked.append((await request.json(), request.headers.get("Authorization")))
        return answers.pop(0)

    app = web.Application()
    app.router.add_post("/v1/audio/speech", speech)
    async with TestServer(app) as server:
        engine = OpenAi(f"{server.make_url('/v1/')}", "key", "model", "nova")
        yield engine, answers, asked


async def ask(engine) -> bytes:
    return await engine.fetch("Press one.", Voice("openai", "nova", "en-US"))


async def test_it_is_asked_for_a_wav(endpoint):
    engine, answers, asked = endpoint
    answers.append(web.Response(body=b"RIFF"))
    assert await ask(engine) == b"RIFF"
    wish = {"model": "model", "input": "Press one.", "voice": "nova", "response_format": "wav"}
    assert asked == [(wish, "Bearer key")]


async def test_a_fault_of_its_own_is_tried_once_more(endpoint):
    engine, answers, _ = endpoint
    answers += [web.Response(status=500), web.Response(body=b"RIFF")]
    assert await ask(engine) == b"RIFF"


@pytest.mark.parametrize(("statuses", "asked_for"), [((401,), 1), ((500, 503), 2), ((302,), 1)])
async def test_what_it_refuses_is_told_without_its_address(endpoint, statuses, asked_for):
    engine, answers, asked = endpoint
    answers += [web.Response(status=status, headers={"Location": "/v1/other"}) for status in statuses]
    with pytest.raises(SpeechUnavailable, match=f"HTTP {statuses[-1]}") as told:
        await ask(engine)
    assert len(asked) == asked_for
    assert "127.0.0.1" not in str(told.value)


async def test_nobody_listens():
    with pytest.raises(SpeechUnavailable, match="ClientConnectorError"):
        await ask(OpenAi("http://127.0.0.1:9/v1", "", "model", "nova"))


async def test_an_answer_without_end_is_cut(endpoint, monkeypatch):
    monkeypatch.setattr("service.speech.openai.LARGEST", 1000)
    engine, answers, _ = endpoint
    answers.append(web.Response(body=bytes(2000)))
    with pytest.raises(SpeechUnavailable, match="more than"):
        await ask(engine)
