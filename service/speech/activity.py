"""Is somebody speaking? Silero's detector by onnxruntime, 32 ms at a time; loudness where it is not installed.

One model serves all callers of a process; 32 ms of one cost it 0.1 ms.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import structlog

RATE = 8000
WINDOW = 256  # samples, 32 ms
_CONTEXT, _STATE = 64, 128  # of the model, which runs at 16 kHz

log = structlog.get_logger()


class Detector(Protocol):
    """Of one caller: it remembers what came before."""

    def likelihood(self, window: bytes) -> float:
        """How likely `WINDOW` 16-bit samples are speech, 0 to 1."""
        ...


class Detectors:
    """Makes detectors. `load` blocks (for 0.2 s, once); nothing is loaded before."""

    def __init__(self) -> None:
        self._session: Any = None

    def load(self) -> None:
        path = _model()
        if self._session is not None or path is None:
            return
        try:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.inter_op_num_threads = options.intra_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            options.log_severity_level = 4
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            log.warning("activity.by_loudness", why=f"{type(error).__name__}: {error}"[:200])

    def detector(self) -> Detector:
        return Silero(self._session) if self._session is not None else Loudness()


def _model() -> Path | None:
    """The model inside of faster-whisper's package, which is not imported."""
    package = find_spec("faster_whisper")
    places = (package.submodule_search_locations or []) if package else []
    found = [file for place in places for file in sorted(Path(place, "assets").glob("silero_vad*.onnx"))]
    return found[-1] if found else None


class Silero:
    def __init__(self, session: Any) -> None:
        import numpy as np

        self._np, self._session = np, session
        self._h = self._c = np.zeros((1, 1, _STATE), np.float32)
        self._last = np.zeros(_CONTEXT, np.float32)
        self._end = 0.0

    def likelihood(self, window: bytes) -> float:
        np = self._np
        heard = np.frombuffer(window, "<i2").astype(np.float32) / 32768
        doubled = np.empty(2 * len(heard), np.float32)  # 16 kHz: between two samples their mean
        doubled[1::2] = heard
        doubled[2::2] = (heard[:-1] + heard[1:]) / 2
        doubled[0] = (self._end + heard[0]) / 2
        given = np.concatenate((self._last, doubled))[None]
        found, self._h, self._c = self._session.run(None, {"input": given, "h": self._h, "c": self._c})
        self._last, self._end = doubled[-_CONTEXT:], heard[-1]
        return float(found[0])


class Loudness:
    """Speech is what is four times as loud as the quietest of the last while, and not quite silent."""

    FLOOR, TIMES, RISE = 150.0, 4.0, 1.01  # of 32767; the floor follows down at once, up by 1 % each window

    def __init__(self) -> None:
        self._quiet = self.FLOOR

    def likelihood(self, window: bytes) -> float:
        samples = memoryview(window).cast("h")
        loud = (sum(sample * sample for sample in samples) / len(samples)) ** 0.5
        self._quiet = max(self.FLOOR, min(loud, self._quiet * self.RISE))
        return 1.0 if loud > self._quiet * self.TIMES else 0.0
