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
    power = np.convolve(heard**2, np.ones(len(wanted)), "valid")
    return float(np.max(product / np.sqrt(np.maximum(power, 1) * np.sum(wanted**2))))


def loudness(heard: np.ndarray) -> float:
    """RMS."""
    return float(np.sqrt(np.mean(heard**2))) if len(heard) else 0.0
