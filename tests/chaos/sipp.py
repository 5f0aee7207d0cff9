"""The far ends, real SIP: one SIPp that is called, and one for each node that calls us."""

import os
import signal
import socket
from asyncio.subprocess import Process
from pathlib import Path
from typing import Self

from service.stack.process import end, send, spawn
from service.stack.tree import Tree
from tests.chaos.numbers import OUR_NUMBER
from tests.chaos.sip_book import SipBook

SCENARIOS = Path(__file__).parent / "scenarios"


class Sipp:
    """One SIPp. It writes `<name>.log`, its book, and `<name>.errors` in `folder`."""

    def __init__(self, tree: Tree, folder: Path, name: str, *options: str) -> None:
        self._folder, self._name = folder, name
        self._argv = (
            *(*tree.sipp, "-nostdin", "-skip_rlimit", "-i", "127.0.0.1", "-bind_local", "-mi", "127.0.0.1"),
            *("-mp", str(free_udp_port()), "-l", "5000"),
            *("-trace_logs", "-log_file", str(folder / f"{name}.log")),
            *("-trace_err", "-error_file", str(folder / f"{name}.errors")),
            *options,
        )
        self._process: Process | None = None

    async def start(self, book: SipBook) -> Self:
        book.follow(self._folder / f"{self._name}.log")
        self._process = await spawn(self._argv, {"PATH": os.defpath}, self._folder / f"{self._name}.screen")
        return self

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def finish(self) -> None:
        """No more new calls; it ends with its last call."""
        if self._process:
            send(self._process, signal.SIGUSR1)

    async def stop(self) -> None:
        if self._process:
            await end(self._process, 0)


def callee(tree: Tree, folder: Path, port: int) -> Sipp:
    """Takes every call to the sandbox carrier, on the carrier's port."""
    return Sipp(tree, folder, "callee", "-sf", str(SCENARIOS / "callee.xml"), "-p", str(port))


def caller(tree: Tree, folder: Path, name: str, port: int, numbers: list[str], rate: float, seconds: int) -> Sipp:
    """Calls our number on the node with this SIP port, `rate` calls a second, and talks for `seconds`."""
    scenario, list_ = folder / f"{name}.xml", folder / f"{name}.csv"
    scenario.write_text((SCENARIOS / "caller.xml").read_text().replace("@TALK_MS@", str(seconds * 1000)))
    list_.write_text("\n".join(["SEQUENTIAL", *numbers, ""]))
    pace = ("-r", "1", "-rp", str(round(1000 / rate)))
    call = (f"127.0.0.1:{port}", "-s", OUR_NUMBER, "-sf", str(scenario), "-inf", str(list_), "-m", str(len(numbers)))
    return Sipp(tree, folder, name, *call, *pace)


def free_udp_port() -> int:
    """A port that nobody has now. SIPp takes it for the media that it does not listen to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
