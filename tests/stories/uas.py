"""A far end of our own, over raw UDP: it answers as a story wants, politely or not (RFC 3261)."""

import asyncio
import json
import re
from typing import Any, Self


class FarEnd(asyncio.DatagramProtocol):
    """Stands where the sandbox carrier stood. `replies` are status lines for each INVITE, `rest` further headers."""

    def __init__(self, stack: Any, *replies: str, rest: str = "") -> None:
        self.replies, self.rest, self.requests = replies, rest, []
        self._port = json.loads(stack.home.ports.read_text())["carrier_sip_port"]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, peer: Any) -> None:
        text = data.decode()
        method = text.split(" ", 1)[0]
        if method.startswith("SIP/2.0"):
            return
        self.requests.append(method)
        if method == "INVITE":
            self._invite, self._peer = text, peer
            for reply in self.replies:
                self.answer(reply)
        elif method != "ACK":
            self._send(self._response(text, "200 OK"), peer)

    def answer(self, reply: str) -> None:
        """Sends a response to the INVITE; a 200 carries SDP."""
        sdp = ""
        if reply.startswith("200"):
            sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        self._send(self._response(self._invite, reply, self.rest, sdp), self._peer)

    def bye(self) -> None:
        """Ends the call without a word of why: no Reason header."""
        invite = self._invite
        to, from_ = self._header(invite, "From"), self._header(invite, "To") + ";tag=far"
        target = re.search(r"<(.+?)>", self._header(invite, "Contact"))[1]
        self._send(
            f"BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bKbye\r\nMax-Forwards: 70\r\n"
            f"From: {from_}\r\nTo: {to}\r\nCall-ID: {self._header(invite, 'Call-ID')}\r\nCSeq: 1 BYE\r\n"
            "Content-Length: 0\r\n\r\n",
            self._peer,
        )

    def _response(self, request: str, reply: str, rest: str = "", body: str = "") -> str:
        vias = "".join(f"{line}\r\n" for line in request.split("\r\n") if line.lower().startswith("via:"))
        copied = "".join(f"{name}: {self._header(request, name)}\r\n" for name in ("From", "Call-ID", "CSeq"))
        to = self._header(request, "To")
        to += "" if ";tag=" in to else ";tag=far"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        contact = rest or f"Contact: <sip:far@127.0.0.1:{self._port}>\r\n"
        return f"SIP/2.0 {reply}\r\n{vias}{copied}To: {to}\r\n{contact}{kind}Content-Length: {len(body)}\r\n\r\n{body}"

    @staticmethod
    def _header(message: str, name: str) -> str:
        return re.search(rf"^{name}: *(.+?)\r$", message, re.MULTILINE | re.IGNORECASE)[1]

    def _send(self, text: str, peer: Any) -> None:
        self._transport.sendto(text.encode(), peer)
