"""An endpoint of the operator's that speaks OpenAI's API: `POST <url>/audio/transcriptions`."""

import io
import wave
from collections.abc import Sequence

import aiohttp

from service.speech.errors import SpeechUnavailable

SECONDS = 30.0


class Transcriptions:
    """`url` ends before `/audio/transcriptions`; empty: there is none."""

    name = "openai"

    def __init__(self, url: str, key: str, model: str) -> None:
        self._url, self._key, self._model = url.rstrip("/"), key, model

    @property
    def missing(self) -> str | None:
        return None if self._url else "ORBIT_RECOGNITION_URL is not set"

    async def text(self, wav: bytes, language: str, hint: Sequence[str]) -> str:
        """What is said in an audio file. Raises `SpeechUnavailable`."""
        form = aiohttp.FormData(
            {"model": self._model, "language": language.partition("-")[0], "response_format": "json"}
        )
        if hint:
            form.add_field("prompt", ", ".join(hint))
        form.add_field("file", wav, filename="said.wav", content_type="audio/wav")
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=True)
        try:
            async with (
                session,
                session.post(
                    f"{self._url}/audio/transcriptions", data=form, headers=headers, allow_redirects=False
                ) as answer,
            ):
                if answer.status != 200:
                    raise SpeechUnavailable(f"The endpoint of ORBIT_RECOGNITION_URL answered HTTP {answer.status}.")
                body = await answer.json(content_type=None)
                return str(body["text"]).strip()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
            raise SpeechUnavailable(f"The endpoint of ORBIT_RECOGNITION_URL failed: {type(error).__name__}.") from error


def wav(pcm: bytes, rate: int) -> bytes:
    """16-bit samples of one channel as a file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()
