"""Audio that somebody sent into what a telephone plays. Blocks, and what it reads is hostile: for worker processes."""

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from service.speech.errors import NotAudio
from service.speech.frames import LARGEST
from service.speech.sound import RATE, wav

if TYPE_CHECKING:
    from service.speech.engine import Samples

LONGEST = 300  # seconds
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"})
RATES = range(4000, 192_001)  # Hz
CHANNELS = 8


def convert(data: bytes) -> bytes:
    """`data` as WAV of 8 kHz, 16 bit, one channel, at the level that it has. Raises `NotAudio`.

    Takes at most about 60 MB, whatever its header says.
    """
    return wav(samples(data))


def samples(data: bytes) -> "Samples":
    """The sound in `data` at telephone rate, its channels mixed. Raises `NotAudio`."""
    if len(data) > LARGEST:
        raise NotAudio(f"The file is larger than {LARGEST // 1_000_000} MB.")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return _read(file)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError):
        raise NotAudio("The file is no WAV, FLAC, OGG or MP3 that can be read.") from None


def _read(file: soundfile.SoundFile) -> "Samples":
    if file.format not in FORMATS:
        raise NotAudio("The file is no WAV, FLAC, OGG or MP3.")
    if file.samplerate not in RATES:
        raise NotAudio(f"The file's sample rate is {file.samplerate} Hz; 4,000 to 192,000 can be read.")
    if not 1 <= file.channels <= CHANNELS:
        raise NotAudio(f"The file has {file.channels} channels; 1 to {CHANNELS} can be read.")
    stream = soxr.ResampleStream(file.samplerate, RATE, 1, dtype="float32")
    parts, length = [], 0
    while len(piece := file.read(file.samplerate, dtype="float32", always_2d=True)):
        length += len(piece)
        if length > LONGEST * file.samplerate:
            raise NotAudio(f"The sound is longer than {LONGEST // 60} minutes.")
        mixed = np.nan_to_num(piece.mean(axis=1), nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1)
        parts.append(stream.resample_chunk(mixed))
    if not length:
        raise NotAudio("There is no sound in the file.")
    parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts)
