"""Rows of a node's AstDB by AMI. A full disk, or a node that is away, is `AsteriskUnavailable`."""

import asyncio
from collections.abc import Coroutine, Iterable
from itertools import islice
from typing import Any

import structlog

from service.asterisk.ami import Ami
from service.asterisk.plan import LONGEST, Rows
from service.errors import AsteriskUnavailable

log = structlog.get_logger()

AT_ONCE = 64  # actions on the way


class NodeRows:
    """The rows of one node."""

    def __init__(self, ami: Ami) -> None:
        self._ami = ami

    async def read(self, family: str, key: str = "") -> Rows:
        """Those of a family, or the one under a key of it."""
        named = {"Key": key} if key else {}  # a LIKE of SQLite: it can find more
        found = await self._ami.action("DBGetTree", Family=family, **named)
        rows = {str(m["Key"]).removeprefix("/"): str(m.get("Val", "")) for m in found if "Key" in m}
        return {k: value for k, value in rows.items() if not key or k == f"{family}/{key}"}

    async def change(self, wanted: Rows, there: Rows) -> int:
        """Puts what is missing or different, and deletes what is not wanted; how many. One that is too long stays as it
        is."""
        put = [(key, value) for key, value in wanted.items() if there.get(key) != value and _fits(key, value)]
        gone = [key for key in there if key not in wanted]
        await _some_at_once(self._put(key, value) for key, value in put)
        await _some_at_once(self._delete(key) for key in gone)
        return len(put) + len(gone)

    async def _put(self, key: str, value: str) -> None:
        family, _, name = key.partition("/")
        [answer] = await self._ami.action("DBPut", Family=family, Key=name, Val=value)
        if answer.get("Response") != "Success":
            raise AsteriskUnavailable("The node cannot write its database.")

    async def _delete(self, key: str) -> None:
        family, _, name = key.partition("/")
        await self._ami.action("DBDel", Family=family, Key=name)


def _fits(key: str, value: str) -> bool:
    fits = len(value.encode()) <= LONGEST
    if not fits:
        log.error("a row is too long", key=key)
    return fits


async def _some_at_once(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    rest = iter(work)
    while some := list(islice(rest, AT_ONCE)):
        await asyncio.gather(*some)
