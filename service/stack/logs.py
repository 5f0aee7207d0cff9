"""The logs of all parts as one stream, each line with the name of its part."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

POLL = 0.2  # seconds
READ = 65_536  # bytes from the end of a log in which its last lines are looked for


class Log:
    """One file that grows; a file that was put aside and begun anew is read from its beginning."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.stem, path
        self._file: BinaryIO | None = None
        self._rest = b""

    def last(self, count: int) -> list[str]:
        """The last lines; what is added later comes from `added`."""
        file = self._opened()
        if file is None:
            return []
        file.seek(max(0, self._path.stat().st_size - READ))
        return self.added()[-count:] if count else self.added()[:0]

    def added(self) -> list[str]:
        """The whole lines since the last look."""
        file = self._opened()
        if file is None:
            return []
        *lines, self._rest = (self._rest + file.read()).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _opened(self) -> BinaryIO | None:
        if not self._path.exists():
            return None
        if self._file and self._path.stat().st_ino != _inode(self._file):
            self._file.close()
            self._file = None
        if self._file is None:
            self._file = self._path.open("rb")
        return self._file


def show(folder: Path, count: int, follow: bool, write: Callable[[str], None]) -> None:
    """Writes the last `count` lines of every `*.log` in the folder and, with `follow`, what comes after them."""
    logs: dict[Path, Log] = {}
    while True:
        for path in sorted(folder.glob("*.log")):
            lines = logs[path].added() if path in logs else logs.setdefault(path, Log(path)).last(count)
            for line in lines:
                write(f"{path.stem:<9}| {line}")
        if not follow:
            return
        time.sleep(POLL)


def _inode(file: BinaryIO) -> int:
    from os import fstat

    return fstat(file.fileno()).st_ino
