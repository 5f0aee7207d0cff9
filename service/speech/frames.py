"""What passes between the service and a worker process: a line of JSON, and as many bytes as its `size` says."""

import json
from asyncio import StreamReader
from typing import Any, BinaryIO

MOST = 64_000_000  # bytes of one payload
LINE = 65_536  # bytes of one line
LARGEST = 10_000_000  # bytes of a file that somebody sent


def packed(head: dict[str, Any], payload: bytes = b"") -> bytes:
    return json.dumps({**head, "size": len(payload)}).encode() + b"\n" + payload


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next one; None at the end. Blocks."""
    line = stream.readline(LINE)
    if not line:
        return None
    head: dict[str, Any] = json.loads(line)
    return head, stream.read(head["size"])


async def receive(stream: StreamReader) -> tuple[dict[str, Any], bytes]:
    """The next one. Raises `EOFError`, `ValueError` or `KeyError` where it is none."""
    line = await stream.readline()
    if not line:
        raise EOFError
    head: dict[str, Any] = json.loads(line)
    if not 0 <= (size := head["size"]) <= MOST:
        raise ValueError("a frame of that size is none of ours")
    return head, await stream.readexactly(size)
