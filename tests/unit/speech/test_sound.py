"""Samples at telephone rate and level."""

import numpy as np
import pytest

pytest.importorskip("soxr")
from service.speech import sound


def tone(seconds, level, rate=24_000):
    return (level * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("level", [0.001, 0.1, 1.0])
def test_the_level_is_the_same_whatever_it_was(level):
    spoken = sound.spoken([(tone(1, level), 24_000)])
    assert np.sqrt(np.mean(spoken**2)) == pytest.approx(0.1, rel=0.1)


def test_peaks_stay_below_full_scale():
    clicks = tone(1, 0.01)
    clicks[::4000] = 1
    assert np.abs(sound.spoken([(clicks, 24_000)])).max() <= sound.PEAK + 0.001


def test_silence_around_is_cut_and_pieces_have_a_pause():
    silence = np.zeros(24_000, np.float32)
    piece = np.concatenate([silence, tone(0.5, 0.5), silence])
    assert len(sound.spoken([(piece, 24_000)])) / 8000 == pytest.approx(0.6, abs=0.05)
    assert len(sound.spoken([(piece, 24_000)] * 2)) / 8000 == pytest.approx(1.2 + sound.PAUSE, abs=0.1)


def test_nothing_is_no_sound():
    assert len(sound.spoken([])) == 0
    assert sound.packed(sound.at_telephone_rate(np.zeros(0, np.float32), 24_000)) == b""
    assert len(sound.spoken([(np.zeros(100, np.float32), 8000)])) == 0


def test_sounds_between_processes_are_the_same():
    sounds = [tone(0.1, 0.3), np.zeros(0, np.float32), tone(0.2, 1.5)]
    packed = [sound.packed(each) for each in sounds]
    again = sound.unpacked(b"".join(packed), [len(each) for each in packed])
    assert all(np.array_equal(one, two) for one, two in zip(again, sounds, strict=True))


def test_a_wav_of_16_bit():
    data = sound.wav(np.zeros(8000, np.float32))
    assert data[:4] == b"RIFF"
    assert len(data) == 44 + 16_000
