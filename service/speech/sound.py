"""Samples into what a telephone plays: 8 kHz, 16 bit, one channel, at a level of its own. For worker processes."""

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

if TYPE_CHECKING:
    from service.speech.engine import Samples

RATE = 8000
PEAK = 10 ** (-3 / 20)  # of full scale
LEVEL = 10 ** (-20 / 20)  # of speech, the pauses left out
PAUSE = 0.3  # seconds between two pieces
_QUIET = 0.01  # of a piece's peak
_LEAD, _TAIL = 0.03, 0.08  # seconds that are left at a piece's ends


def spoken(pieces: "Iterable[tuple[Samples, int]]") -> "Samples":
    """The pieces of one text, each with its rate, one after another at telephone rate and level. May be empty."""
    parts = [trimmed(at_telephone_rate(samples, rate)) for samples, rate in pieces if len(samples)]
    gap = np.zeros(int(PAUSE * RATE), np.float32)
    joined = [part for sound in parts if len(sound) for part in (sound, gap)]
    return levelled(np.concatenate(joined[:-1])) if joined else np.zeros(0, np.float32)


def from_pcm(raw: bytes) -> "Samples":
    """16-bit little-endian samples as samples within ±1."""
    return np.asarray(np.frombuffer(raw, "<i2") / 32768, dtype=np.float32)


def packed(samples: "Samples") -> bytes:
    """As they pass between processes: 4 bytes each."""
    return samples.astype("<f4").tobytes()


def unpacked(data: bytes, sizes: Iterable[int]) -> "Iterator[Samples]":
    """The sounds that were packed, one after another, into so many bytes each."""
    start = 0
    for size in sizes:
        yield np.frombuffer(data, "<f4", size // 4, start)
        start += size


def at_telephone_rate(samples: "Samples", rate: int) -> "Samples":
    if rate == RATE or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, rate, RATE), dtype=np.float32)


def trimmed(samples: "Samples") -> "Samples":
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET * np.abs(samples).max(initial=0))
    if not len(loud):
        return samples[:0]
    return samples[max(0, loud[0] - int(_LEAD * RATE)) : loud[-1] + int(_TAIL * RATE)]


def levelled(samples: "Samples") -> "Samples":
    """At `LEVEL`, or as far as `PEAK` lets it."""
    peak = float(np.abs(samples).max(initial=0))
    if peak == 0:
        return samples
    active = samples[np.abs(samples) > _QUIET * peak]
    rms = float(np.sqrt(np.mean(np.square(active, dtype=np.float64))))
    return samples * np.float32(min(LEVEL / rms, PEAK / peak))


def wav(samples: "Samples") -> bytes:
    """The same samples always make the same bytes."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), RATE, subtype="PCM_16", format="WAV")
    return file.getvalue()
