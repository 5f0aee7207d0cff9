"""`python -m service.speech.transcriber <model> <folder of models>`: one recogniser in a process of its own.

Like `worker`: requests on standard input, answers on standard output, the lowest claim on the machine.
"""

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.speech import frames
from service.speech.whisper import RATE, Whisper
from service.speech.worker import pipes, yield_to_others

if TYPE_CHECKING:
    from service.speech.engine import Samples


def main(name: str, models: Path) -> None:
    source, send = pipes()
    yield_to_others()
    whisper = Whisper(name, models)

    def alive() -> None:
        send(frames.packed({"done": False}))

    while request := frames.read(source):
        head, payload = request
        try:
            heard = whisper.hear(_samples(head, payload), head["language"], head["hint"], alive)
            send(frames.packed({"done": True}, json.dumps(heard).encode()))
        except Exception as error:
            send(frames.packed({"failed": f"{type(error).__name__}: {error}"[:500]}))


def _samples(head: dict[str, Any], payload: bytes) -> "Samples":
    """A file of any format, or 16-bit samples of one channel at a rate."""
    import numpy as np
    import soxr
    from faster_whisper import decode_audio

    if path := head.get("path"):
        decoded: Samples = decode_audio(path, sampling_rate=RATE)
        return decoded
    raw = np.frombuffer(payload, "<i2").astype(np.float32) / 32768
    return np.asarray(soxr.resample(raw, head["rate"], RATE), dtype=np.float32)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the service, which closes the input
    main(sys.argv[1], Path(sys.argv[2]))
