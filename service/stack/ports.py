"""Which ports a stack gets. Those that the operator set must be free; a default that is taken is replaced.

A port is claimed by an abstract Unix socket (unix(7)) as long as the stack runs, so that two stacks that start at the
same time choose different ones. The kernel frees a claim with the process that holds it.
"""

import errno
import random
import socket
from collections.abc import Iterator, Mapping
from socket import SOCK_DGRAM, SOCK_STREAM, SocketKind
from typing import NamedTuple

from service.stack.errors import StackError
from service.stack.nodes import numbered
from service.stack.progress import Progress
from service.stack.settings import StackSettings

BLOCK = 100  # RTP ports are claimed by the hundred
TRIES = 200
# Free ports come from below the kernel's range for outgoing connections (32768…), RTP from a range of its own.
SINGLE, RTP = range(28000, 32700), range(10000, 28000)


class Row(NamedTuple):
    """One port to get: its setting, the setting of the address that it is bound on, the kinds of socket."""

    setting: str
    address: str = ""  # 127.0.0.1
    kinds: tuple[SocketKind, ...] = (SOCK_STREAM,)
    rtp: bool = False  # as many in a row as a range of RTP has, on every address


TABLE = (
    Row("api_port", "api_host"),
    Row("redis_port"),
    Row("sip_udp", "sip_bind", (SOCK_DGRAM, SOCK_STREAM)),
    Row("sip_tls", "sip_bind"),
    Row("sip_tls_unverified", "sip_bind"),
    Row("http_port", "asterisk_bind"),
    Row("ami_port", "asterisk_bind"),
    Row("rtp_start", kinds=(SOCK_DGRAM,), rtp=True),
    Row("carrier_sip_port", kinds=(SOCK_DGRAM,)),
    Row("carrier_http_port"),
    Row("carrier_ami_port"),
    Row("carrier_rtp_start", kinds=(SOCK_DGRAM,), rtp=True),
)
SETTINGS = tuple(row.setting for row in TABLE)
# What each further node has, at any free port.
NODE = ("sip_udp", "sip_tls", "sip_tls_unverified", "http_port", "ami_port", "rtp_start")


class Wanted(NamedTuple):
    """A row with the operator's values: where, and how many ports in a row."""

    setting: str
    host: str
    kinds: tuple[SocketKind, ...]
    size: int


def wanted(settings: StackSettings) -> list[Wanted]:
    """The ports of one stack."""
    further = [
        row._replace(setting=numbered(row.setting, number))
        for number in range(2, settings.nodes + 1)
        for row in TABLE
        if row.setting in NODE
    ]
    return [
        Wanted(
            row.setting,
            "0.0.0.0" if row.rtp else getattr(settings, row.address) if row.address else "127.0.0.1",
            row.kinds,
            settings.rtp_size if row.rtp else 1,
        )
        for row in (*TABLE, *further)
    ]


class Ports:
    """The ports that this process holds for one stack, by the name of their setting."""

    def __init__(self) -> None:
        self.chosen: dict[str, int] = {}
        self._claims: list[socket.socket] = []

    def choose(self, settings: StackSettings, kept: Mapping[str, int], progress: Progress) -> None:
        """Claims a port for every setting. `kept` are those of the last start, used again where they are free.

        Raises `StackError`, naming the setting, where a port that the operator set is taken.
        """
        rows = wanted(settings)
        fixed = [row for row in rows if row.setting in settings.model_fields_set and getattr(settings, row.setting)]
        for row in fixed:
            port = getattr(settings, row.setting)
            if not self._take(row, port):
                raise StackError(f"ORBIT_{row.setting.upper()}={port} is taken on {row.host}; set it to a free port")
        for row in rows:
            if row not in fixed:
                default: int = getattr(settings, row.setting, 0)
                self._find(row, kept.get(row.setting) or default, progress)

    def _find(self, row: Wanted, preferred: int, progress: Progress) -> None:
        """Takes `preferred`, or a free one where it is taken; 0 prefers none."""
        for port in _candidates(row, preferred):
            if self._take(row, port):
                if preferred and port != preferred:
                    progress.line(f"  ports     ORBIT_{row.setting.upper()}: {preferred} is taken, using {port}")
                return
        raise StackError(f"no free port found for ORBIT_{row.setting.upper()}")

    def _take(self, row: Wanted, port: int) -> bool:
        if port + row.size > 65536:
            return False
        claims: list[socket.socket] = []
        if _claim(row, port, claims) and all(_free(row.host, kind, p) for p in _range(row, port) for kind in row.kinds):
            self._claims += claims
            self.chosen[row.setting] = port
            return True
        for claim in claims:
            claim.close()
        return False

    def release(self) -> None:
        """Gives all ports free."""
        for claim in self._claims:
            claim.close()
        self._claims.clear()


def _range(row: Wanted, port: int) -> range:
    return range(port, port + row.size)


def _candidates(row: Wanted, preferred: int) -> Iterator[int]:
    """In an order of chance: whoever looks at the same time finds others."""
    if preferred:
        yield preferred
    places = SINGLE if row.size == 1 else range(RTP.start, RTP.stop - row.size + 1, row.size)
    yield from random.sample(places, min(TRIES, len(places)))


def _claim(row: Wanted, port: int, claims: list[socket.socket]) -> bool:
    ports = (port,) if row.size == 1 else range(port // BLOCK, (port + row.size - 1) // BLOCK + 1)
    for number in ports:
        claim = socket.socket(socket.AF_UNIX, SOCK_STREAM)
        claims.append(claim)
        try:
            claim.bind(f"\0orbit-voice-{'port' if row.size == 1 else 'ports'}-{number}")
        except OSError:
            return False
    return True


def _free(host: str, kind: SocketKind, port: int) -> bool:
    """Whether it can be bound now. Raises `StackError` where this machine has no such address."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind == SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise StackError(f"{host} cannot be bound: {error.strerror}") from None
    return True
