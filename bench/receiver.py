"""A webhook receiver that costs little: on one machine, what it takes the service cannot have."""

import asyncio
import time
from collections.abc import Callable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HEAD_END = b"\r\n\r\n"


class Receiver(asyncio.Protocol):
    """Answers 200 to each POST of HTTP/1.1 with a Content-Length; `heard` gets the body and the time, seconds since
    1970."""

    def __init__(self, heard: Callable[[bytes, float], None]) -> None:
        self._heard, self._buffer = heard, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            head = self._buffer[:end].lower()
            size = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            body_at = end + len(HEAD_END)
            if len(self._buffer) < body_at + size:
                return
            body, self._buffer = self._buffer[body_at : body_at + size], self._buffer[body_at + size :]
            self._transport.write(ANSWER)
            self._heard(body, now)


async def listen(heard: Callable[[bytes, float], None]) -> tuple[asyncio.Server, str]:
    """A receiver on a port of its own: the server and its URL."""
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(heard), "127.0.0.1", 0, backlog=1024)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
