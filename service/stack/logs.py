"""The logs of all parts as one stream, each line with the name of its part."""

import os
import time
from collections.abc import Callable
from pathlib import Path

POLL = 0.2  # seconds
READ = 65_536  # bytes from the end of a log in which its last lines are looked for


class Log:
    """One file that grows; where it was put aside and begun anew, it is read from its beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._read, self._rest = 0, 0, b""

    def last(self, count: int) -> list[str]:
        """The last lines; what is added later comes from `added`."""
        status = self._path.stat()
        self._inode, self._read = status.st_ino, max(0, status.st_size - READ)
        lines = self.added()
        return lines[max(0, len(lines) - count) :]

    def added(self) -> list[str]:
        """The whole lines since the last look."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            if (inode := os.fstat(file.fileno()).st_ino) != self._inode:
                self._inode, self._read, self._rest = inode, 0, b""
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


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
