"""An endpoint of the operator's that speaks OpenAI's API: `POST <url>/audio/speech`."""

from collections.abc import Mapping
from typing import Final

import aiohttp

from service.speech.engine import Voice
from service.speech.errors import SpeechUnavailable
from service.speech.languages import MAIN

SECONDS = 60
LARGEST: Final = 10_000_000  # bytes of an answer
ATTEMPTS = 2


class OpenAi:
    """`url` ends before `/audio/speech`; empty: there is none. Its voice speaks whatever language the text is in."""

    name, quality = "openai", "external"

    def __init__(self, url: str, key: str, model: str, voice: str) -> None:
        self._url, self._key, self._model, self._voice = url.rstrip("/"), key, model, voice

    @property
    def version(self) -> str:
        return f"{self._url} {self._model}"

    @property
    def missing(self) -> str | None:
        return None if self._url else "ORBIT_SPEECH_URL is not set"

    @property
    def voices(self) -> Mapping[str, str]:
        spoken = {*MAIN.values(), "en-GB", "es-MX", "pt-PT", "ja-JP", "ko-KR", "zh-CN"}
        return {} if self.missing else dict.fromkeys(sorted(spoken), self._voice)

    async def fetch(self, text: str, voice: Voice) -> bytes:
        """`text` as an audio file of some format. Raises `SpeechUnavailable` where it is refused or fails twice."""
        reason = ""
        for _ in range(ATTEMPTS):
            try:
                return await self._fetch(text, voice)
            except aiohttp.ClientResponseError as error:
                reason = f"HTTP {error.status}"
                if error.status < 500 and error.status != 429:
                    break
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                reason = "it does not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        raise SpeechUnavailable(f"The speech endpoint of ORBIT_SPEECH_URL failed: {reason}.")

    async def _fetch(self, text: str, voice: Voice) -> bytes:
        wish = {"model": self._model, "input": text, "voice": voice.name, "response_format": "wav"}
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=True)
        async with (
            session,
            session.post(f"{self._url}/audio/speech", json=wish, headers=headers, allow_redirects=False) as answer,
        ):
            answer.raise_for_status()
            if answer.status != 200:
                raise SpeechUnavailable(f"The speech endpoint of ORBIT_SPEECH_URL failed: HTTP {answer.status}.")
            sound = bytearray()
            async for piece in answer.content.iter_chunked(65536):
                sound += piece
                if len(sound) > LARGEST:
                    raise SpeechUnavailable("The speech endpoint of ORBIT_SPEECH_URL answered more than 10 MB.")
            return bytes(sound)
