"""What can be heard: WAV bytes into channels, and how much of a known prompt is in one."""

import io
import wave
from pathlib import Path

import numpy as np


def channels(wav: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Left and right of a two-channel 8 kHz 16-bit WAV."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    return samples[0::2], samples[1::2]


def wav(data: bytes) -> tuple[np.ndarray, int]:
    """The samples of a 16-bit WAV, of its first channel, and their number in a second. One that is not yet whole, whose
    header says too little, is read to where it ends."""
    with wave.open(io.BytesIO(data)) as file:
        count, rate, start = file.getnchannels(), file.getframerate(), data.index(b"data") + 8
        assert file.getsampwidth() == 2
    samples = np.frombuffer(data[start : start + (len(data) - start) // (2 * count) * 2 * count], "<i2")
    return samples[::count].astype(float), rate


def at_8_khz(samples: np.ndarray, rate: int) -> np.ndarray:
    """The same sound in 8,000 samples a second, without what is above 4 kHz."""
    if rate == 8000:
        return samples
    seconds = -(-len(samples) // rate)  # whole seconds have a whole number of samples at both rates
    spectrum = np.fft.rfft(samples, seconds * rate)[: seconds * 4000 + 1]
    return np.fft.irfft(spectrum, seconds * 8000)[: len(samples) * 8000 // rate] * 8000 / rate


def prompt(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def likeness(heard: np.ndarray, said: np.ndarray, seconds: float = 1.0) -> float:
    """The best normalised correlation of the first `seconds` of `said` with any part of `heard`: 1 is the same sound,
    below 0.3 is another one."""
    wanted = said[: int(seconds * 8000)]
    wanted = wanted - wanted.mean()
    if len(heard) < len(wanted):
        return 0.0
    size = 1 << (len(heard) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)
    product = product[: len(heard) - len(wanted) + 1]
    power = _power(heard, len(wanted))
    return float(np.max(product / np.sqrt(np.maximum(power, 1) * np.sum(wanted**2))))


def part_of(heard: np.ndarray, said: np.ndarray, seconds: float = 1.0) -> float:
    """As `likeness`, of the loudest stretch of `heard` with any part of `said`, or of another one that is more alike:
    whatever was lost at the beginning or said again. 0 where there is no sound or not so much of it. All at 8 kHz."""
    length, best = int(seconds * 8000), 0.0
    power = _power(heard, length) if len(heard) >= length else np.zeros(1)
    for start in (int(np.argmax(power)), *range(0, len(power), length // 4)):
        if power[start] > length * 50**2 and best <= 0.9:
            best = max(best, likeness(said, heard[start : start + length], seconds))
    return best


def _power(heard: np.ndarray, length: int) -> np.ndarray:
    """The sum of squares of every stretch of that length."""
    sums = np.concatenate(([0.0], np.cumsum(heard**2)))
    return sums[length:] - sums[:-length]


def loudness(heard: np.ndarray) -> float:
    """RMS."""
    return float(np.sqrt(np.mean(heard**2))) if len(heard) else 0.0
