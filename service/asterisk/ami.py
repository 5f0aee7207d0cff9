"""AMI of one node, by panoramisk: the ledger and trunks are read and written through it, and it brings news of trunks'
far ends. It reconnects by itself."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from panoramisk import Manager

from service.errors import AsteriskUnavailable

_QUIET = logging.getLogger("orbit.ami")
_QUIET.setLevel(logging.CRITICAL)


NEWS = ("ContactStatus", "Registry")
"""Events of the class `system` that we use; `manager.conf` lets no others through."""


class Ami:
    """One node's AMI. `address` is host:port. `news`, if set, is called for each of `NEWS` and after each login: what
    came while it was away is lost. It must return at once."""

    news: Callable[[], None] | None = None

    def __init__(self, address: str, user: str, password: str, timeout_ms: int) -> None:
        host, _, port = address.rpartition(":")
        self._login = {"host": host, "port": int(port), "username": user, "secret": password}
        self._timeout = timeout_ms / 1000
        self._ready = asyncio.Event()
        self._manager: Manager | None = None  # one for each connection that is given up; the present one
        self._sent: set[asyncio.Future[Any]] = set()  # by the present one, not answered yet

    def start(self) -> None:
        """Connects, and again whenever the connection is lost."""
        self._manager = Manager(
            **self._login,
            events="system",
            encoding="utf-8",
            log=_QUIET,
            loop=asyncio.get_running_loop(),
            reconnect_timeout=1,
            on_connect=self._connected,
            on_login=self._logged_in,
            on_disconnect=self._disconnected,
        )
        for event in NEWS:
            self._manager.register_event(event, self._tell)
        self._manager.connect()

    def close(self) -> None:
        """Ends it for good; `start` makes a new one. Actions without an answer fail."""
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.connect = lambda *_, **__: None  # it would connect again
            manager.close()
        self._lost()

    async def action(self, name: str, **fields: str) -> list[Any]:
        """Sends an action and returns its messages: the response, then what belongs to it.

        Raises `AsteriskUnavailable` where the node does not answer, `ValueError` for a value with a line break.
        """
        if any(c in value for value in fields.values() for c in "\r\n\0"):
            raise ValueError("an AMI value cannot hold a line break")
        manager, sent_at = None, 0.0
        try:
            async with asyncio.timeout(self._timeout):
                await self._ready.wait()
                manager, sent_at = self._manager, time.monotonic()
                answer = await self._send(manager, {"Action": name, **fields})
        except TimeoutError as error:
            # A peer that is gone without a word: panoramisk would wait for TCP to give up. One action finds that out,
            # and only one that has not spent its time with the login.
            if manager is not None and manager is self._manager and time.monotonic() - sent_at > self._timeout / 2:
                self.close()
                self.start()
            raise AsteriskUnavailable from error
        except OSError as error:
            raise AsteriskUnavailable from error
        return answer if isinstance(answer, list) else [answer]

    def _send(self, manager: Manager | None, action: dict[str, str]) -> asyncio.Future[Any]:
        if manager is None or not self._ready.is_set():
            raise ConnectionResetError("lost between the login and now")
        answer: asyncio.Future[Any] = manager.send_action(action)
        self._sent.add(answer)
        answer.add_done_callback(self._sent.discard)
        return answer

    def _connected(self, manager: Manager) -> None:
        if manager is not self._manager:  # closed while it was connecting
            manager.close()

    def _logged_in(self, manager: Manager) -> None:
        if manager is self._manager:
            self._ready.set()
            self._tell()

    def _disconnected(self, manager: Manager, _: object) -> None:
        if manager is self._manager:
            self._lost()

    def _lost(self) -> None:
        self._ready.clear()
        for answer in self._sent:
            if not answer.done():
                answer.set_exception(ConnectionResetError("the connection is lost"))

    def _tell(self, *_: object) -> None:
        if self.news is not None:
            self.news()
