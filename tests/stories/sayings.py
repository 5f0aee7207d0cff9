"""What our stack says to callers, and what a recording of it says."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from service.settings import Settings
from service.speech.recogniser import Recogniser
from service.speech.speaker import Speaker
from tests.stories.sound import prompt

SAME = 0.8  # μ-law is all that is between the two


class Sayings:
    """Speaks as the service of the stack does, out of the same folder of prompts; and writes down what is heard."""

    def __init__(self, stack: Any) -> None:
        settings = Settings(home=stack.settings.home, speech_models=stack.settings.speech_models.absolute())
        self._speaker, self._recogniser = Speaker(settings), Recogniser(settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._speaker.close()
        await self._recogniser.close()

    async def path(self, text: str, language: str = "en-US") -> Path:
        """A WAV of it."""
        return (await self._speaker.render(text, language)).path

    async def sound(self, text: str, language: str = "en-US") -> np.ndarray:
        """8 kHz samples."""
        return prompt((await self._speaker.render(text, language)).path)

    async def times(self, heard: np.ndarray, text: str, seconds: float = 0.6) -> int:
        """How many times a text was heard; its first `seconds` of sound are enough."""
        said = voiced(await self.sound(text))[: int(seconds * 8000)]
        alike, found = likenesses(heard, said), 0
        while len(alike) and (best := int(np.argmax(alike))) >= 0 and alike[best] > SAME:
            alike[max(0, best - len(said)) : best + len(said)] = 0
            found += 1
        return found

    async def text(self, heard: np.ndarray, language: str) -> str:
        """What 8 kHz samples say."""
        pcm = np.clip(heard, -32768, 32767).astype("<i2").tobytes()
        return (await self._recogniser.transcribe(pcm, language, rate=8000)).text


def voiced(samples: np.ndarray) -> np.ndarray:
    """Without the silence at the beginning."""
    loud = np.flatnonzero(np.abs(samples) > 300)
    return samples[loud[0] :] if len(loud) else samples


def likenesses(heard: np.ndarray, said: np.ndarray) -> np.ndarray:
    """The normalised correlation of `said` with what was heard from each sample on."""
    if len(heard) < len(said):
        return np.zeros(0)
    said = said - said.mean()
    size = 1 << (len(heard) + len(said)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    sums = np.concatenate(([0.0], np.cumsum(heard**2)))
    power = sums[len(said) :] - sums[: -len(said)]
    return np.asarray(product[: len(power)] / np.sqrt(np.maximum(power, len(said)) * np.sum(said**2)))
