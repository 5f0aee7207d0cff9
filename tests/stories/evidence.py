"""What is found of a call's media: by its channels, in a far end's trace, and on the wire."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from tests.stories.farends.capture import Capture
from tests.stories.farends.codecs import CODECS
from tests.stories.farends.messages import Message
from tests.stories.farends.rtp import as_if_plain, encrypted
from tests.stories.media import Media
from tests.stories.sound import part_of

PACKETS = 70  # 1.4 s of audio
STRETCH = 0.5  # seconds of one sound, to be known by: a telephone drops a frame now and then, and so begins another
SUITE = "AES_CM_128_HMAC_SHA1_80"


class FarEnd(Protocol):
    """Whatever kept its SIP messages."""

    def messages(self, method: str | None = None) -> list[Message]: ...


async def enough(wire: Capture, port: str | int) -> bool:
    """Whether audio went both ways for a while."""
    return min(len(wire.rtp(port, None)), len(wire.rtp(None, port))) >= PACKETS


def about(far: FarEnd, number: str) -> tuple[Message, Message]:
    """Of the one call from or to that number: its INVITE, and the last answer to it."""
    ours = [message for message in far.messages("INVITE") if number in message.text]
    [offer] = {message.text: message for message in ours if message.status is None}.values()
    return offer, [message for message in ours if message.status is not None][-1]


def agreed(offer: Message, answer: Message, encryption: str, codec: str) -> int:
    """What the two said to each other is what the trunk demands. Returns the payload type."""
    srtp = encryption == "tls_srtp"
    assert offer.transport == answer.transport == ("UDP" if encryption == "none" else "TLS")
    assert answer.status == 200
    assert offer.sdp
    assert answer.sdp
    assert codec in offer.sdp.codecs
    assert answer.sdp.codecs == [codec]
    for sdp in (offer.sdp, answer.sdp):
        assert sdp.profile == ("RTP/SAVP" if srtp else "RTP/AVP")
        assert sdp.crypto == ([SUITE] if srtp else [])
    payload = answer.sdp.payloads[0]
    assert codec == "OPUS" or payload == CODECS[codec].payload
    return payload


def on_the_wire(
    wire: Capture, port: str | int, encryption: str, codec: str, payload: int, said: np.ndarray, heard: np.ndarray
) -> None:
    """An eavesdropper sees the codec, and understands what is not encrypted alone; `said` and `heard` are what the
    party at `port` really says and hears."""
    srtp = encryption == "tls_srtp"
    for packets, sound in ((wire.rtp(port, None), said), (wire.rtp(None, port), heard)):
        assert {each.payload_type for each in packets} == {payload}
        assert encrypted(packets, codec) == srtp
        if codec in ("PCMU", "PCMA"):
            overheard = part_of(as_if_plain(packets, codec), sound, STRETCH)
            assert overheard < 0.3 if srtp else overheard > 0.9


def as_asked(media: Iterable[Media], encryption: str, codec: str) -> None:
    """The channels say so themselves."""
    for each in media:
        assert (each.codec, each.srtp, each.tls) == (codec, encryption == "tls_srtp", encryption != "none")
        assert min(each.sent, each.received) >= PACKETS / 2


def samples(file: Path) -> np.ndarray:
    """Of a file of 16 bit samples that may not be whole yet."""
    written = file.read_bytes() if file.exists() else b""
    return np.frombuffer(written[: len(written) // 2 * 2], "<i2").astype(float)
