"""What Whisper is asked. The model is a stand-in."""

import math
from types import SimpleNamespace

import pytest

from service.speech.whisper import RATE, Whisper

np = pytest.importorskip("numpy")


class Model:
    def __init__(self, *segments):
        self.segments, self.asked = segments, []

    def transcribe(self, samples, **options):
        self.asked.append(options)
        return iter(self.segments), None


def segment(text, logprob):
    return SimpleNamespace(text=text, avg_logprob=logprob)


@pytest.fixture
def whisper(tmp_path):
    def made(*segments):
        whisper = Whisper("whisper-base", tmp_path)
        whisper.__dict__["_model"] = Model(*segments)
        return whisper

    return made


def hear(whisper, seconds, language="en-US", hint=()):
    alive = []
    return *whisper.hear(np.zeros(int(seconds * RATE), np.float32), language, hint, lambda: alive.append(1)), len(alive)


def test_what_was_said_and_how_sure_it_is(whisper):
    texts, confidence, alive = hear(whisper(segment(" Good day.", -0.2), segment(" It is Ann.", -0.2)), 60)
    assert (texts, alive) == (["Good day. It is Ann."], 2)
    assert confidence == pytest.approx(math.exp(-0.2))


def test_silence_is_nothing_and_not_sure(whisper):
    assert hear(whisper(), 60) == ([""], 0.0, 0)


def test_silence_is_no_part_of_a_message_and_its_sentences_stand_alone(whisper):
    one = whisper()
    hear(one, 60)
    (asked,) = one._model.asked
    assert asked["vad_filter"] is True
    assert (asked["beam_size"], asked["condition_on_previous_text"]) == (5, False)


@pytest.mark.parametrize(("tag", "code"), [("en-US", "en"), ("pt_BR", "pt"), ("nb-NO", "no"), ("zh-Hant-TW", "zh")])
def test_languages(whisper, tag, code):
    one = whisper()
    hear(one, 60, tag)
    assert one._model.asked[0]["language"] == code
    assert one.understands(tag)


def test_what_it_lacks_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("service.speech.whisper.lacking", lambda *_: None)
    assert "no model.bin" in Whisper("whisper-base", tmp_path).missing
