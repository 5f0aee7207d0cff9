"""Speech into text for the rest of the service: the best engine that is there, in a process of its own."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from service.settings import Settings
from service.speech.engine import EngineState
from service.speech.errors import SpeechUnavailable
from service.speech.process import WorkerProcess
from service.speech.transcriptions import Transcriptions, wav
from service.speech.whisper import LANGUAGES, Whisper

BOUND_SECONDS = 30.0  # the model is loaded and a piece of speech understood, on a machine that has more to do
IDLE_SECONDS = 1800.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said; empty where nothing was. `confidence` is from 0 to 1, and 1 where the engine tells none. `others`:
    what it may have been instead, the likeliest first; for answers, not for messages."""

    text: str
    confidence: float
    others: tuple[str, ...] = ()


class Recogniser:
    """Owns the worker process: started on first use, one piece of speech at a time, so that who must not wait for a
    long one has a recogniser of their own. What is installed is looked up once, when it is made."""

    def __init__(self, settings: Settings) -> None:
        key = settings.recognition_key.get_secret_value()
        self._external = Transcriptions(settings.recognition_url, key, settings.recognition_model)
        models = settings.speech_models.absolute()
        self._local = {name: Whisper(name, models) for name in LANGUAGES}
        self._workers = {name: self._worker(name, models) for name in LANGUAGES}

    @staticmethod
    def _worker(name: str, models: Path) -> WorkerProcess:
        argv = (sys.executable, "-m", "service.speech.transcriber", name, str(models))
        return WorkerProcess(name, argv, bound=BOUND_SECONDS, idle=IDLE_SECONDS)

    def engines(self) -> list[EngineState]:
        """What there is, the best first. Languages are RFC 5646 without a region; `*`: whatever the endpoint knows."""
        chosen = {language: self.engine(language) for names in LANGUAGES.values() for language in names}
        external = EngineState(
            name=self._external.name,
            installed=self._external.missing is None,
            languages=() if self._external.missing else ("*",),
            chosen_for=() if self._external.missing else ("*",),
            quality="external",
            error=self._external.missing,
        )
        return [external] + [
            EngineState(
                name=name,
                installed=each.missing is None,
                languages=() if each.missing else each.languages,
                chosen_for=tuple(language for language, engine in chosen.items() if engine == name),
                quality="good" if name == "whisper-base" else "fair",
                error=each.missing,
            )
            for name, each in self._local.items()
        ]

    def engine(self, language: str) -> str | None:
        """The engine that hears a language; None: nobody does, and keys alone work."""
        if not self._external.missing:
            return self._external.name
        able = (each.name for each in self._local.values() if not each.missing and each.understands(language))
        return next(able, None)

    async def warm(self, language: str) -> None:
        """Has the engine ready for speech that is about to come. Raises nothing."""
        try:
            if (name := self.engine(language)) in self._workers and self._workers[name].pid is None:
                await self.transcribe(bytes(3200), language)
        except SpeechUnavailable as error:
            log.warning("recogniser.not_ready", why=str(error))

    async def transcribe(self, sound: bytes | Path, language: str, rate: int = 8000, hint: Sequence[str] = ()) -> Heard:
        """What is said in a file, or in 16-bit samples of one channel. `hint`: words that are likely.

        Raises `SpeechUnavailable`.
        """
        name = self.engine(language)
        if name is None:
            raise SpeechUnavailable(f"No installed engine understands {language[:20]!r}.")
        if name == self._external.name:
            file = await asyncio.to_thread(sound.read_bytes) if isinstance(sound, Path) else wav(sound, rate)
            return Heard(await self._external.text(file, language, hint), 1.0)
        head: dict[str, Any] = {"language": language, "hint": list(hint), "rate": rate}
        payload = b""
        if isinstance(sound, Path):
            head["path"] = str(sound)
        else:
            payload = sound
        (text, *others), confidence = json.loads(await self._workers[name].ask(head, payload))
        return Heard(text, confidence, tuple(others))

    async def close(self) -> None:
        for worker in self._workers.values():
            await worker.close()
