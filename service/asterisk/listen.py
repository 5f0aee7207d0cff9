"""Ears: what a caller says comes from a channel of its own that spies on the caller's (app_chanspy) and ends in a
socket (chan_websocket). The caller's channel waits for none of it. A choice is a key `A` that the caller seems to
press; which key it stands for is in a variable, with the visit it is meant for, so that one that comes too late chooses
nothing.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import structlog

from service.asterisk.ami import Ami
from service.asterisk.ari import Ari, AriRefused
from service.control.listening import Listen
from service.errors import AsteriskUnavailable

log = structlog.get_logger()

LISTENS, GOES_ON = "OrbitListen", "OrbitStep"
"""Events of the dialplan: a menu begins to listen, and it has its answer or waited for none."""
CONTEXT = "orbit-ear"
SPOKEN = "A"  # the key of no telephone's menu (RFC 4733 has it)
_SECONDS = 5  # how long a channel waits for its socket
_FORMAT = "slin"  # 16 bit at 8 kHz
_GAP_SECONDS = 0.1
_SILENCE = bytes(round(_GAP_SECONDS * 8000) * 2)


class AsteriskEars:
    """`Ears` over the nodes."""

    def __init__(self, lines: Mapping[str, tuple[Ari, Ami]]) -> None:
        self._lines = lines

    @asynccontextmanager
    async def open(self, node: str, channel_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        ari, _ = self._line(node)
        ear = f"ear_{secrets.token_hex(8)}"
        connection = await self._connection(ari, ear, channel_id)
        bounds = aiohttp.ClientTimeout(total=None, sock_connect=2)
        url = (ari.url.parent / "media" / connection).with_scheme("wss" if ari.url.scheme == "https" else "ws")
        try:
            async with (
                aiohttp.ClientSession(headers=ari.authorization, timeout=bounds) as session,
                session.ws_connect(url, protocols=("media",), max_msg_size=1 << 17) as socket,
            ):
                yield _sound(socket)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AsteriskUnavailable(f"No ear could be opened: {type(error).__name__}.") from error

    async def _connection(self, ari: Ari, ear: str, channel_id: str) -> str:
        """Starts the ear's channel; the name by which its socket is opened."""
        try:
            await ari.call(
                "channels",
                "originate",
                endpoint=f"WebSocket/INCOMING/c({_FORMAT})f(json)",
                context=CONTEXT,
                extension="s",
                priority=1,
                timeout=_SECONDS,
                formats=_FORMAT,
                channelId=ear,
                variables={"ORBIT_EAR_OF": channel_id},
            )
            found = await ari.call("channels", "getChannelVar", channelId=ear, variable="MEDIA_WEBSOCKET_CONNECTION_ID")
        except AriRefused as refusal:
            raise AsteriskUnavailable(f"No ear could be opened: {refusal}.") from refusal
        return str(found["value"])

    async def press(self, node: str, channel_id: str, visit: str, key: str) -> None:
        _, ami = self._line(node)
        await asyncio.gather(  # in this order on one connection
            ami.action("Setvar", Channel=channel_id, Variable="ORBIT_SAID", Value=f"{visit}:{key}"),
            # (Without "Async" panoramisk takes the answer, "DTMF successfully queued", for the first of several.)
            ami.action("PlayDTMF", Channel=channel_id, Digit=SPOKEN, Duration="80", Receive="true", Async="false"),
        )

    def _line(self, node: str) -> tuple[Ari, Ami]:
        line = self._lines.get(node)
        if line is None:
            raise AsteriskUnavailable(f"There is no node {node}.")
        return line


async def _sound(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[bytes]:
    """A far end that sends nothing while nobody speaks (RFC 3389) is silent, not late: it has come to a pause."""
    frames: asyncio.Queue[bytes | None] = asyncio.Queue()
    reading = asyncio.create_task(_read(socket, frames))
    try:
        while True:
            try:
                async with asyncio.timeout(_GAP_SECONDS):
                    piece = await frames.get()
            except TimeoutError:
                piece = _SILENCE
            if piece is None:
                return
            yield piece
    finally:
        reading.cancel()


async def _read(socket: aiohttp.ClientWebSocketResponse, frames: "asyncio.Queue[bytes | None]") -> None:
    try:
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.BINARY:
                frames.put_nowait(frame.data)
    finally:
        frames.put_nowait(None)


def listen_of(message: dict[str, Any], node: str) -> Listen | None:
    """The menu that begins to listen, or None for any other message."""
    said = message.get("userevent") or {}
    if message.get("type") != "ChannelUserevent" or message.get("eventname") != LISTENS or "channel" not in message:
        return None
    flow, version, visit = (str(said.get(name, "")) for name in ("Flow", "Version", "Visit"))
    return Listen(node, str(message["channel"]["id"]), flow, version, visit) if flow and visit else None


def deaf_of(message: dict[str, Any]) -> str | None:
    """The channel whose menu listens no more, or None for any other message. (A channel that ends ends its ear.)"""
    if message.get("type") != "ChannelUserevent" or message.get("eventname") != GOES_ON or "channel" not in message:
        return None
    return str(message["channel"]["id"])
