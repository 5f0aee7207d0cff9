"""SIP messages that a far end sent or received, read from its trace after TLS is off."""

import re
from dataclasses import dataclass
from functools import cached_property

from tests.stories.farends.codecs import CODECS

STATIC = {str(codec.payload): codec.rtpmap for codec in CODECS.values() if codec.payload < 96}


@dataclass(frozen=True)
class Message:
    """`transport` is UDP, TCP or TLS; `sent` tells whether the far end sent it; `peer` is the address of the other
    side, empty where the trace does not have it."""

    sent: bool
    transport: str
    text: str
    peer: str = ""

    @property
    def start(self) -> str:
        """The first line: `INVITE sip:… SIP/2.0`, `SIP/2.0 200 OK`."""
        return self.text.splitlines()[0]

    @property
    def method(self) -> str:
        """Of a response: that of the request which it answers."""
        return (self.header("CSeq") or "0 ?").split()[1]

    @property
    def status(self) -> int | None:
        """None for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else None

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        found = re.search(rf"^{name} *: *(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else None

    @cached_property
    def sdp(self) -> "Sdp | None":
        body = re.split(r"\r?\n\r?\n", self.text, maxsplit=1)
        return Sdp(body[1]) if len(body) == 2 and body[1].startswith("v=0") else None


@dataclass(frozen=True)
class Sdp:
    """What a party offers or answers for its audio (RFC 8866)."""

    text: str

    @property
    def profile(self) -> str:
        """`RTP/AVP` is plain, `RTP/SAVP` is SRTP."""
        return self._media[1]

    @property
    def port(self) -> int:
        return int(self._media[0])

    @property
    def payloads(self) -> list[int]:
        """RTP payload types, in the order of preference."""
        return [int(number) for number in self._media[2].split()]

    @property
    def codecs(self) -> list[str]:
        """OPUS, G722, PCMU …, in the order of the payload types; without telephone-event and comfort noise."""
        maps = STATIC | dict(re.findall(r"^a=rtpmap:(\d+) ([^\s]+)", self.text, re.MULTILINE))
        names = [maps.get(str(number), "?").split("/")[0].upper() for number in self.payloads]
        return [name for name in names if name not in ("TELEPHONE-EVENT", "CN")]

    @property
    def crypto(self) -> list[str]:
        """The suites of the `a=crypto` lines (RFC 4568), in order."""
        return re.findall(r"^a=crypto:\d+ (\S+)", self.text, re.MULTILINE)

    @property
    def _media(self) -> tuple[str, str, str]:
        found = re.search(r"^m=audio (\d+)(?:/\d+)? (\S+) ([\d ]+)", self.text, re.MULTILINE)
        assert found, self.text
        return found[1], found[2], found[3]
