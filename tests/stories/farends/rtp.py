"""RTP packets (RFC 3550), and whether what they carry is audio or noise: the look of SRTP (RFC 3711) from outside."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.stories.farends.codecs import CODECS

Address = tuple[str, int]
RTCP = range(72, 77)  # the second byte of RTCP, seen as a payload type (RFC 5761, 4)
TAGS = (10, 4)  # bytes of SRTP's authentication tag, HMAC-SHA1-80 and -32


@dataclass(frozen=True, slots=True)
class Rtp:
    """One packet on the wire. `payload` is all after the header: under SRTP with the authentication tag."""

    source: Address
    destination: Address
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def packet(source: Address, destination: Address, data: bytes) -> Rtp | None:
    """None where it is not RTP."""
    if len(data) < 12 or data[0] >> 6 != 2 or (data[1] & 0x7F) in RTCP:
        return None
    start = 12 + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:  # a header extension
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    number = [int.from_bytes(data[a:b], "big") for a, b in ((2, 4), (4, 8), (8, 12))]
    return Rtp(source, destination, data[1] & 0x7F, *number, data[start:])


def encrypted(packets: Sequence[Rtp], codec: str) -> bool:
    """Whether the payloads of one direction of a call look like SRTP, not like `codec`. Fails where they look like
    neither, or are fewer than 40: then nothing can be said."""
    payloads = [each.payload for each in packets if len(each.payload) > 12]
    assert len(payloads) >= 40, f"{len(payloads)} packets are too few"
    tagged, noise = _tagged(payloads, codec), _noise(payloads, codec)
    assert tagged in (None, noise), f"tag: {tagged}, noise: {noise}"
    return noise


def _tagged(payloads: list[bytes], codec: str) -> bool | None:
    """Whether an authentication tag follows the frames; None for a codec whose frames have any length."""
    frame = CODECS[codec].frame
    if frame is None:
        return None
    [(size, _)] = Counter(map(len, payloads)).most_common(1)
    assert any(size % frame == tag for tag in (0, *TAGS)), f"{size} bytes are no frames of {codec}"
    return size % frame != 0


def _noise(payloads: list[bytes], codec: str) -> bool:
    """Whether the bytes are evenly spread. Of Opus, which is compressed, only the first byte of a packet says
    something: it names mode and band (RFC 6716, 3.1), of which a call has few."""
    if codec == "OPUS":
        return len({payload[0] for payload in payloads}) > len(payloads) / 5
    values = np.frombuffer(b"".join(payloads), np.uint8)
    share = np.bincount(values, minlength=256) / len(values)
    share = share[share > 0]
    return float(-np.sum(share * np.log2(share))) > 7.9  # bits a byte: noise has 8, speech under 7.5


def as_if_plain(packets: Sequence[Rtp], codec: str) -> np.ndarray:
    """What an eavesdropper hears: the payloads of one direction, PCMU or PCMA, decoded as they are (G.711). 8 kHz."""
    payloads = {each.sequence: each.payload for each in packets}
    code = np.frombuffer(b"".join(payloads.values()), np.uint8).astype(int)
    return {"PCMU": _mu_law, "PCMA": _a_law}[codec](code)


def _mu_law(code: np.ndarray) -> np.ndarray:
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(float)


def _a_law(code: np.ndarray) -> np.ndarray:
    code = code ^ 0x55
    size, segment = ((code & 0x0F) << 4) + 8, code >> 4 & 7
    size = np.where(segment > 0, size + 0x100 << np.maximum(segment - 1, 0), size)
    return np.where(code & 0x80, size, -size).astype(float)
