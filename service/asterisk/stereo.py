"""Two files of one channel each, as the node records them, into one of two channels, interleaved. 16 bit samples."""

import array
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_PIECE = 65_536  # samples of one channel


def interleave(left: Path, right: Path, destination: Path) -> None:
    """Writes both as one. The shorter is silent to the end, one that is missing all the time."""
    with _opened(left) as one, _opened(right) as other, destination.open("wb") as target:
        while longest := max(map(len, pieces := [_whole(file.read(_PIECE * 2)) for file in (one, other)])):
            both = array.array("h", bytes(longest * 4))
            for channel, samples in enumerate(pieces):
                samples.extend(array.array("h", bytes((longest - len(samples)) * 2)))
                both[channel::2] = samples
            target.write(both.tobytes())


def _opened(path: Path) -> BinaryIO:
    return path.open("rb") if path.exists() else BytesIO()


def _whole(piece: bytes) -> "array.array[int]":
    return array.array("h", piece[: len(piece) // 2 * 2])
