"""What the demo says about a recording."""

import io
import math
import wave
from array import array

from service.stack.demo import describe


def recording(left, right):
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(array("h", [sample for pair in zip(left, right, strict=True) for sample in pair]).tobytes())
    return file.getvalue()


def test_a_full_scale_sine_is_3_db_below_full_scale_and_silence_is_said():
    sine = [round(32767 * math.sin(n / 8)) for n in range(12000)]
    assert describe(recording(sine, [0] * 12000)) == "1.5 s, caller (left) -3.0 dBFS, callee (right) silent"


def test_an_empty_recording_is_silent():
    assert describe(recording([], [])) == "0.0 s, caller (left) silent, callee (right) silent"
