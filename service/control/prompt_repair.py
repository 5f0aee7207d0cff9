"""Speaks again what callers hear and whose files are lost, such as those of a folder that somebody emptied."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import structlog

from service.control.collections import Collection
from service.control.flows import Sound
from service.control.ports import Nodes
from service.errors import OrbitError, StoreUnavailable
from service.ivr.flow import Flow, flow_of

log = structlog.get_logger()

LOOK_SECONDS = 60.0
PAGE = 50  # flows


class Speaker(Protocol):
    """Makes prompts. Raises an `OrbitError`."""

    async def render(self, text: str, language: str) -> Sound: ...


class PromptRepair:
    """One per process. `flows` are read from the store each time; `find` looks for the file of a prompt, and blocks."""

    def __init__(self, flows: Collection, speaker: Speaker, find: Callable[[str], object], nodes: Nodes) -> None:
        self._flows, self._speaker, self._find, self._nodes = flows, speaker, find, nodes

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StoreUnavailable as error:
                log.info("prompts that may be lost are not known now", error=type(error).__name__)

    async def look(self) -> None:
        """Looks once at every flow that callers can hear. Raises `StoreUnavailable`."""
        cursor: str | None = None
        while True:
            page = await self._flows.page(cursor, PAGE)
            for document in page.items:
                await self._look_at(document)
            cursor = page.cursor
            if cursor is None:
                return

    async def _look_at(self, document: dict[str, Any]) -> None:
        live = flow_of(document).live
        lost = await asyncio.to_thread(self._lost, live.hashes) if live else set()
        if live is None or not lost:
            return
        log.warning("prompts lost", flow=live.id, uploaded=live.greeting_audio in lost, prompts=len(lost))
        try:
            await self._repair(live, lost, document["published"])
        except StoreUnavailable:
            raise
        except OrbitError as error:
            log.warning("prompts not made again", flow=live.id, why=str(error))

    def _lost(self, hashes: Iterable[str]) -> set[str]:
        return {each for each in hashes if not self._find(each)}

    async def _repair(self, live: Flow, lost: set[str], published: dict[str, Any]) -> None:
        """The same version with the same words, which an engine may speak a little differently. What was uploaded can
        only be uploaded again."""
        again = [text for text, name in live.prompts.items() if name in lost]
        prompts = live.prompts | {text: (await self._speaker.render(text, live.language)).hash for text in again}
        while again and (stored := await self._flows.get(live.id)) and stored["published"] == published:
            repaired = {**stored, "published": {**published, "prompts": prompts}}
            if stored["prompts"] == live.prompts:
                repaired["prompts"] = prompts
            if repaired == stored or await self._flows.replace(repaired, stored):
                await self._nodes.apply("flow", live.id)
                return
