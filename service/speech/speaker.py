"""Speech for the rest of the service: which engine speaks which language, and texts into prompts."""

import asyncio
from dataclasses import asdict
from unicodedata import east_asian_width

import structlog

from service.settings import Settings
from service.speech.engine import Engine, EngineState, Voice
from service.speech.errors import NotAudio, NothingToSay, NoVoice, SpeechUnavailable, TextTooLong
from service.speech.frames import LARGEST
from service.speech.languages import nearest
from service.speech.local import LOCAL
from service.speech.normalise import normalise
from service.speech.openai import OpenAi
from service.speech.process import WorkerProcess, worker
from service.speech.prompts import HEADER, Prompt, Prompts, key_of
from service.speech.sentences import pieces

LONGEST = 4000  # characters of a text
LONGEST_SAID = 5000  # letters of what is said of it; 13 to 18 of them take a second
DIGIT, WIDE = 7, 4  # letters that take as long as a digit that is left to the engine, or a sign of Chinese or Japanese
LONGEST_SOUND = 420 * 8000 * 4  # bytes of its samples: letters that are spelt out take longer
AUDIO = "audio"  # the worker that reads sound of others
UPLOAD = "upload"

log = structlog.get_logger()


class Speaker:
    """Owns the worker processes. What is installed is looked up once, when it is made; nothing is started then."""

    def __init__(self, settings: Settings) -> None:
        key = settings.speech_key.get_secret_value()
        self._external = OpenAi(settings.speech_url, key, settings.speech_model, settings.speech_voice)
        local = {name: make(settings.speech_models) for name, make in LOCAL.items()}
        self._engines: dict[str, Engine] = {self._external.name: self._external, **local}
        self._workers = {name: WorkerProcess(name, worker(name, settings.speech_models)) for name in (*LOCAL, AUDIO)}
        self._prompts = Prompts(settings.prompts_dir)
        self._under_way: dict[str, asyncio.Task[Prompt]] = {}
        self._chosen: dict[str, Voice] = {}
        for engine in self._engines.values():  # the best first
            for language, name in engine.voices.items():
                self._chosen.setdefault(language, Voice(engine.name, name, language))

    def log_choice(self) -> None:
        """One line for each engine: what it speaks here, or why it does not."""
        for state in self.engines():
            log.info("speech.engine", **asdict(state))

    def engines(self) -> list[EngineState]:
        return [
            EngineState(
                name=engine.name,
                installed=engine.missing is None,
                languages=tuple(sorted(engine.voices)),
                chosen_for=tuple(sorted(v.language for v in self._chosen.values() if v.engine == engine.name)),
                quality=engine.quality,
                error=engine.missing,
            )
            for engine in self._engines.values()
        ]

    def voice(self, language: str) -> Voice | None:
        """Who speaks a language tag; None where nobody does."""
        tag = nearest(language, self._chosen)
        return self._chosen[tag] if tag else None

    def fault(self, text: str, language: str) -> str | None:
        """What is expected instead of a text; None where nothing is. Whether a voice speaks the language is not asked.

        Blocks, for 40 ms at most.
        """
        voice = self.voice(language)
        try:
            _said(text, voice.language if voice else language)
        except TextTooLong:
            return f"at most {LONGEST} characters, and no more than about 5 minutes of speech"
        except NothingToSay:
            return "a text with something in it that can be spoken"
        return None

    async def render(self, text: str, language: str) -> Prompt:
        """The prompt of a text. What was spoken before is not spoken again.

        Raises `TextTooLong`, `NoVoice`, `NothingToSay` and `SpeechUnavailable`.
        """
        voice = self.voice(language)
        if voice is None:
            raise NoVoice(f"No installed engine speaks {language[:20]!r}.")
        said = await asyncio.to_thread(_said, text, voice.language)
        key = key_of(voice, self._engines[voice.engine].version, said)
        if known := await asyncio.to_thread(self._prompts.find, key, voice.engine):
            return known
        if key not in self._under_way:
            task = self._under_way[key] = asyncio.create_task(self._speak(key, said, voice))
            task.add_done_callback(lambda task: self._over(key, task))
        return await asyncio.shield(self._under_way[key])

    async def keep(self, data: bytes) -> Prompt:
        """The prompt of an audio file. Raises `NotAudio` and `SpeechUnavailable`."""
        if len(data) > LARGEST:
            raise NotAudio(f"The file is larger than {LARGEST // 1_000_000} MB.")
        wav = await self._workers[AUDIO].ask({"piece": False}, data)
        return await asyncio.to_thread(self._prompts.keep, wav, UPLOAD)

    async def close(self) -> None:
        """Ends all workers; what is under way fails."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await asyncio.gather(*(each.close() for each in self._workers.values()))

    def _over(self, key: str, task: asyncio.Task[Prompt]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waits has it; nobody need wait any more

    async def _speak(self, key: str, said: str, voice: Voice) -> Prompt:
        """Piece by piece: texts that are spoken at the same time take turns."""
        sounds: list[bytes] = []
        for piece in pieces(said):
            sounds.append(await self._sound(piece, voice))
            if sum(map(len, sounds)) > LONGEST_SOUND:
                raise TextTooLong("The text takes more than 7 minutes to say.")
        wav = await self._workers[AUDIO].ask({"join": [len(each) for each in sounds]}, b"".join(sounds))
        if len(wav) <= HEADER:
            raise NothingToSay(f"The voice of {voice.language} has no sounds for this text.")
        return await asyncio.to_thread(self._prompts.keep, wav, voice.engine, key)

    async def _sound(self, piece: str, voice: Voice) -> bytes:
        if voice.engine != self._external.name:
            return await self._workers[voice.engine].ask({"voice": asdict(voice), "piece": piece})
        sound = await self._external.fetch(piece, voice)
        try:
            return await self._workers[AUDIO].ask({"piece": True}, sound)
        except NotAudio:
            raise SpeechUnavailable("The speech endpoint of ORBIT_SPEECH_URL answered no audio.") from None


def _said(text: str, language: str) -> str:
    """`text` as it is spoken. Raises `TextTooLong` and `NothingToSay`."""
    if len(text) > LONGEST:
        raise TextTooLong(f"The text has {len(text)} characters; {LONGEST} can be spoken.")
    said = normalise(text, language)
    if sum(map(_letters, said)) > LONGEST_SAID:
        raise TextTooLong("The text takes more than about 5 minutes to say.")
    return said


def _letters(each: str) -> int:
    return DIGIT if each.isdigit() else WIDE if east_asian_width(each) == "W" else 1
