"""Where a far end lives: an address of its own in 127/8, so that its address alone tells it from all others."""

import random
import socket
from socket import SOCK_DGRAM, SOCK_STREAM, SocketKind

PORTS = range(61000, 65000)  # above the kernel's range for outgoing connections and all that a stack claims
RTP = range(62000, 65000)  # every far end chooses its media ports among these, on its own address
TRIES = 100


def address() -> str:
    """A loopback address that nobody else is likely to have."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


def port(host: str, *kinds: SocketKind, count: int = 1) -> int:
    """The first of `count` ports in a row that can be bound on `host` now, for UDP and TCP where no kind is named."""
    for first in random.sample(range(PORTS.start, RTP.start - count), TRIES):
        if all(_free(host, first + n, kind) for n in range(count) for kind in kinds or (SOCK_DGRAM, SOCK_STREAM)):
            return first
    raise OSError(f"no free port on {host}")


def _free(host: str, number: int, kind: SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, number))
        except OSError:
            return False
    return True
