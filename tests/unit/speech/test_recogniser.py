"""Speech into text: which engine, what it is asked, and what happens where it fails. The engines are stand-ins."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from service.settings import Settings
from service.speech import recogniser as module
from service.speech.errors import SpeechUnavailable
from service.speech.recogniser import Heard, Recogniser

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Worker:
    """Of a recogniser: it remembers what it was asked."""

    def __init__(self, name, argv, **bounds):
        self.name, self.argv, self.pid = name, argv, None
        self.asked = []

    async def ask(self, head, payload=b""):
        self.asked.append((head, payload))
        self.pid = 1
        return json.dumps([["sales", "sails"], 0.9]).encode()

    async def close(self):
        self.pid = None


@pytest.fixture(autouse=True)
def workers(monkeypatch):
    monkeypatch.setattr(module, "WorkerProcess", Worker)
    monkeypatch.setattr("service.speech.whisper.lacking", lambda *_: None)


def models(folder, *names):
    for name in names:
        (folder / name).mkdir()
        for file in ("model.bin", "config.json", "tokenizer.json"):
            (folder / name / file).touch()
    return Recogniser(Settings(speech_models=folder))


async def test_the_best_that_is_installed_hears_a_language(tmp_path):
    both = models(tmp_path, "whisper-base", "whisper-tiny.en")
    assert both.engine("en-US") == both.engine("pt-BR") == both.engine("nb-NO") == "whisper-base"
    assert both.engine("tlh") is None


async def test_the_small_one_hears_english_alone(tmp_path):
    small = models(tmp_path, "whisper-tiny.en")
    assert small.engine("en-GB") == "whisper-tiny.en"
    assert small.engine("es-ES") is None
    states = {state.name: state for state in small.engines()}
    assert not states["whisper-base"].installed
    assert "no model.bin" in states["whisper-base"].error
    assert states["whisper-tiny.en"].chosen_for == ("en",)


async def test_without_any_nothing_is_started_and_that_is_said(tmp_path):
    none = models(tmp_path)
    await none.warm("en-US")
    with pytest.raises(SpeechUnavailable, match="understands"):
        await none.transcribe(b"", "en-US")
    assert all(not worker.asked for worker in none._workers.values())


async def test_samples_and_files_are_heard(tmp_path):
    ears = models(tmp_path, "whisper-base")
    assert await ears.transcribe(b"\0\0", "en-US", hint=["sales"]) == Heard("sales", 0.9, ("sails",))
    await ears.transcribe(tmp_path / "message.wav", "en-US")
    (first, sound), (second, nothing) = ears._workers["whisper-base"].asked
    assert (first, sound) == ({"language": "en-US", "hint": ["sales"], "rate": 8000}, b"\0\0")
    assert second["path"] == str(tmp_path / "message.wav")
    assert nothing == b""


async def test_it_is_warmed_once(tmp_path):
    ears = models(tmp_path, "whisper-base")
    await ears.warm("en-US")
    await ears.warm("en-US")
    assert len(ears._workers["whisper-base"].asked) == 1


@pytest.fixture
async def endpoint():
    """What an OpenAI-compatible endpoint was asked, and what it shall answer."""
    asked = []

    async def answer(request):
        form = await request.post()
        asked.append({name: form[name].file.read() if name == "file" else form[name] for name in form})
        asked[-1]["authorization"] = request.headers.get("Authorization")
        return endpoint.reply()

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", answer)
    async with TestServer(app) as server:
        endpoint.asked, endpoint.url = asked, str(server.make_url("/v1"))
        endpoint.reply = lambda: web.json_response({"text": " Sales. "})
        yield endpoint


async def test_an_endpoint_hears_before_all_others(tmp_path, endpoint):
    settings = Settings(speech_models=tmp_path, recognition_url=endpoint.url, recognition_key="k")
    ears = Recogniser(settings)
    assert ears.engine("xx") == "openai"
    assert await ears.transcribe(b"\0\0" * 8, "en-US", hint=["sales"]) == Heard("Sales.", 1.0)
    (asked,) = endpoint.asked
    assert asked["file"][:4] == b"RIFF"
    assert asked["file"].endswith(b"\0\0" * 8)
    assert (asked["language"], asked["model"], asked["prompt"]) == ("en", "whisper-1", "sales")
    assert asked["authorization"] == "Bearer k"


@pytest.mark.parametrize(
    "reply",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="no json"),
        lambda: web.json_response([]),
        lambda: web.json_response({}),
        lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
    ],
)
async def test_an_endpoint_that_fails_is_an_error_of_ours(tmp_path, endpoint, reply):
    endpoint.reply = reply
    with pytest.raises(SpeechUnavailable, match="ORBIT_RECOGNITION_URL"):
        await Recogniser(Settings(speech_models=tmp_path, recognition_url=endpoint.url)).transcribe(b"", "en-US")


async def test_an_endpoint_that_is_away_is_an_error_of_ours(tmp_path):
    away = Settings(speech_models=tmp_path, recognition_url="http://127.0.0.1:9/v1")
    with pytest.raises(SpeechUnavailable):
        await Recogniser(away).transcribe(b"", "en-US")
