"""A TCP proxy that can be cut and frozen. It stands between the service and the ARI of a node."""

import asyncio
from collections.abc import Callable
from typing import Self


class Proxy:
    """Listens on a port of its own from `async with` on. `target` tells the port behind it, at each connection."""

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self._going = asyncio.Event()
        self._going.set()
        self._connections: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.thaw()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Resets all connections. New ones are taken."""
        for writer in tuple(self._connections):
            writer.transport.abort()

    def freeze(self) -> None:
        """Forwards nothing. Connections stay, and new ones are taken."""
        self._going.clear()

    def thaw(self) -> None:
        """Goes on, with what has piled up first."""
        self._going.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            await self._going.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target())
            self._connections.add(far_writer)
            try:
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
            finally:
                self._connections.discard(far_writer)
                far_writer.close()
        except OSError:
            pass  # one side is gone, and so is the other then
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                await self._going.wait()
                writer.write(piece)
                await writer.drain()
        finally:
            writer.close()
