"""A far end that says word for word what a story wants: status lines, a challenge, nothing, or a broken connection."""

import asyncio
import re
import secrets
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from service.stack.tls import Certificate
from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.messages import Message

RESET = "RST"
SOON = 0.1  # seconds in which the other side reads what was said; a RST would take it away
NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends a RST
CHALLENGES = {"401": "WWW-Authenticate", "407": "Proxy-Authenticate"}
SDP = "v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\nm=audio 9 RTP/AVP 0\n"
DIALOG = ("180", "183", "200")  # answers with a Contact


class Scripted:
    """Answers every INVITE with `replies` (`486 Busy Here`), in their order; `RESET` breaks the connection there. 401
    and 407 challenge, 200 carries SDP with plain RTP, 302 sends the call to `elsewhere`. A function of the number of
    the INVITE, from 0, gives the replies of each. BYE, CANCEL and OPTIONS are answered as they should be, OPTIONS not
    at all where it is `deaf`.

    Over TLS it presents `certificate`.
    """

    def __init__(
        self,
        *replies: str,
        each: Callable[[int], Sequence[str]] | None = None,
        transport: str = "udp",
        certificate: Certificate | None = None,
        elsewhere: str = "",
        deaf: bool = False,
        host: str | None = None,
    ) -> None:
        self.host, self.transport = host or loopback.address(), transport
        self._each = each or (lambda _: replies)
        self._certificate, self._elsewhere, self._deaf = certificate, elsewhere, deaf
        self._port = loopback.port(self.host)
        self._messages: list[Message] = []
        self._branches: list[str] = []

    def at(self) -> str:
        """`host:port;transport=…`, as it stands in a URI."""
        return f"{self.host}:{self._port};transport={self.transport}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        if self.transport == "udp":
            here = (self.host, self._port)
            self._server: Any = (await loop.create_datagram_endpoint(lambda: _Datagrams(self), here))[0]
            return self
        context = None
        if self.transport == "tls":
            assert self._certificate
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.cert, self._certificate.key)
        self._server = await loop.create_server(lambda: _Stream(self), self.host, self._port, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def messages(self, method: str | None = None) -> list[Message]:
        """All SIP messages of this transaction's method, requests and responses, in their order."""
        return [message for message in self._messages if method in (None, message.method)]

    @property
    def invites(self) -> list[Message]:
        """Each once, however often it was sent."""
        found = {message.header("Via"): message for message in self.messages("INVITE") if message.status is None}
        return list(found.values())

    async def called(self) -> None:
        """Returns once there was an INVITE."""

        async def came() -> bool:
            return bool(self.invites)

        await until(came)

    def says(self, reply: str) -> None:
        """One more answer to the last INVITE."""
        self._answer(self._invite, reply)

    def resets(self) -> None:
        """Breaks the connection of the last INVITE."""
        self._answer(self._invite, RESET)

    def _take(self, text: str, peer: "Peer") -> None:
        message = Message(False, self.transport.upper(), text, peer.host)
        self._messages.append(message)
        if message.status is None and message.method == "INVITE":
            branch = message.header("Via") or ""
            if branch not in self._branches:
                self._branches.append(branch)
                self._invite = (message, peer)
                for reply in self._each(len(self._branches) - 1):
                    self._answer(self._invite, reply)
        elif message.status is None and message.method != "ACK" and not (self._deaf and message.method == "OPTIONS"):
            self._answer((message, peer), "200 OK")
            if message.method == "CANCEL":
                self._answer(self._invite, "487 Request Terminated")

    def _answer(self, request: "tuple[Message, Peer]", reply: str) -> None:
        message, peer = request
        if reply == RESET:
            asyncio.get_running_loop().call_later(SOON, peer.resets)
            return
        text = self._response(message, reply)
        self._messages.append(Message(True, self.transport.upper(), text, peer.host))
        peer.send(text.encode())

    def _response(self, request: Message, reply: str) -> str:
        code, invite = reply[:3], request.method == "INVITE"
        lines = [f"SIP/2.0 {reply}", *re.findall(r"^Via:.*?(?=\r$)", request.text, re.MULTILINE | re.IGNORECASE)]
        lines += [f"{name}: {request.header(name)}" for name in ("From", "Call-ID", "CSeq")]
        to = request.header("To") or ""
        lines.append(f"To: {to}" + ("" if ";tag=" in to or code == "100" else ";tag=far"))
        if code in CHALLENGES:
            nonce = secrets.token_hex(8)
            lines.append(f'{CHALLENGES[code]}: Digest realm="far", nonce="{nonce}", algorithm=MD5, qop="auth"')
        if code == "302":
            lines.append(f"Contact: <sip:+12025551234@{self._elsewhere}>")
        elif invite and code in DIALOG:
            lines.append(f"Contact: <sip:far@{self.at()}>")
        body = ""
        if invite and code == "200":
            body = SDP.format(host=self.host).replace("\n", "\r\n")
            lines.append("Content-Type: application/sdp")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])


class Peer(Protocol):
    """Whoever sent a request."""

    host: str

    def send(self, data: bytes) -> None: ...

    def resets(self) -> None: ...


class _From:
    def __init__(self, transport: asyncio.DatagramTransport, address: Any) -> None:
        self._transport, self._address, self.host = transport, address, address[0]

    def send(self, data: bytes) -> None:
        self._transport.sendto(data, self._address)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, far: Scripted) -> None:
        self._far = far

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        if data.strip():
            self._far._take(data.decode(), _From(self._transport, peer))


class _Stream(asyncio.Protocol):
    """One connection; messages are cut out of it by their Content-Length (RFC 3261, 18.3)."""

    def __init__(self, far: Scripted) -> None:
        self._far, self._rest = far, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self.host = transport.get_extra_info("peername")[0]

    def data_received(self, data: bytes) -> None:
        self._rest = (self._rest + data).lstrip(b"\r\n")  # keep-alive
        while b"\r\n\r\n" in self._rest:
            head, _, rest = self._rest.partition(b"\r\n\r\n")
            found = re.search(rb"^Content-Length: *(\d+)", head, re.MULTILINE | re.IGNORECASE)
            size = int(found[1]) if found else 0
            if len(rest) < size:
                return
            self._rest = rest[size:].lstrip(b"\r\n")
            self._far._take((head + b"\r\n\r\n" + rest[:size]).decode(), self)

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def resets(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._transport.abort()
