"""`python -m service.speech.worker <engine> <folder of models>`: one engine in a process of its own.

Requests come on standard input, answers go to standard output (`frames`). It yields to everybody else on the machine,
and ends with its input, or with the process that started it.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.speech import frames
from service.speech.engine import LocalEngine, Voice
from service.speech.errors import NotAudio
from service.speech.local import LOCAL

NICE = 10
DECODER_BYTES = 2 << 30  # address space of the one that reads audio of others
_PR_SET_PDEATHSIG = 1

Send = Callable[[bytes], None]


def main(name: str, models: Path) -> None:
    source, send = pipes()
    _behave(name)
    engine = LOCAL[name](models) if name in LOCAL else None
    while request := frames.read(source):
        head, payload = request
        try:
            answer = _speak(engine, head) if engine else _sound(head, payload)
            send(frames.packed({"done": True}, answer))
        except NotAudio as error:
            send(frames.packed({"refused": str(error)}))
        except Exception as error:
            send(frames.packed({"failed": f"{type(error).__name__}: {error}"[:500]}))


def _speak(engine: LocalEngine, head: dict[str, Any]) -> bytes:
    """One piece of a text as samples."""
    from service.speech.sound import at_telephone_rate, packed

    return packed(at_telephone_rate(*engine.speak(head["piece"], Voice(**head["voice"]))))


def _sound(head: dict[str, Any], payload: bytes) -> bytes:
    """A file as WAV, or as samples where `piece`. With `join`, samples of pieces of so many bytes each as one WAV."""
    from service.speech.audio import samples
    from service.speech.sound import RATE, packed, spoken, unpacked, wav

    if "join" in head:
        return wav(spoken((piece, RATE) for piece in unpacked(payload, head["join"])))
    return packed(samples(payload)) if head["piece"] else wav(samples(payload))


def pipes() -> tuple[Any, Send]:
    """What an engine prints goes to standard error: standard output is ours."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def send(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[out.write(view) :]

    return sys.stdin.buffer, send


def yield_to_others() -> None:
    """The lowest claim on the machine; it ends with the process that started it."""
    os.nice(NICE)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _behave(name: str) -> None:
    yield_to_others()
    if name not in LOCAL:
        resource.setrlimit(resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the service, which closes the input
    main(sys.argv[1], Path(sys.argv[2]))
