"""Calls a menu from a carrier's address and presses a key again and again: how soon is the next prompt on the wire?

Plain datagrams of SIP and RTP. A key is pressed as RFC 4733 has it, once nothing is heard any more; the time runs from
the first packet that says that the key is let go to the first packet of sound.
"""

import select
import socket
import struct
import time

from bench.trunk_caller import PATIENCE, TO

SDP = (
    "v=0\r\no=near 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
)
FRAME, STEP = 0.02, 160  # seconds and samples of a packet
HELD, LET_GO = 4, 3  # packets of a key
QUIET = 0.15  # seconds without a packet: the prompt is over
LONGEST = 8.0  # seconds of a prompt
EVENT = 101


class KeyCaller:
    """One call from `ip` to `number` at `at` (host, port). Its methods block."""

    def __init__(self, ip: str, at: tuple[str, int], number: str) -> None:
        self._ip, self._at, self._number = ip, at, number
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.bind((ip, 0))
        self._sip.settimeout(PATIENCE)
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((ip, 0))
        self._call_id, self._serial, self._clock = str(time.time_ns()), 0, 0

    def presses(self, digit: int, times: int) -> list[float]:
        """Seconds from each key to what it leads to. The call is made before, and ended after."""
        host, port = self._invite()
        try:
            self._until_quiet()
            taken = []
            for _ in range(times):
                taken.append(self._press(digit, (host, port)))
                self._until_quiet()
            return taken
        finally:
            self._send("BYE", 2)
            self._answer()
            self._sip.close()
            self._rtp.close()

    def _press(self, digit: int, to: tuple[str, int]) -> float:
        self._clock += 100 * STEP
        let_go = 0.0
        for packet in range(HELD + LET_GO):
            end = packet >= HELD
            if packet <= HELD:
                time.sleep(FRAME)
            if packet == HELD:
                let_go = time.time()
            self._serial += 1
            marked = 0x80 if packet == 0 else 0
            duration = STEP * (min(packet, HELD) + 1)
            head = struct.pack("!BBHII", 0x80, marked | EVENT, self._serial, self._clock, 0x4B4559)
            self._rtp.sendto(head + struct.pack("!BBH", digit, 0x8A if end else 0x0A, duration), to)
        while self._sound(PATIENCE):
            if (now := time.time()) >= let_go:
                return now - let_go
        raise RuntimeError(f"nothing was heard after a key in {self._number}")

    def _until_quiet(self) -> None:
        end = time.time() + LONGEST
        heard = self._sound(PATIENCE)
        while heard and time.time() < end:
            heard = self._sound(QUIET)
        if heard:
            raise RuntimeError(f"the prompt of {self._number} does not end")

    def _sound(self, patience: float) -> bool:
        """Whether a packet of sound comes in time."""
        end = time.time() + patience
        while (left := end - time.time()) > 0:
            if select.select([self._rtp], [], [], left)[0] and self._rtp.recv(2048)[1] & 0x7F == 0:
                return True
        return False

    def _invite(self) -> tuple[str, int]:
        """Where the other side takes RTP."""
        self._to = f"<sip:{self._number}@{self._at[0]}>"
        self._send("INVITE", 1, SDP.format(ip=self._ip, port=self._rtp.getsockname()[1]))
        answer = self._answer()
        found = TO.search(answer)
        assert found is not None
        self._to = found[0].decode()[4:]
        self._send("ACK", 1)
        lines = answer.decode().split("\r\n")
        host = next(line.split()[-1] for line in lines if line.startswith("c=IN IP4"))
        port = next(line.split()[1] for line in lines if line.startswith("m=audio"))
        return host, int(port)

    def _answer(self) -> bytes:
        """The final answer, which must be a 200."""
        while True:
            answer = self._sip.recv(65536)
            line = answer.split(b"\r\n", 1)[0]
            if self._call_id.encode() in answer and not line.startswith(b"SIP/2.0 1"):
                if not line.startswith(b"SIP/2.0 200"):
                    raise RuntimeError(line.decode())
                return answer

    def _send(self, method: str, number: int, body: str = "") -> None:
        here = f"{self._ip}:{self._sip.getsockname()[1]}"
        lines = (
            f"{method} sip:{self._number}@{self._at[0]}:{self._at[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{self._call_id}{number}{method}",
            f"From: <sip:+14155550100@{here}>;tag=near",
            f"To: {self._to}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:near@{here}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
            "",
            body,
        )
        self._sip.sendto("\r\n".join(lines).encode(), self._at)
