"""Calls a number of ours from a carrier's address, one call after the other, and times each from the INVITE to the 200.

Plain datagrams: a call is answered, acknowledged and ended; its media is inactive.
"""

import asyncio
import re
import socket
import time
from collections.abc import Iterable

SDP = "v=0\r\no=near 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\n"
TO = re.compile(rb"^To:.*?(?=\r\n)", re.MULTILINE | re.IGNORECASE)
PATIENCE = 5.0  # seconds


class Caller:
    """A carrier at `ip`, which calls `number` at `at` (host, port)."""

    def __init__(self, ip: str, at: tuple[str, int], number: str) -> None:
        self._ip, self._at, self._number = ip, at, number
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ip, 0))
        self._socket.settimeout(PATIENCE)
        self._port = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()

    async def calls(self, count: int, pause: float) -> list[float]:
        """Seconds from INVITE to 200 of each call."""
        taken = []
        for serial in range(count):
            taken.append(await asyncio.to_thread(self._call, serial))
            await asyncio.sleep(pause)
        return taken

    def _call(self, serial: int) -> float:
        call_id = f"{time.time_ns()}-{serial}"
        start = time.perf_counter()
        self._send("INVITE", 1, call_id, f"<sip:{self._number}@{self._at[0]}>", SDP.format(ip=self._ip))
        answer = self._receive(call_id)
        taken = time.perf_counter() - start
        to = TO.search(answer)
        assert to is not None
        self._send("ACK", 1, call_id, to[0].decode()[4:])
        self._send("BYE", 2, call_id, to[0].decode()[4:])
        self._receive(call_id)
        return taken

    def _receive(self, call_id: str) -> bytes:
        """The final answer, which must be a 200."""
        while True:
            answer = self._socket.recv(65536)
            line = answer.split(b"\r\n", 1)[0]
            if call_id.encode() in answer and not line.startswith(b"SIP/2.0 1"):
                if not line.startswith(b"SIP/2.0 200"):
                    raise RuntimeError(line.decode())
                return answer

    def _send(self, method: str, number: int, call_id: str, to: str, body: str = "") -> None:
        here = f"{self._ip}:{self._port}"
        lines: Iterable[str] = (
            f"{method} sip:{self._number}@{self._at[0]}:{self._at[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{call_id}{number}{method}",
            f"From: <sip:+14155550100@{here}>;tag=near",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:near@{here}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
            "",
            body,
        )
        self._socket.sendto("\r\n".join(lines).encode(), self._at)
