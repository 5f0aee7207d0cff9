"""A telephone: one baresip with one account and one codec."""

import asyncio
import json
import os
import re
from pathlib import Path
from socket import SOCK_STREAM
from typing import Any, Self

import numpy as np

from service.stack.process import end, spawn
from service.stack.tls import Certificate
from service.stack.tree import Tree
from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.certificates import Authority
from tests.stories.farends.codecs import CODECS, named
from tests.stories.farends.messages import Message
from tests.stories.sound import wav

CONFIG = Path(__file__).with_suffix(".conf")
TRACED = re.compile(rb"#\n(UDP|TCP|TLS) (\S+) -> (\S+)\n(.*?)\x1b\[;m\n", re.DOTALL)
SRTP = re.compile(r"SRTP is Enabled \(cryptosuite=(\S+)\)")
CODEC = re.compile(r"Set audio (encoder|decoder): (\S+)")


class Baresip:
    """Answers calls to `number`, says `says` (an 8 kHz WAV) and records what it hears; or dials.

    `encryption` as in a trunk: `tls_srtp` demands SRTP, the others have none. Over TLS it presents `certificate`, one
    of `authority` for its own address unless given, and checks the other's against `certificate.ca` where `verify`.
    `password` is for challenges; the user is `number`. It lives in `folder`.
    """

    def __init__(
        self,
        tree: Tree,
        folder: Path,
        says: Path,
        *,
        number: str = "+15005550007",
        encryption: str = "none",
        transport: str | None = None,
        codec: str = "PCMU",
        authority: Authority | None = None,
        certificate: Certificate | None = None,
        verify: bool = False,
        password: str = "",
        host: str | None = None,
    ) -> None:
        self.host = host or loopback.address()
        self._port = loopback.port(self.host, count=2)  # TLS is on the second
        self._control = loopback.port(self.host, SOCK_STREAM)
        self.folder, self.number, self.codec = folder, number, codec
        self.transport = transport or ("udp" if encryption == "none" else "tls")
        self._tree, self._encryption, self._password = tree, encryption, password
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = certificate or (authority or Authority(folder / "tls")).good(self.host)
        self._heard = folder / "heard.wav"
        self._values = {
            "HOST": self.host,
            "PORT": self._port,
            "CONTROL": self._control,
            "CERT": folder / "both.pem",
            "CA": self.certificate.ca,
            "VERIFY": "yes" if verify else "no",
            "HEARD": self._heard,
            "SAYS": says,
            "ALERT": folder / "alert.wav",
            "RTP": f"{loopback.RTP.start}-{loopback.RTP.stop - 1}",
            "MODULES": tree.baresip_modules,
        }
        self.events: list[dict[str, Any]] = []
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def at(self) -> str:
        """`host:port;transport=…`, as it stands in a URI."""
        return f"{self.host}:{self._port + (self.transport == 'tls')};transport={self.transport}"

    async def __aenter__(self) -> Self:
        self._configure()
        argv = (*self._tree.baresip, "-4", "-s", "-f", str(self.folder))
        self._process = await spawn(argv, {"PATH": os.defpath, "HOME": str(self.folder)}, self._log)
        try:
            self._reader, self._writer = await until(self._connected)
        except BaseException:
            await end(self._process, 0)
            raise
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        self._writer.close()
        await end(self._process, 2)

    @property
    def source(self) -> str:
        """The address that its calls come from. It binds none before it connects, and so its TCP and TLS leave from
        127.0.0.1; its RTP always does."""
        return self.host if self.transport == "udp" else "127.0.0.1"

    async def dials(self, number: str, at: str) -> None:
        """Calls `number` at `at` (`host:port`), over its own transport."""
        await self.command("dial", f"sip:{number}@{at.split(';')[0]}")

    async def hangs_up(self) -> None:
        await self.command("hangup")

    async def established(self, seconds: float = 15) -> None:
        """Returns once a call is up."""
        await self._seen("CALL_ESTABLISHED", seconds)

    async def closed(self, seconds: float = 15) -> str:
        """The reason of the end of the call, once it has ended, in baresip's words: `486 Busy Here`."""
        return str((await self._seen("CALL_CLOSED", seconds)).get("param", ""))

    @property
    def media_port(self) -> int:
        """Where it takes RTP, and sends it from, in its last call."""
        return next(message.sdp.port for message in reversed(self.messages("INVITE")) if message.sent and message.sdp)

    @property
    def negotiated(self) -> str:
        """The codec that it sends with. Raises IndexError where no call was up."""
        return named([name for which, name in CODEC.findall(self.log) if which == "encoder"][-1])

    @property
    def suite(self) -> str | None:
        """The SRTP suite in use; None where its media is plain."""
        found = SRTP.findall(self.log)
        return str(found[-1]) if found else None

    def heard(self) -> tuple[np.ndarray, int]:
        """What it heard, and in which sampling rate; whole once the call has ended."""
        return wav(self._heard.read_bytes())

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def messages(self, method: str | None = None) -> list[Message]:
        """All SIP messages of this transaction's method, requests and responses, in their order."""
        found = [self._message(*map(bytes.decode, block)) for block in TRACED.findall(self._log.read_bytes())]
        return [message for message in found if method in (None, message.method)]

    def _message(self, transport: str, source: str, destination: str, text: str) -> Message:
        """What it dials over TCP or TLS does not leave from its address; then its own name is in its requests alone."""
        ours = f"{self.host}:"
        if source.startswith(ours) or destination.startswith(ours):
            return Message(source.startswith(ours), transport, text)
        received = Message(False, transport, text)
        asked = f"@{self.host}" in (received.header("From") or "")
        return Message(asked == (received.status is None), transport, text)

    async def command(self, name: str, parameters: str = "") -> str:
        """Gives a command of baresip's menu and returns what it answers. Fails where it refuses."""
        token = f"{name}-{len(self._answers)}"
        self._answers[token] = asyncio.get_running_loop().create_future()
        order = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self._writer.write(b"%d:%s," % (len(order), order))
        await asyncio.wait((self._reading, self._answers[token]), timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if self._reading.done():
            self._reading.result()
        assert self._answers[token].done(), f"no answer to {name}:\n{self.log}"
        answer = self._answers[token].result()
        assert answer["ok"], answer
        return str(answer["data"])

    @property
    def _log(self) -> Path:
        return self.folder / "baresip.log"

    def _configure(self) -> None:
        text = CONFIG.read_text()
        for name, value in self._values.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "config").write_text(text)
        pem = self.certificate.key.read_text() + self.certificate.cert.read_text()
        (self.folder / "both.pem").write_text(pem)
        options = [
            "regint=0",
            "answermode=auto",
            f"audio_codecs={CODECS[self.codec].baresip}",
            *(["mediaenc=srtp-mand"] if self._encryption == "tls_srtp" else []),
            *([f"auth_pass={self._password}"] if self._password else []),
        ]
        account = f"<sip:{self.number}@{self.host};transport={self.transport}>"
        (self.folder / "accounts").write_text(";".join([account, *options]) + "\n")
        (self.folder / "contacts").touch()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        assert self._process.returncode is None, self.log
        try:
            return await asyncio.open_connection(self.host, self._control)
        except OSError:
            return None

    async def _read(self) -> None:
        """Netstrings of JSON: events, and answers to commands."""
        while True:
            size = int((await self._reader.readuntil(b":"))[:-1])
            message = json.loads((await self._reader.readexactly(size + 1))[:-1])
            if message.get("event"):
                self.events.append(message)
            elif waiting := self._answers.get(message.get("token")):
                waiting.set_result(message)

    async def _seen(self, kind: str, seconds: float) -> dict[str, Any]:
        async def found() -> dict[str, Any] | None:
            return next((event for event in reversed(self.events) if event["type"] == kind), None)

        return dict(await until(found, seconds))
