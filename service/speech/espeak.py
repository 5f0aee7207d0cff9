"""espeak-ng: many languages, small, understood with an effort."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from service.speech.engine import Voice
from service.speech.packages import lacking, version_of

if TYPE_CHECKING:
    from service.speech.engine import Samples

RECIPE = "2"  # raise it when it is asked in another way
VOICES = {
    "ar-001": "ar",
    "ca-ES": "ca",
    "cs-CZ": "cs",
    "da-DK": "da",
    "de-DE": "de",
    "el-GR": "el",
    "en-GB": "en",
    "en-US": "en-us",
    "es-ES": "es",
    "es-MX": "es-419",
    "fi-FI": "fi",
    "fr-FR": "fr",
    "hi-IN": "hi",
    "hu-HU": "hu",
    "id-ID": "id",
    "it-IT": "it",
    "nb-NO": "nb",
    "nl-NL": "nl",
    "pl-PL": "pl",
    "pt-BR": "pt-br",
    "pt-PT": "pt",
    "ro-RO": "ro",
    "ru-RU": "ru",
    "sv-SE": "sv",
    "tr-TR": "tr",
    "uk-UA": "uk",
    "vi-VN": "vi",
}


class Espeak:
    name, quality = "espeak", "robotic"

    @cached_property
    def version(self) -> str:
        return f"{version_of('espeakng-loader')} {RECIPE}"

    @cached_property
    def missing(self) -> str | None:
        return lacking("espeakng_loader", "numpy", "soxr", "soundfile")

    @property
    def voices(self) -> Mapping[str, str]:
        return {} if self.missing else VOICES

    def speak(self, text: str, voice: Voice) -> "tuple[Samples, int]":
        from service.speech import libespeak
        from service.speech.sound import from_pcm

        raw, rate = libespeak.sound(text, voice.name)
        return from_pcm(raw), rate
