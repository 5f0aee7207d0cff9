"""What somebody sent becomes what a telephone plays, or a reason."""

import io
import struct
import time
from contextlib import suppress

import numpy as np
import pytest

from service.speech import audio
from service.speech.errors import NotAudio

soundfile = pytest.importorskip("soundfile")


def file(rate=16_000, seconds=1.0, channels=1, **form) -> bytes:
    t = np.arange(int(rate * seconds)) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    out = io.BytesIO()
    soundfile.write(out, np.stack([tone] * channels, axis=1), rate, **{"format": "WAV", **form})
    return out.getvalue()


def read(data: bytes):
    samples, rate = soundfile.read(io.BytesIO(data))
    assert rate == 8000
    assert samples.ndim == 1
    return samples


@pytest.mark.parametrize(
    "data",
    [
        file(),
        file(8000, subtype="ULAW"),
        file(44_100, channels=2, subtype="PCM_24"),
        file(48_000, subtype="FLOAT"),
        file(22_050, format="FLAC"),
        file(48_000, channels=2, format="OGG", subtype="VORBIS"),
        file(44_100, format="MP3"),
    ],
    ids=["16 kHz", "ulaw", "24 bit stereo", "float", "flac", "ogg", "mp3"],
)
def test_any_usual_file(data):
    samples = read(audio.convert(data))
    assert 0.95 < len(samples) / 8000 < 1.1
    assert 0.3 < np.sqrt(np.mean(samples[2000:6000] ** 2)) < 0.4


def test_the_same_file_makes_the_same_bytes():
    assert audio.convert(file()) == audio.convert(file())


def header(rate=8000, channels=1, bits=16, size=0xFFFFFFF0, kind=1) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    return b"RIFF%sWAVEfmt %s%sdata%s" % (struct.pack("<I", size), struct.pack("<I", 16), form, struct.pack("<I", size))


BAD = {
    "empty": b"",
    "text": b"hello",
    "no sound": file(seconds=0),
    "a header alone": header(),
    "0 Hz": header(rate=0) + bytes(100),
    "4 GHz": header(rate=0xFFFFFFFF) + bytes(100),
    "65535 channels": header(channels=65535) + bytes(100),
    "no channel": header(channels=0) + bytes(100),
    "a kind that is none": header(kind=0x7777) + bytes(100),
    "cut off": file()[:30],
    "aiff": file(format="AIFF"),
    "too long": file(4000, 301, subtype="ULAW"),
    "too large": b"RIFF" + bytes(audio.LARGEST),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_none(data):
    with pytest.raises(NotAudio, match=r"^[A-Z].*\.$"):
        audio.convert(data)


def test_a_header_that_promises_more_than_there_is():
    begun = time.perf_counter()
    assert len(read(audio.convert(header() + bytes(16_000)))) == 8000
    assert time.perf_counter() - begun < 1


def test_samples_that_are_no_numbers():
    samples = np.array([np.nan, np.inf, -np.inf, 1e30, 0.1] * 1000, dtype=np.float32)
    out = io.BytesIO()
    soundfile.write(out, samples, 8000, format="WAV", subtype="FLOAT")
    assert np.abs(read(audio.convert(out.getvalue()))).max() <= 1


def test_damaged_files_are_read_or_refused():
    whole = [file(), file(format="FLAC"), file(format="OGG", subtype="VORBIS"), file(44_100, format="MP3")]
    random = np.random.default_rng(5)
    for data in whole:
        for _ in range(50):
            broken = bytearray(data)
            for place in random.integers(0, len(data), 20):
                broken[place] = random.integers(0, 256)
            with suppress(NotAudio):
                audio.convert(bytes(broken))
