"""How a listening socket comes to a process, and how the process says that it is ready: systemd's two protocols
(sd_listen_fds(3), sd_notify(3)). A unit of systemd can take the fleet's place."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

FIRST = 3  # the descriptor of the first socket handed over
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid (unix(7), SCM_CREDENTIALS)
LONGEST = 4096  # bytes of a message


def inherited() -> bool:
    """Whether a listening socket was handed to this process."""
    return os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS", "0") > "0"


def listener() -> socket.socket:
    """The socket that was handed over; the environment forgets it, so that children do not look for it."""
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    os.set_inheritable(FIRST, False)
    return socket.socket(fileno=FIRST)


def tell(state: str) -> None:
    """Tells whoever watches over this process, such as `READY=1`. Where nobody does, nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.settimeout(1)
        line.connect(f"\0{address[1:]}" if address[0] == "@" else address)
        line.send(state.encode())


class Notices:
    """The other end of `tell`: an abstract socket at `address`. The kernel vouches for the process that wrote."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")  # the kernel finds a free abstract name
        self.address = f"@{self._socket.getsockname()[1:].decode()}"

    def fileno(self) -> int:
        return self._socket.fileno()

    def ready(self) -> Iterator[int]:
        """The processes of this user that have said `READY=1` since the last look."""
        with suppress(BlockingIOError):
            while True:
                message, passed, *_ = self._socket.recvmsg(LONGEST, socket.CMSG_SPACE(CREDENTIALS.size))
                for level, kind, content in passed:
                    if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                        pid, user, _ = CREDENTIALS.unpack(content)
                        if user == os.getuid() and b"READY=1" in message.splitlines():
                            yield pid

    def close(self) -> None:
        self._socket.close()
