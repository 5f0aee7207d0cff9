"""What really goes over the wire: every UDP packet on loopback to or from a far end (packet(7))."""

import asyncio
import ctypes
import errno
import socket
import struct
from ipaddress import ip_address
from typing import Self

from tests.stories.farends.rtp import Rtp, packet

OUTGOING = 4  # PACKET_OUTGOING: on loopback each packet is seen going out and coming in
ETHERNET_ALL = 0x0003
ATTACH_FILTER = 26  # SO_ATTACH_FILTER, socket(7)
# Classic BPF, from the IP header on: UDP over IPv4 or IPv6, the whole packet; nothing else.
ONLY_UDP = (
    (0x30, 0, 0, 0),  # A = version
    (0x54, 0, 0, 0xF0),
    (0x15, 0, 2, 0x40),  # 4?
    (0x30, 0, 0, 9),  # A = protocol
    (0x15, 3, 4, 17),
    (0x15, 0, 3, 0x60),  # 6?
    (0x30, 0, 0, 6),  # A = next header
    (0x15, 0, 1, 17),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


class Capture:
    """Keeps the RTP packets to or from any of `hosts` in `packets`, as they come; `others` counts UDP that is not RTP.
    Raises PermissionError where this process may not see the wire."""

    def __init__(self, *hosts: str) -> None:
        self._hosts = {ip_address(host) for host in hosts}
        self.packets: list[Rtp] = []
        self.others = 0

    async def __aenter__(self) -> Self:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        except PermissionError:
            raise PermissionError(errno.EPERM, "capturing loopback needs root or CAP_NET_RAW") from None
        program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in ONLY_UDP))
        filter_ = struct.pack("HL", len(ONLY_UDP), ctypes.addressof(program))  # struct sock_fprog
        self._socket.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, filter_)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self._socket.bind(("lo", ETHERNET_ALL))
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._take)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._take()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def rtp(self, source: str | int | None = None, destination: str | int | None = None) -> list[Rtp]:
        """The packets from one host or port, to one, or both."""
        return [
            each for each in self.packets if source in (None, *each.source) and destination in (None, *each.destination)
        ]

    def payload_types(self, source: str | int | None = None, destination: str | int | None = None) -> set[int]:
        return {each.payload_type for each in self.rtp(source, destination)}

    def _take(self) -> None:
        while True:
            try:
                data, (_, _, kind, *_) = self._socket.recvfrom(65536)
            except BlockingIOError:
                return
            if kind != OUTGOING:
                self._keep(data)

    def _keep(self, data: bytes) -> None:
        if data[0] >> 4 == 4:
            start, ends = 4 * (data[0] & 0x0F), (data[12:16], data[16:20])
        else:
            start, ends = 40, (data[8:24], data[24:40])
        source, destination = map(ip_address, ends)
        if not self._hosts & {source, destination}:
            return
        ports = struct.unpack("!HH", data[start : start + 4])
        found = packet((str(source), ports[0]), (str(destination), ports[1]), data[start + 8 :])
        if found:
            self.packets.append(found)
        else:
            self.others += 1
