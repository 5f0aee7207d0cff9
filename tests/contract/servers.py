"""Redis servers of the embedded tree, for tests: one, a cluster, a master under Sentinel."""

import asyncio
import socket
import subprocess
import time
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from service.stack.progress import Progress
from service.stack.settings import StackSettings
from service.stack.tree import ready

SLOTS = 16384
REPLICATED = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")  # replicas come up at once


@cache
def redis_command() -> list[str]:
    """The tree's Redis through the tree's own loader; the tree is built where there is none."""
    tree = asyncio.run(ready(StackSettings().tree, Progress(None))).folder
    loader = next(tree.glob("usr/lib/*/ld-linux-*.so*"))
    return [str(loader), "--library-path", str(loader.parent), str(tree / "usr/bin/redis-server")]


def redis_server(port: int, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    options = f"--port {port} --bind 127.0.0.1 --loglevel warning --dir {folder}".split()
    return subprocess.Popen([*redis_command(), *options, "--save", "", *more], stdout=subprocess.DEVNULL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server; `ask` is blocking, for tests' own questions."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._folder, self._options = folder / str(self.port), options
        self._folder.mkdir()
        self.start()

    def start(self) -> None:
        self.process = redis_server(self.port, self._folder, *self._options)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def ask(self, *command: str | int) -> object:
        with Redis(port=self.port, socket_timeout=2) as client:
            return client.execute_command(*command)

    def says(self, section: str, text: str) -> bool:
        with Redis(port=self.port, socket_timeout=2, decode_responses=True) as client:
            try:
                return text in str(client.execute_command(*section.split()))
            except (RedisError, OSError):
                return False


class Servers:
    """Some servers that `start` brings together, killed together. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.all: list[Server] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.all:
            server.kill()

    def start(self) -> None: ...


class Cluster(Servers):
    """Three masters; with `replica`, the one that has the slot of `key` has a replica."""

    def __init__(self, folder: Path, replica_for: str | None = None) -> None:
        super().__init__(folder)
        self._replica_for = replica_for

    def start(self) -> None:
        nodes = [self._node(self._folder) for _ in range(3 if self._replica_for is None else 4)]
        self.masters = nodes[:3]
        for server in nodes:
            until(lambda s=server: s.says("PING", "True"))
        step = SLOTS // 3 + 1
        for number, server in enumerate(self.masters):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.ask("CLUSTER", "ADDSLOTSRANGE", number * step, min((number + 1) * step, SLOTS) - 1)
        for one, other in combinations(nodes, 2):
            one.ask("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus)
        until(lambda: all(s.says("CLUSTER INFO", "cluster_state:ok") for s in nodes))
        until(lambda: all(s.says("CLUSTER INFO", f"cluster_known_nodes:{len(nodes)}") for s in nodes))
        if self._replica_for is not None:
            slot = int(str(self.masters[0].ask("CLUSTER", "KEYSLOT", self._replica_for)))
            self.master, self.replica = self.masters[slot // step], nodes[3]
            self.replica.ask("CLUSTER", "REPLICATE", self.master.ask("CLUSTER", "MYID"))
            until(lambda: self.replica.says("INFO replication", "'master_link_status': 'up'"))
            until(lambda: all(s.says("CLUSTER SLOTS", str(self.replica.port)) for s in self.masters))

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.masters)

    def _node(self, folder: Path) -> Server:
        bus = str(free_port())
        options = ["--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "700"]
        self.all.append(Server(folder, *options, *REPLICATED))
        self.all[-1].bus = bus
        return self.all[-1]


class Watched(Servers):
    """A master, its replica, and three sentinels of which two are enough to replace it."""

    def start(self) -> None:
        folder = self._folder
        self.master = Server(folder, *REPLICATED)
        self.replica = Server(folder, *REPLICATED, "--replicaof", f"127.0.0.1 {self.master.port}")
        self.all += [self.master, self.replica]
        until(lambda: self.replica.says("INFO replication", "'master_link_status': 'up'"))
        self.sentinels = [self._sentinel(folder) for _ in range(3)]
        for sentinel in self.sentinels:
            until(
                lambda s=sentinel: s.says("SENTINEL MASTERS", "'num-slaves': '1'")
                and s.says("SENTINEL MASTERS", "'num-other-sentinels': '2'")
            )

    @property
    def url(self) -> str:
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels) + "/main/0"

    def _sentinel(self, folder: Path) -> Server:
        conf = folder / f"sentinel-{len(self.all)}.conf"
        conf.write_text(
            f"sentinel monitor main 127.0.0.1 {self.master.port} 2\n"
            "sentinel down-after-milliseconds main 500\n"
            "sentinel failover-timeout main 3000\n"
        )
        self.all.append(Sentinel(conf))
        return self.all[-1]


class Sentinel(Server):
    def __init__(self, conf: Path) -> None:
        self.port, self._conf = free_port(), conf
        self.start()

    def start(self) -> None:
        options = ["--sentinel", "--port", str(self.port), "--bind", "127.0.0.1", "--loglevel", "warning"]
        command = [*redis_command(), str(self._conf), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)


def until(condition, seconds: float = 15) -> None:
    """Waits, blocking, for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the servers did not come together"
        time.sleep(0.02)
