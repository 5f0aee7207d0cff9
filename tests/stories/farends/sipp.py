"""SIPp as a far end: it plays one scenario, over UDP, TCP or TLS."""

import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Self

from service.stack.process import end, spawn
from service.stack.tls import Certificate
from service.stack.tree import Tree
from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.certificates import Authority
from tests.stories.farends.codecs import CODECS
from tests.stories.farends.messages import Message

SCENARIOS = Path(__file__).parent / "scenarios"
TRANSPORTS = {"udp": "u1", "tcp": "t1", "tls": "l1"}
TRACED = re.compile(rb"^(UDP|TCP|TLS) message (sent|received) \[(\d+)\] bytes ?:\n\n", re.MULTILINE | re.IGNORECASE)


class Sipp:
    """Plays `scenario`: `answers` (with `codec`, and echoes media), `refuses` (with `status`), `challenges` (every time
    anew), `silent`, `calls` (`number` at `to`, once, from `caller`), `registers` (the user `number` with `password`),
    or the file of a path. All that are called answer OPTIONS with 200. It has no SRTP.

    `options` are further ones of SIPp's. It lives in `folder`; over TLS it presents `certificate`, one of `authority`
    for its own address unless given.
    """

    def __init__(
        self,
        tree: Tree,
        folder: Path,
        scenario: str | Path,
        *,
        transport: str = "udp",
        codec: str = "PCMU",
        status: str = "503 Service Unavailable",
        to: str = "",
        number: str = "+15005550007",
        caller: str = "+14155550100",
        password: str = "",
        authority: Authority | None = None,
        certificate: Certificate | None = None,
        host: str | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.host, self.transport, self.folder = host or loopback.address(), transport, folder
        self.port = loopback.port(self.host)
        folder.mkdir(parents=True, exist_ok=True)
        source = scenario if isinstance(scenario, Path) else SCENARIOS / f"{scenario}.xml"
        wire = CODECS[codec]
        text = source.read_text()
        for name, value in {
            "PAYLOAD": wire.payload, "RTPMAP": wire.rtpmap, "STATUS": status, "CALLER": caller, "PASSWORD": password,
        }.items():  # fmt: skip
            text = text.replace(f"@{name}@", str(value))
        played = folder / "scenario.xml"
        played.write_text(text)
        self.certificate = certificate or (authority or Authority(folder / "tls")).good(self.host)
        call = (to.split(";")[0], "-s", number, "-m", "1", "-d", "2000") if to else ()
        self._calls = bool(to)
        self._trace = folder / "messages.log"
        self._argv = (
            *(*tree.sipp, *call, "-sf", str(played), "-t", TRANSPORTS[transport]),
            *("-i", self.host, "-bind_local", "-p", str(self.port)),
            *("-mi", self.host, "-mp", str(loopback.port(self.host, SOCK_DGRAM, count=3)), "-rtp_echo"),
            *("-tls_cert", str(self.certificate.cert), "-tls_key", str(self.certificate.key)),
            *("-nostdin", "-skip_rlimit", "-default_behaviors", "all,-bye"),
            *("-trace_msg", "-message_file", str(self._trace), "-message_overwrite", "false"),
            *("-trace_err", "-error_file", str(folder / "errors.log"), *options),
        )

    def at(self) -> str:
        """`host:port;transport=…`, as it stands in a URI."""
        return f"{self.host}:{self.port};transport={self.transport}"

    async def __aenter__(self) -> Self:
        env = {"PATH": os.defpath, "TERM": "dumb"}
        self._process = await spawn(self._argv, env, self.folder / "sipp.log")
        try:
            await until(self._bound)
        except BaseException:
            await end(self._process, 0)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._process, 0)

    async def ended(self) -> bool:
        """Whether the call that it made went as the scenario has it, once it is over."""
        return await self._process.wait() == 0

    def messages(self, method: str | None = None) -> list[Message]:
        """All SIP messages of this transaction's method, requests and responses, in their order."""
        log = self._trace.read_bytes() if self._trace.exists() else b""
        found = [
            Message(block[2] == b"sent", block[1].decode(), log[block.end() : block.end() + int(block[3])].decode())
            for block in TRACED.finditer(log)
        ]
        return [message for message in found if method in (None, message.method)]

    async def _bound(self) -> bool:
        """Whether it listens; one that calls may have ended already."""
        if self._process.returncode is not None:
            errors = self.folder / "errors.log"
            assert self._calls, errors.read_text() if errors.exists() else (self.folder / "sipp.log").read_text()
            return True
        with socket.socket(socket.AF_INET, SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM) as probe:
            try:
                probe.bind((self.host, self.port))
            except OSError:
                return True
        return self._calls
