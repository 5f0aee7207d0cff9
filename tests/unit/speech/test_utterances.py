"""Where a caller begins and ends to speak."""

import pytest

from service.speech.activity import RATE, Detectors, Loudness
from service.speech.utterances import BEGINS, BYTES, LEAD, LONGEST, OVER, PAUSE, Utterances


class Marks:
    """A detector of windows whose first byte is `s`."""

    def likelihood(self, window):
        return 1.0 if window[:1] == b"s" else 0.0


SPEECH, SILENCE = b"s" * BYTES, b"." * BYTES


def told(*pieces):
    caller = Utterances(Marks())
    return [said for piece in pieces for window in piece if (said := caller.feed(window)) is not None]


def test_an_utterance_is_told_at_its_pause_with_a_little_of_what_was_before():
    (said,) = told([SILENCE] * 50, [SPEECH] * 20, [SILENCE] * 50)
    assert said == SILENCE * LEAD + SPEECH * 20 + SILENCE * PAUSE


def test_silence_and_clicks_are_none():
    assert told([SILENCE] * 1000) == []
    assert told(([SPEECH] * (BEGINS - 1) + [SILENCE] * 5) * 100) == []


def test_who_goes_on_after_a_pause_is_heard_from_the_beginning():
    first, whole = told([SPEECH] * 10, [SILENCE] * PAUSE, [SPEECH] * 10, [SILENCE] * PAUSE)
    assert whole == first + SPEECH * 10 + SILENCE * PAUSE


def test_who_speaks_later_is_heard_anew():
    first, second = told([SPEECH] * 10, [SILENCE] * (OVER + LEAD + BEGINS), [SPEECH] * 12, [SILENCE] * PAUSE)
    assert first.count(SPEECH) == 10
    assert second.count(SPEECH) == 12


def test_a_short_breath_is_no_pause():
    (said,) = told([SPEECH] * 10, [SILENCE] * (PAUSE - 1), [SPEECH] * 10, [SILENCE] * PAUSE)
    assert said.count(SPEECH) == 20


def test_who_does_not_stop_is_not_told_and_not_kept():
    caller = Utterances(Marks())
    for _ in range(10 * LONGEST):
        assert caller.feed(SPEECH) is None
    assert len(caller._said) <= LONGEST + 1
    assert all(caller.feed(SILENCE) is None for _ in range(OVER))
    assert [bool(caller.feed(window)) for window in [SPEECH] * 10 + [SILENCE] * PAUSE].count(True) == 1


def test_frames_of_any_size():
    caller, sound = Utterances(Marks()), SPEECH * 10 + SILENCE * 50
    pieces = [caller.feed(sound[at : at + 320]) for at in range(0, len(sound), 320)]
    assert [piece for piece in pieces if piece] == [SPEECH * 10 + SILENCE * PAUSE]


def tone(loud, windows):
    half = (loud.to_bytes(2, "little", signed=True) * 8 + (-loud).to_bytes(2, "little", signed=True) * 8) * 16
    return [half] * windows


def test_loudness_tells_speech_from_a_steady_noise():
    ear = Loudness()
    assert {ear.likelihood(window) for window in tone(100, 50)} == {0.0}
    assert ear.likelihood(tone(3000, 1)[0]) == 1.0
    noisy = [ear.likelihood(window) for window in tone(3000, 20 * RATE // 256)]
    assert noisy[-1] == 0.0  # it is noise, as it does not end
    assert ear.likelihood(SILENCE[:0] + tone(20000, 1)[0]) == 1.0


def test_without_a_model_loudness_decides(monkeypatch):
    monkeypatch.setattr("service.speech.activity.find_spec", lambda _: None)
    detectors = Detectors()
    detectors.load()
    assert isinstance(detectors.detector(), Loudness)


def test_the_model_hears_no_speech_in_silence_and_tones():
    pytest.importorskip("onnxruntime")
    detectors = Detectors()
    detectors.load()
    for loud in (0, 3000):
        ear = detectors.detector()
        assert type(ear).__name__ == "Silero"
        assert max(ear.likelihood(window) for window in tone(loud, 30)) < 0.5


def test_a_model_that_cannot_be_loaded_leaves_loudness(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    broken = tmp_path / "silero_vad.onnx"
    broken.write_bytes(b"no model")
    monkeypatch.setattr("service.speech.activity._model", lambda: broken)
    detectors = Detectors()
    detectors.load()
    assert isinstance(detectors.detector(), Loudness)
