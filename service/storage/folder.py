"""Recordings in a local folder: one WAV per call, in a folder per nine hours of the ids."""

import asyncio
import os
import secrets
from contextlib import suppress
from pathlib import Path

from service.calls.ids import is_id
from service.storage.wav import write_wav


class Folder:
    """`RecordingStorage` in `root`, which is made at the first use. A file appears under its name when it is whole."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def keep(self, recording_id: str, raw: Path, swap: bool) -> int:
        return await asyncio.to_thread(self._keep, recording_id, raw, swap)

    def _keep(self, recording_id: str, raw: Path, swap: bool) -> int:
        path = self._path(recording_id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(f".{secrets.token_hex(4)}.part")  # another process may be at it as well
        try:
            length = write_wav(raw, unfinished, swap=swap)
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return length

    def find(self, recording_id: str) -> Path | None:
        path = self._path(recording_id)
        return path if path.is_file() else None

    async def delete(self, recording_id: str) -> None:
        """No error where there is none."""
        await asyncio.to_thread(self._delete, recording_id)

    def _delete(self, recording_id: str) -> None:
        path = self._path(recording_id)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # others are in it
            path.parent.rmdir()

    def _path(self, recording_id: str) -> Path:
        if not is_id(recording_id, "call"):
            raise ValueError("not the id of a call")
        # Five characters of an id are nine hours: no folder grows without bound.
        return self._root / recording_id[5:10] / f"{recording_id}.wav"
