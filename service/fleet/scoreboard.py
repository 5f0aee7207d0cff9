"""The folder in which workers keep their counters, so that whichever of them is asked for /metrics answers for all
(prometheus_client's multiprocess mode). It lies in memory: a full disk must not stop a worker from starting."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEMORY = Path("/dev/shm")  # noqa: S108 (the folder in it is private, and its name is nobody's secret)
PREFIX = "orbit-metrics-"


@contextmanager
def scoreboard() -> Iterator[None]:
    """A folder of this process's own, named to its workers by the environment; gone with it, or with the next start of
    any fleet where this one is killed."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else Path(gettempdir())
    for stale in place.glob(f"{PREFIX}*"):
        if not Path("/proc", stale.name.removeprefix(PREFIX)).exists() and stale.stat().st_uid == os.getuid():
            shutil.rmtree(stale, ignore_errors=True)
    folder = place / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def gone(pid: int) -> None:
    """A worker has ended: what it counted stays, what it measured does not."""
    for file in Path(os.environ[VARIABLE]).glob(f"gauge_live*_{pid}.db") if VARIABLE in os.environ else ():
        file.unlink(missing_ok=True)
