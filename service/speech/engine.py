"""What a speech engine is to the rest of this room."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks a language."""

    engine: str
    name: str  # as the engine calls it
    language: str  # the tag of what is spoken, as `en-US`


@dataclass(frozen=True, slots=True)
class EngineState:
    """One engine as `GET /v1/voice/speech/engines` shows it."""

    name: str
    installed: bool
    languages: tuple[str, ...]  # what it speaks here
    chosen_for: tuple[str, ...]  # what it is the best engine for
    quality: str  # natural, clear, robotic, or external: an endpoint's own
    error: str | None  # why it is not installed


class Engine(Protocol):
    """Looks at files alone until it speaks: the service's processes import no engine."""

    name: str
    quality: str

    @property
    def version(self) -> str:
        """Changes whenever the same text may sound different."""

    @property
    def missing(self) -> str | None:
        """What it lacks, in words; None where it can speak."""

    @property
    def voices(self) -> Mapping[str, str]:
        """The voice of each language that it speaks here."""


class LocalEngine(Engine, Protocol):
    """An engine that runs in a worker process of its own."""

    def speak(self, text: str, voice: Voice) -> "tuple[Samples, int]":
        """`text`, normalised and at most a few sentences, as samples within ±1 and their rate in Hz; maybe none.

        Blocks; in a worker alone.
        """
