"""Callers may say what they could press. A menu that begins to listen tells so by an event; an ear beside the call
takes what the caller says, and the key that they mean is pressed for them. The menu itself waits for nothing of this:
with nobody listening, keys alone work.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from service.control import metrics
from service.errors import OrbitError
from service.ivr.phrases import choose

log = structlog.get_logger()
T = TypeVar("T")

LONGEST_SECONDS = 300.0  # one menu listens no longer than this, whatever became of its end
LATE_SECONDS = 5.0  # what was understood later than this after the caller's last word is dropped
SURE = 0.1  # confidence below which nothing is chosen


@dataclass(frozen=True, slots=True)
class Listen:
    """A flow's menu began to listen to a channel of a node. `visit` names this time among all of the channel's."""

    node: str
    channel_id: str
    flow: str
    version: str
    visit: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a menu understands: the phrases of each key, in a language; `prompt` is what it says itself."""

    language: str
    options: Mapping[str, Sequence[str]]
    prompt: str = ""


class Menus(Protocol):
    async def phrases(self, flow: str, version: str) -> Phrases | None:
        """None where nothing can be said there. May raise `StoreUnavailable`."""
        ...


class Ears(Protocol):
    def open(self, node: str, channel_id: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """What the caller says, 16-bit samples at 8 kHz, as it comes, until the channel ends. May raise
        `AsteriskUnavailable`."""
        ...

    async def press(self, node: str, channel_id: str, visit: str, key: str) -> None:
        """Chooses a key for a caller who is still in that visit. May raise `AsteriskUnavailable`."""
        ...


class Heard(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def others(self) -> Sequence[str]:
        """What it may have been instead."""
        ...


class Transcriber(Protocol):
    def engine(self, language: str) -> str | None:
        """Who understands a language; None: nobody."""
        ...

    async def warm(self, language: str) -> None:
        """Gets ready. Raises nothing."""
        ...

    async def transcribe(self, sound: bytes, language: str, rate: int = 8000, hint: Sequence[str] = ()) -> Heard:
        """Raises an `OrbitError` where it cannot."""
        ...


class Utterances(Protocol):
    """Of one caller."""

    def feed(self, sound: bytes) -> bytes | None:
        """At a pause, what was said until then."""
        ...


class Listening:
    """The sessions of this process, at most `at_once`; a caller beyond that presses keys. `utterances` makes a new one
    for each session."""

    def __init__(
        self,
        ears: Ears,
        menus: Menus,
        transcriber: Transcriber,
        utterances: Callable[[], Awaitable[Utterances]],
        at_once: int,
    ) -> None:
        self._ears, self._menus, self._transcriber = ears, menus, transcriber
        self._utterances, self._at_once = utterances, at_once
        self._sessions: dict[str, asyncio.Task[None]] = {}
        self._asked: set[asyncio.Future[Any]] = set()  # let finish: an engine that is cut off has to start anew

    def begin(self, listen: Listen) -> None:
        """A menu listens. What the same channel's last one heard counts no more. Returns at once."""
        self.end(listen.channel_id)
        if len(self._sessions) >= self._at_once:
            if self._at_once:
                metrics.LISTENING_REFUSED.inc()
                log.warning("a menu listens to keys alone: too many callers speak", at_once=self._at_once)
            return
        task = asyncio.create_task(self._session(listen))
        self._sessions[listen.channel_id] = task
        task.add_done_callback(lambda done: self._forget(listen.channel_id, done))

    def end(self, channel_id: str) -> None:
        """The menu has its answer, or the channel is gone."""
        if task := self._sessions.pop(channel_id, None):
            task.cancel()

    async def close(self) -> None:
        """Ends all sessions."""
        tasks = [*self._sessions.values(), *self._asked]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, channel_id: str, done: asyncio.Task[None]) -> None:
        if self._sessions.get(channel_id) is done:
            del self._sessions[channel_id]

    async def _session(self, listen: Listen) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._listen(listen)
        except TimeoutError:
            log.info("a menu was listened to for too long", channel=listen.channel_id)
        except OrbitError as error:
            log.warning("a menu listens to keys alone", channel=listen.channel_id, why=str(error))
        except Exception:
            log.exception("a menu listens to keys alone", channel=listen.channel_id)

    async def _listen(self, listen: Listen) -> None:
        phrases = await self._menus.phrases(listen.flow, listen.version)
        if phrases is None or self._transcriber.engine(phrases.language) is None:
            return
        self._ask(self._transcriber.warm(phrases.language))
        async with self._ears.open(listen.node, listen.channel_id) as sound:
            utterances = await self._utterances()
            answer = Answer()
            choosing = asyncio.create_task(self._choice(answer, phrases))
            following = asyncio.create_task(_follow(sound, utterances, answer))
            try:
                done, _ = await asyncio.wait((choosing, following), return_when=asyncio.FIRST_COMPLETED)
                if choosing in done:
                    await self._ears.press(listen.node, listen.channel_id, listen.visit, choosing.result())
                else:
                    following.result()
            finally:
                choosing.cancel()
                following.cancel()

    async def _choice(self, answer: "Answer", phrases: Phrases) -> str:
        """The first key that the caller means."""
        while True:
            sound, at = await answer.next()
            if key := await self._understood(sound, at, phrases):
                return key

    async def _understood(self, sound: bytes, at: float, phrases: Phrases) -> str | None:
        if len(self._asked) > self._at_once:
            metrics.UTTERANCES.labels("too_many").inc()
            return None
        try:
            heard = await asyncio.shield(self._ask(self._transcriber.transcribe(sound, phrases.language)))
        except OrbitError as error:
            metrics.UTTERANCES.labels("failed").inc()
            log.warning("what a caller said was not understood", why=str(error))
            return None
        took = time.monotonic() - at
        sure = heard.confidence >= SURE
        key = choose(heard.text, phrases.options, phrases.language, phrases.prompt, heard.others) if sure else None
        late = took > LATE_SECONDS
        result = "late" if late else "chosen" if key else "unmatched" if heard.text else "silence"
        metrics.UTTERANCES.labels(result).inc()
        metrics.UNDERSTOOD.observe(took)
        confidence, seconds = round(heard.confidence, 2), round(took, 2)
        log.info("a caller spoke", result=result, key=key, confidence=confidence, seconds=seconds)
        return None if late else key

    def _ask(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        asked = asyncio.ensure_future(work)
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # who asked may be gone
        return asked


async def _follow(sound: AsyncIterator[bytes], utterances: Utterances, answer: "Answer") -> None:
    async for piece in sound:
        if said := utterances.feed(piece):
            answer.said(said)


class Answer:
    """What one caller said last. Of what is said while something else is being understood, the newest waits."""

    def __init__(self) -> None:
        self._newest: tuple[bytes, float] | None = None
        self._news = asyncio.Event()

    def said(self, sound: bytes) -> None:
        self._newest = (sound, time.monotonic())
        self._news.set()

    async def next(self) -> tuple[bytes, float]:
        """The sound, and when it was complete (time.monotonic)."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._newest is not None:
                newest, self._newest = self._newest, None
                return newest
