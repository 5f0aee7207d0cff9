"""SVOX Pico by py-nanotts: very fast, clear, six voices."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from service.speech.engine import Voice
from service.speech.packages import lacking, version_of

if TYPE_CHECKING:
    from service.speech.engine import Samples

RATE = 16_000
LANGUAGES = ("de-DE", "en-GB", "en-US", "es-ES", "fr-FR", "it-IT")


class NanoTts:
    name, quality = "nanotts", "clear"

    @cached_property
    def version(self) -> str:
        return version_of("py-nanotts")

    @cached_property
    def missing(self) -> str | None:
        return lacking("py_nanotts", "numpy", "soxr", "soundfile")

    @property
    def voices(self) -> Mapping[str, str]:
        return {} if self.missing else {language: language for language in LANGUAGES}

    def speak(self, text: str, voice: Voice) -> "tuple[Samples, int]":
        """Pico reads tags in angle brackets as its own commands: the normaliser leaves none."""
        from py_nanotts import NanoTTS

        from service.speech.sound import from_pcm

        raw = NanoTTS().speak(text.replace("<", " ").replace(">", " "), voice=voice.name)
        return from_pcm(raw), RATE
