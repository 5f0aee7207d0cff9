"""ARI commands of one node, by aioari. Nothing here knows a call; names and values are checked by who calls.

The swagger description is read from the node itself at the first use, so that a node may be away when we start.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from aioari.client import Client
from aiohttp.web_exceptions import HTTPException
from aioswagger11.http_client import AsynchronousHttpClient, BasicAuthenticator
from yarl import URL

from service.errors import AsteriskUnavailable


class AriRefused(Exception):
    """ARI answered with an error: its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"ARI {status}: {message}")
        self.status = status


class NotSent(AsteriskUnavailable):
    """The request never reached the node."""


class Ari:
    """One node's ARI. `url` ends with `/ari`; close it when done."""

    def __init__(self, url: str, user: str, password: str, timeout_ms: int) -> None:
        self.url = URL(url)
        self._user, self._password = user, password
        seconds = timeout_ms / 1000
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=min(2.0, seconds), sock_read=seconds)
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    @property
    def authorization(self) -> dict[str, str]:
        """The header that ARI wants, for the event socket too."""
        return {"Authorization": aiohttp.encode_basic_auth(self._user, self._password)}

    async def close(self) -> None:
        """Drops every connection. The next command opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def call(self, repository: str, operation: str, **values: Any) -> Any:
        """Runs `operation` (a nickname of ARI's swagger) and returns the decoded answer.

        Raises `AriRefused`, `NotSent` or `AsteriskUnavailable`.
        """
        async with self._translated():
            client = await self._connected()
            response = await getattr(getattr(client.swagger, repository), operation)(**values)
            return await response.json() if response.status != 204 else None

    async def filter_events(self, app: str, types: Iterable[str]) -> None:
        """Has the node send an application nothing but these types. (The swagger binding wraps a body in its
        parameter's name; ARI wants this one bare, and takes a wrapped one for no filter at all.)

        Raises as `call`.
        """
        await self._put(f"applications/{quote(app, safe='')}/eventFilter", {"allowed": [{"type": t} for t in types]})

    async def push(self, kind: str, object_id: str, fields: dict[str, str]) -> None:
        """Makes or changes an object of PJSIP. (The swagger binding writes its arguments, passwords too, to the debug
        log.)

        Raises as `call`.
        """
        attributes = [{"attribute": name, "value": value} for name, value in fields.items()]
        path = f"asterisk/config/dynamic/res_pjsip/{kind}/{quote(object_id, safe='')}"
        await self._put(path, {"fields": attributes})

    async def _put(self, path: str, body: dict[str, Any]) -> None:
        async with self._translated():
            http = (await self._connected()).swagger.http_client
            headers = {"Content-Type": "application/json"}
            await http.request("PUT", f"{self.url}/{path}", data=orjson.dumps(body), headers=headers)

    async def download(self, name: str, destination: Path) -> bool:
        """Writes a stored recording to `destination`; False where the node has none of that name."""
        try:
            async with self._translated():
                client = await self._connected()
                response = await client.swagger.recordings.getStoredFile(recordingName=name)
                with destination.open("wb") as file:
                    async for piece in response.content.iter_chunked(65536):
                        await asyncio.to_thread(file.write, piece)
        except AriRefused as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                http = AsynchronousHttpClient(auth=BasicAuthenticator(self.url.host, self._user, self._password))
                await http.session.close()
                http.session = aiohttp.ClientSession(
                    timeout=self._timeout, connector=aiohttp.TCPConnector(limit=128, keepalive_timeout=30)
                )
                client = Client(str(self.url.parent) + "/", http)
                try:
                    await client.init()
                except BaseException:
                    await http.close()
                    raise
                self._client = client
            return self._client

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except HTTPException as error:
            raise AriRefused(error.status, error.text or "") from error
        except aiohttp.ClientConnectorError as error:
            raise NotSent from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AsteriskUnavailable from error
        except RuntimeError as error:  # aiohttp: the session was closed meanwhile
            raise AsteriskUnavailable from error
