"""A far end that notes when each INVITE came, by the kernel's own time stamp, and answers it at once. It has no state,
sends no media and asks for none. One line of input asks for what it noted: a line of JSON, number → seconds since 1970.

    python -m bench.far_end <port> [ends]    with `ends`, numbers that end in 1 are busy, those in 2 ring and no more
"""

import json
import re
import selectors
import socket
import struct
import sys

NUMBER = re.compile(rb"INVITE sip:(\+?\w+)@")
COPIED = re.compile(rb"^(?:Via|From|Call-ID|CSeq):.*?\r\n", re.MULTILINE | re.IGNORECASE)
CANCELLED = re.compile(rb"^(CSeq: *\d+ )CANCEL\r\n", re.MULTILINE | re.IGNORECASE)
TO = re.compile(rb"^To:.*?(?=\r\n)", re.MULTILINE | re.IGNORECASE)
SDP = (
    b"v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 0\r\na=inactive\r\n"
)
ANSWERS = (b"180 Ringing", b"200 OK")
BY_END: dict[bytes, tuple[bytes, ...]] = {b"1": (b"486 Busy Here",), b"2": (b"180 Ringing",)}
TIMESTAMP_NS = 35  # SO_TIMESTAMPNS, socket(7)


def answer(request: bytes, status: bytes, contact: bytes, body: bytes = b"") -> bytes:
    """A response to a request (RFC 3261, 8.2.6)."""
    to = TO.search(request)
    assert to is not None
    tag = b"" if b";tag=" in to[0] else b";tag=far"
    kind = b"Content-Type: application/sdp\r\n" if body else b""
    head = b"SIP/2.0 " + status + b"\r\n" + b"".join(COPIED.findall(request)) + to[0] + tag + b"\r\n"
    return head + b"Contact: " + contact + b"\r\n" + kind + b"Content-Length: %d\r\n\r\n" % len(body) + body


class FarEnd:
    """Owns the socket and what it noted."""

    def __init__(self, port: int, by_end: dict[bytes, tuple[bytes, ...]]) -> None:
        self._by_end = by_end
        self._contact = b"<sip:far@127.0.0.1:%d>" % port
        self.noted: dict[str, float] = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, TIMESTAMP_NS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("127.0.0.1", port))

    def take(self) -> None:
        request, beside, _, peer = self.socket.recvmsg(65536, 64)
        if called := NUMBER.match(request):
            seconds, nanoseconds = struct.unpack("qq", beside[0][2])
            self.noted.setdefault(called[1].decode(), seconds + nanoseconds / 1e9)
            for status in self._by_end.get(called[1][-1:], ANSWERS):
                body = SDP if status.startswith(b"200") else b""
                self.socket.sendto(answer(request, status, self._contact, body), peer)
        elif not request.startswith((b"ACK ", b"SIP/2.0 ")):
            self.socket.sendto(answer(request, b"200 OK", self._contact), peer)
            if request.startswith(b"CANCEL "):
                invite = CANCELLED.sub(rb"\1INVITE\r\n", request)
                self.socket.sendto(answer(invite, b"487 Request Terminated", self._contact), peer)


def main(port: int, ends: bool) -> None:
    far = FarEnd(port, BY_END if ends else {})
    watch = selectors.DefaultSelector()
    watch.register(far.socket, selectors.EVENT_READ)
    watch.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in watch.select():
            if key.fileobj is far.socket:
                far.take()
            elif not sys.stdin.readline():
                return
            else:
                print(json.dumps(far.noted), flush=True)
                far.noted.clear()


if __name__ == "__main__":
    main(int(sys.argv[1]), "ends" in sys.argv[2:])
