"""Two-channel raw telephone audio into WAV. 8 kHz, 16 bit, little-endian, the channels interleaved."""

import array
import sys
import wave
from pathlib import Path

RATE = 8000
_PIECE = 65536  # frames


def write_wav(raw: Path, destination: Path, *, swap: bool) -> int:
    """Writes `raw` as WAV, with the other channel first where `swap`. Returns its length in ms."""
    frames = 0
    with raw.open("rb") as source, wave.open(str(destination), "wb") as target:
        target.setnchannels(2)
        target.setsampwidth(2)
        target.setframerate(RATE)
        while piece := source.read(_PIECE * 4):
            piece = piece[: len(piece) // 4 * 4]
            target.writeframesraw(swapped(piece) if swap else piece)
            frames += len(piece) // 4
    return frames * 1000 // RATE


def swapped(piece: bytes) -> bytes:
    """Left and right exchanged."""
    samples = array.array("h", piece)
    assert samples.itemsize == 2
    assert sys.byteorder == "little"
    samples[0::2], samples[1::2] = samples[1::2], samples[0::2]
    return samples.tobytes()
