"""AMI of one node, by panoramisk: the ledger and trunks are read and written through it, and it brings news of trunks'
far ends. It reconnects by itself."""

import asyncio
import logging
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
        self._manager: Manager | None = None

    def start(self) -> None:
        """Connects, and again whenever the connection is lost."""
        self._manager = Manager(
            **self._login,
            events="system",
            encoding="utf-8",
            log=_QUIET,
            loop=asyncio.get_running_loop(),
            reconnect_timeout=1,
            on_login=self._logged_in,
            on_disconnect=lambda *_: self._ready.clear(),
        )
        for event in NEWS:
            self._manager.register_event(event, self._tell)
        self._manager.connect()

    def _logged_in(self, *_: object) -> None:
        self._ready.set()
        self._tell()

    def _tell(self, *_: object) -> None:
        if self.news is not None:
            self.news()

    def close(self) -> None:
        """Ends it for good; `start` makes a new one."""
        manager, self._manager = self._manager, None
        self._ready.clear()
        if manager is not None:
            manager.connect = lambda *_, **__: None  # it would connect again
            manager.close()

    async def action(self, name: str, **fields: str) -> list[Any]:
        """Sends an action and returns its messages: the response, then what belongs to it.

        Raises `AsteriskUnavailable` where the node does not answer, `ValueError` for a value with a line break.
        """
        if any(c in value for value in fields.values() for c in "\r\n\0"):
            raise ValueError("an AMI value cannot hold a line break")
        try:
            async with asyncio.timeout(self._timeout):
                await self._ready.wait()
                assert self._manager is not None
                answer = await self._manager.send_action({"Action": name, **fields})
        except TimeoutError as error:
            if self._ready.is_set():  # a peer that is gone without a word: panoramisk would wait for TCP to give up
                self.close()
                self.start()
            raise AsteriskUnavailable from error
        except OSError as error:
            raise AsteriskUnavailable from error
        return answer if isinstance(answer, list) else [answer]
