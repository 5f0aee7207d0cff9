"""Prompts on one node: files among its recordings, named by the hash of what is in them. The node fetches each from the
service by HTTP (extensions_prompts.conf), and ARI shows which are there.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from pathlib import Path

import structlog

from service.asterisk.ari import Ari, AriRefused
from service.errors import AsteriskUnavailable

log = structlog.get_logger()

FOLDER = "prompts/"
AT_ONCE = 4  # prompts on the way to a node
LOOK_SECONDS = 0.02
MOST_FAILURES = 8
LONGEST_SECONDS = 40.0  # for one prompt
UNUSED_SECONDS = 25 * 3600.0  # nobody in a flow's older version is still there: the longest call is a day

Files = Callable[[str], Path | None]
"""The file of a prompt."""
Links = Callable[[str], str]
"""The URL that a node fetches a prompt from."""


class NodePrompts:
    """The prompts of one node, as it told and as they were brought since."""

    def __init__(self, node: str, ari: Ari, files: Files, links: Links) -> None:
        self._node, self._ari, self._files, self._links = node, ari, files, links
        self._there: set[str] = set()
        self._unused: dict[str, float] = {}
        self._failed: dict[str, float] = {}

    async def look(self) -> None:
        """Asks the node which it has."""
        before = set(self._there)
        try:
            found = await self._ari.call("recordings", "listStored")
        except AriRefused as refusal:
            log.warning("a node does not tell which prompts it has", node=self._node, why=str(refusal))
            return
        there = {each["name"].removeprefix(FOLDER) for each in found if each["name"].startswith(FOLDER)}
        self._there = there | (self._there - before)  # with those that came meanwhile

    @property
    def there(self) -> Set[str]:
        """The hashes of those that it has."""
        return self._there

    async def bring(self, hashes: Iterable[str]) -> bool:
        """Has the node fetch those that it lacks; whether some came. One that does not come stands in the way of no
        other; after `MOST_FAILURES` the rest waits for the next time, when those that failed come last."""
        turns, failures, came = asyncio.Semaphore(AT_ONCE), dict[str, str](), False

        async def one(name: str) -> None:
            nonlocal came
            async with turns:
                if len(failures) < MOST_FAILURES:
                    try:
                        await self._fetch(name)
                        came = True
                        self._failed.pop(name, None)
                    except AsteriskUnavailable as error:
                        failures[name], self._failed[name] = str(error), time.monotonic()

        lacking = [each for each in dict.fromkeys(hashes) if each not in self._there]
        await asyncio.gather(*(one(each) for each in sorted(lacking, key=lambda each: self._failed.get(each, 0))))
        if failures:
            name, why = next(iter(failures.items()))
            log.warning("prompts did not come to a node", node=self._node, prompts=len(failures), first=name, why=why)
        return came

    async def clear(self, wanted: Set[str]) -> None:
        """Deletes those that no flow has used for so long that nobody can hear them any more."""
        now = time.monotonic()
        self._unused = {each: self._unused.get(each, now) for each in self._there - wanted}
        for name, since in list(self._unused.items()):
            if now - since > UNUSED_SECONDS:
                with suppress(AriRefused):
                    await self._quietly("recordings", "deleteStored", recordingName=FOLDER + name)
                self._there.discard(name)

    async def _fetch(self, name: str) -> None:
        file = self._files(name)
        if file is None:
            raise AsteriskUnavailable("It is not at hand: are ORBIT_PROMPTS shared by all processes?")
        try:
            bounds = {"PROMPT_URL": self._links(name), "PROMPT_BYTES": str(file.stat().st_size)}
            await self._ari.call(
                "channels",
                "originate",
                endpoint=f"Local/{name}@orbit-fetch/n",
                channelId=(channel := f"prompt_{secrets.token_hex(8)}"),
                context="orbit-fetch",
                extension="begin",
                priority=1,
                variables=bounds,
            )
            async with asyncio.timeout(LONGEST_SECONDS):
                while await self._quietly("channels", "get", channelId=channel):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
            if not await self._quietly("recordings", "getStored", recordingName=FOLDER + name):
                raise AsteriskUnavailable("Can the node reach ORBIT_NODE_URL?")
        except (AriRefused, OSError) as error:  # a TimeoutError is one
            raise AsteriskUnavailable(type(error).__name__) from error
        self._there.add(name)

    async def _quietly(self, kind: str, operation: str, **values: str) -> bool:
        """False where there is none of that name."""
        try:
            await self._ari.call(kind, operation, **values)
        except AriRefused as refusal:
            if refusal.status != 404:
                raise
            return False
        return True
