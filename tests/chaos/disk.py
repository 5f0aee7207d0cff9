"""A disk for recordings that is small enough to be filled."""

import asyncio
import os
from pathlib import Path
from typing import Self

MEGABYTES = 256


class SmallDisk:
    """A tmpfs on `folder`, where this process may mount one (`is_small`)."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.is_small = folder, False
        self._filler = folder / "filler"

    async def __aenter__(self) -> Self:
        self.folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            options = f"size={MEGABYTES}m,mode=0700"
            self.is_small = await _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)) == 0
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.is_small:
            await _run("umount", "--lazy", str(self.folder))

    def fill(self) -> None:
        """Leaves no byte free."""
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


async def _run(*argv: str) -> int:
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()
