"""Whisper by faster-whisper, for worker processes: what was said, in 99 languages.

Its files lie in `<models>/<name>/`: `model.bin` in CTranslate2's form, `config.json`, `tokenizer.json` and
`vocabulary.txt`.
"""

import math
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.speech.packages import lacking

if TYPE_CHECKING:
    from service.speech.engine import Samples

RATE = 16_000
SHORT_SECONDS = 9.0  # a caller's answer, not a message
LONGEST_ANSWER = 60  # tokens
BEAM = 5
_LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la "
    "mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be "
    "tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
)
LANGUAGES: dict[str, tuple[str, ...]] = {"whisper-base": tuple(_LANGUAGES.split()), "whisper-tiny.en": ("en",)}
"""The models, the best first, and what each understands."""
_CODES = {"nb": "no", "iw": "he", "jv": "jw", "fil": "tl"}  # Whisper's own names


class Whisper:
    """The model `name` in the folder of all models. It is loaded at the first use."""

    def __init__(self, name: str, models: Path) -> None:
        self.name, self._folder = name, models / name

    @property
    def languages(self) -> tuple[str, ...]:
        return LANGUAGES[self.name]

    def understands(self, language: str) -> bool:
        return _code(language) in self.languages

    @cached_property
    def missing(self) -> str | None:
        """What it lacks, in words; None where it can hear."""
        if absent := lacking("faster_whisper", "numpy", "soxr"):
            return absent
        files = ("model.bin", "config.json", "tokenizer.json")
        absent = next((file for file in files if not (self._folder / file).is_file()), None)
        return absent and f"{self._folder} has no {absent}"

    def hear(
        self, samples: "Samples", language: str, hint: Sequence[str], alive: Callable[[], None]
    ) -> tuple[list[str], float]:
        """What is said in `samples` (16 kHz, within ±1), and how sure that is, 0 to 1. Silence, noise and tones are
        empty. Of an answer there is more than one reading, the likeliest first. Calls `alive` after each sentence or
        so. Blocks."""
        if len(samples) <= SHORT_SECONDS * RATE:
            return self._answer(samples, _code(language), hint)
        segments, _ = self._model.transcribe(
            samples,
            language=_code(language),
            hotwords=", ".join(hint) or None,
            beam_size=BEAM,
            vad_filter=True,
            condition_on_previous_text=False,
        )
        said, likely, weight = [], 0.0, 0
        for segment in segments:
            said.append(segment.text.strip())
            likely += segment.avg_logprob * len(segment.text)
            weight += len(segment.text)
            alive()
        return [" ".join(said)], math.exp(likely / weight) if weight else 0.0

    def _answer(self, samples: "Samples", code: str, hint: Sequence[str]) -> tuple[list[str], float]:
        """Decoded once: what is not understood is not tried again at higher temperatures, which takes up to 20 s. All
        readings of the beam count: of a single word, the second is often the right one."""
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.vad import get_speech_timestamps

        if not get_speech_timestamps(samples):
            return [""], 0.0
        model = self._model
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=code)
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=", ".join(hint) or None)
        found = model.model.generate(
            model.encode(pad_or_trim(model.feature_extractor(samples))),
            [prompt],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            return_scores=True,
            max_length=len(prompt) + LONGEST_ANSWER,
        )[0]
        readings = [tokenizer.decode(tokens).strip() for tokens in found.sequences_ids]
        return list(dict.fromkeys(readings)), math.exp(found.scores[0])

    @cached_property
    def _model(self) -> Any:
        from faster_whisper import WhisperModel

        threads = min(4, os.cpu_count() or 1)
        return WhisperModel(
            str(self._folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )


def _code(language: str) -> str:
    main = language.replace("_", "-").partition("-")[0].lower()
    return _CODES.get(main, main)
