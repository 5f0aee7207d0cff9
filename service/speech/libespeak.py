"""The library of espeak-ng, from the wheel `espeakng-loader`: what it says, and the phonemes that it would say.

One for a process, and for one thread of it. The functions are those of `espeak-ng/speak_lib.h`.
"""

import ctypes
from functools import cache
from typing import Any

_RETRIEVAL, _SYNCHRONOUS = 1, 2
_NO_EXIT = 0x8000
_UTF8 = 1
_RATE = 1
WORDS_PER_MINUTE = 150  # slower than its own 175: half of that is not understood on a telephone
_IPA, _TIED = 0x02, 0x80
TIE = "^"  # joins the letters of one phoneme
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakError(RuntimeError):
    """The library refused something."""


class _Library:
    def __init__(self) -> None:
        import espeakng_loader

        self.calls: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self.calls.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.pieces: list[bytes] = []
        self._heard = _CALLBACK(self._hear)  # lives as long as the library may call it
        data = espeakng_loader.get_data_path().encode()
        self.rate: int = self.calls.espeak_Initialize(_SYNCHRONOUS, 0, data, _NO_EXIT)
        if self.rate <= 0:
            raise EspeakError("espeak-ng does not find its data")
        self.calls.espeak_SetSynthCallback(self._heard)
        self.calls.espeak_SetParameter(_RATE, WORDS_PER_MINUTE, 0)

    def _hear(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self.pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    def choose(self, voice: str) -> None:
        if self.calls.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EspeakError(f"espeak-ng has no voice {voice!r}")


@cache
def _library() -> _Library:
    return _Library()


def phonemes(text: str, voice: str) -> str:
    """IPA with stress marks; `TIE` joins what is one phoneme. Punctuation is lost."""
    library = _library()
    library.choose(voice)
    place = ctypes.c_void_p(ctypes.cast(ctypes.c_char_p(raw := text.encode()), ctypes.c_void_p).value)
    said = []
    while place.value:
        clause = library.calls.espeak_TextToPhonemes(ctypes.byref(place), _UTF8, _IPA | _TIED | ord(TIE) << 8)
        said.append((clause or b"").decode(errors="ignore"))
    del raw  # the library read it until here
    return " ".join(filter(None, said))


def sound(text: str, voice: str) -> tuple[bytes, int]:
    """16-bit samples and their rate in Hz. Text is never read as markup or as phonemes."""
    library = _library()
    library.choose(voice)
    library.pieces.clear()
    raw = text.encode() + b"\0"
    library.calls.espeak_Synth(raw, ctypes.c_size_t(len(raw)), 0, 1, 0, _UTF8, None, None)
    return b"".join(library.pieces), library.rate
