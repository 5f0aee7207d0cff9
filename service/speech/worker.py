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
            answer = _speak(engine, head, send) if engine else _convert(head, payload)
            send(frames.packed({"done": True}, answer))
        except NotAudio as error:
            send(frames.packed({"refused": str(error)}))
        except Exception as error:
            send(frames.packed({"failed": f"{type(error).__name__}: {error}"[:500]}))


def _speak(engine: LocalEngine, head: dict[str, Any], send: Send) -> bytes:
    """The pieces of one text as WAV. A frame after each tells that it is alive."""
    from service.speech.sound import spoken, wav

    voice, sounds = Voice(**head["voice"]), []
    for piece in head["pieces"]:
        sounds.append(engine.speak(piece, voice))
        send(frames.packed({"done": False}))
    return wav(spoken(sounds))


def _convert(head: dict[str, Any], payload: bytes) -> bytes:
    """A file as WAV; at the level of speech where `level`."""
    from service.speech.audio import samples
    from service.speech.sound import RATE, spoken, wav

    sound = samples(payload)
    return wav(spoken([(sound, RATE)]) if head["level"] else sound)


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
