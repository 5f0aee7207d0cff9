"""The folder of prompts: `<hash>.wav` is a WAV file by its own content; `by-text/<key>` points to the one that a text
became. Files are written whole or not at all, and never change."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from service.speech.engine import Voice
from service.speech.errors import SpeechUnavailable

HASH = 40  # hexadecimal digits of a name
HEADER, _BYTES_PER_MS = 44, 16  # bytes, of a WAV file at 8 kHz, 16 bit, one channel


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sound that every node can play."""

    hash: str  # the first 40 digits of the SHA-256 of the file
    path: Path
    duration_ms: int
    engine: str  # who spoke it; `upload` where nobody did


def key_of(voice: Voice, version: str, text: str) -> str:
    """The same for the same words of the same voice of the same engine. `text` is normalised."""
    said = "\0".join((voice.engine, version, voice.name, voice.language, text))
    return hashlib.sha256(said.encode()).hexdigest()[:HASH]


class Prompts:
    """Owns `folder`, which several processes may share. Its methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._by_text = folder, folder / "by-text"

    def find(self, key: str, engine: str) -> Prompt | None:
        """What that text became; None where it has not been spoken yet."""
        try:
            path = self._folder / (self._by_text / key).readlink().name
            return _prompt(path, path.stat().st_size, engine)
        except OSError:
            return None

    def keep(self, wav: bytes, engine: str, key: str = "") -> Prompt:
        """Writes the file, and that `key` is this one. Raises `SpeechUnavailable` where that cannot be written."""
        path = self._folder / f"{hashlib.sha256(wav).hexdigest()[:HASH]}.wav"
        new = self._folder / f".{uuid4().hex}"
        try:
            self._by_text.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                with new.open("xb") as file:
                    file.write(wav)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(path)
            if key:
                new.symlink_to(path.absolute())
                new.replace(self._by_text / key)
        except OSError as error:
            raise SpeechUnavailable(f"The prompt cannot be kept: {error.strerror or type(error).__name__}.") from error
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)
        return _prompt(path, len(wav), engine)


def _prompt(path: Path, size: int, engine: str) -> Prompt:
    return Prompt(path.stem, path, max(0, size - HEADER) // _BYTES_PER_MS, engine)
