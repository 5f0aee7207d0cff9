"""The folder of one stack's state. At most one stack holds it at a time."""

import fcntl
import os
import shlex
import time
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from service.stack.errors import StackError
from service.stack.nodes import numbered, numbers

# What a shell that sources `env` gets to know, in this order, and of each further node.
SOURCED = "ORBIT_ENV_FILE"  # in the env file: where it lies
ENV = (
    "ORBIT_HOME", "ORBIT_URL", "ORBIT_LIVE_KEY", "ORBIT_TEST_KEY", "ORBIT_WEBHOOK_SECRET",
    "ORBIT_SIP_UDP", "ORBIT_SIP_TLS",
    "ORBIT_ARI_URL", "ORBIT_ARI_USER", "ORBIT_ARI_PASSWORD",
    "ORBIT_AMI_ADDR", "ORBIT_AMI_USER", "ORBIT_AMI_PASSWORD",
    "ORBIT_REDIS_URL", "ORBIT_CARRIER_ARI_URL",
)  # fmt: skip
NODE_ENV = ("ORBIT_SIP_UDP", "ORBIT_SIP_TLS", "ORBIT_ARI_URL", "ORBIT_AMI_ADDR")


class Home:
    """Names what lies in the folder, and holds it for one launcher by a lock that the kernel frees with the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = folder / "secrets.env"
        self.env = folder / "env"
        self.ports = folder / "ports.json"
        self.tls = folder / "tls"
        self.redis = folder / "redis"
        self.recordings = folder / "recordings"
        self.log = folder / "log"
        self.run = folder / "run"
        self.ready = self.run / "ready"  # there while everything runs
        self._lock_file = folder / "lock"
        self._lock: IO[str] | None = None

    def make(self) -> None:
        """Makes the folders, for the owner alone."""
        for folder in (self.folder, self.tls, self.redis, self.recordings, self.log, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def hold(self) -> None:
        """Takes the folder. Raises `StackError` where another stack has it."""
        self.make()
        lock = self._lock_file.open("a+")
        for _ in range(10):  # `owner` of another process tries the lock for a moment
            if _locked(lock):
                break
            time.sleep(0.02)
        else:
            lock.close()
            raise StackError(f"ORBIT_HOME={self.folder} is in use by process {self.owner()}; stop it or set another")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock
        for stale in self.run.glob("*.pid"):
            stale.unlink()
        self.ready.unlink(missing_ok=True)

    def release(self) -> None:
        """Gives the folder free. Nothing happens where it is not held."""
        if self._lock:
            self.ready.unlink(missing_ok=True)
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def owner(self) -> int | None:
        """The process that holds this folder now, or None. The lock tells, so a reused pid is not mistaken for it."""
        with suppress(FileNotFoundError), self._lock_file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                for _ in range(50):  # the holder writes its number right after it has the lock
                    if number := self._lock_file.read_text().strip():
                        return int(number)
                    time.sleep(0.01)
        return None

    def asterisk(self, part: str) -> Path:
        """The state of the node or of the carrier."""
        return self.folder / part

    def pid_file(self, part: str) -> Path:
        return self.run / f"{part}.pid"

    def worker_file(self, name: str) -> Path:
        """Where the service writes the pid of one of its workers."""
        return self.run / f"worker-{name}.pid"

    def write_env(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Writes the file that a shell can source, and returns what is in it."""
        further = [numbered(name, number) for number in numbers(variables)[1:] for name in NODE_ENV]
        chosen = {name: variables[name] for name in (*ENV, *further)} | {SOURCED: str(self.env)}
        write_variables(self.env, chosen)
        return chosen


def forget_sourced(environ: MutableMapping[str, str]) -> None:
    """Drops what a shell has from the env file of a stack: it describes that stack and is no wish for this one.

    A variable with another value than in that file was set since, and stays; so does ORBIT_HOME.
    """
    for name, value in read_variables(Path(environ.pop(SOURCED, ""))).items():
        if name != "ORBIT_HOME" and environ.get(name) == value:
            del environ[name]


def _locked(file: IO[str]) -> bool:
    """Whether we have the file's lock now."""
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """Writes NAME=value lines that a shell can source and then exports, readable by the owner alone, all at once."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    write_private(path, "\n".join(["set -a", *lines, "set +a", ""]).encode())


def read_variables(path: Path) -> dict[str, str]:
    """Reads what `write_variables` wrote; nothing where there is no such file."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line and line[0] != "#")
    return {name: "".join(shlex.split(value)) for name, _, value in pairs if name}


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file by one with mode 0600."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
