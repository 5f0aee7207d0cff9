"""The engines that run here, the best first."""

from collections.abc import Callable
from pathlib import Path

from service.speech.engine import LocalEngine
from service.speech.espeak import Espeak
from service.speech.kokoro import Kokoro
from service.speech.nanotts import NanoTts

LOCAL: dict[str, Callable[[Path], LocalEngine]] = {
    Kokoro.name: Kokoro,
    NanoTts.name: lambda _: NanoTts(),
    Espeak.name: lambda _: Espeak(),
}
