"""The service's workers: children of the part `service`, each named in a file of the folder `run`."""

from contextlib import suppress
from pathlib import Path

from service.stack.home import Home


def workers(home: Home) -> dict[str, int]:
    """The pid of each worker that lives, by its name. A number that has gone to another process is none."""
    found = {}
    with suppress(OSError, ValueError):
        service = int(home.pid_file("service").read_text())
        for file in sorted(home.run.glob("worker-*.pid")):
            with suppress(OSError, ValueError):
                pid = int(file.read_text())
                if _lives(pid, service):
                    found[file.stem.removeprefix("worker-")] = pid
    return found


def _lives(pid: int, parent: int) -> bool:
    """Whether a process is there and the child of that parent (proc_pid_stat(5))."""
    with suppress(OSError):
        state, its_parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return state not in "ZX" and int(its_parent) == parent
    return False
