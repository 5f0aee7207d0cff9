"""The codecs of the contract, as each far end and the wire name them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codec:
    """`payload` is the RTP payload type: fixed by RFC 3551, or for Opus the one that our far Asterisk offers. `rtpmap`
    is what SDP says. `frame` is the bytes of 20 ms; None where they vary."""

    asterisk: str
    baresip: str
    payload: int
    rtpmap: str
    frame: int | None


CODECS = {
    "OPUS": Codec("opus", "opus/48000/2", 107, "opus/48000/2", None),
    "G722": Codec("g722", "G722/16000/1", 9, "G722/8000", 160),
    "PCMU": Codec("ulaw", "PCMU/8000/1", 0, "PCMU/8000", 160),
    "PCMA": Codec("alaw", "PCMA/8000/1", 8, "PCMA/8000", 160),
}


def named(wire: str) -> str:
    """Our name of a codec, from its name in SDP, in Asterisk or in baresip, in any case. Raises KeyError."""
    word = wire.strip("()").split("/")[0].lower()
    return {word.lower(): name for name, codec in CODECS.items() for word in (name, codec.asterisk)}[word]
