"""Where somebody begins and ends to speak, in sound as it comes."""

import asyncio
from collections import deque

from service.speech.activity import RATE, WINDOW, Detector, Detectors

BYTES = 2 * WINDOW
_PER_SECOND = RATE / WINDOW
LEAD = round(0.3 * _PER_SECOND)  # windows kept from before the first that is speech
BEGINS = 3  # windows of speech that are no click
PAUSE = round(0.4 * _PER_SECOND)  # windows of silence after which somebody may have finished
OVER = round(1.5 * _PER_SECOND)  # and after which they have
LONGEST = round(8.0 * _PER_SECOND)  # who speaks longer than this does not answer a menu
SPEECH, SILENCE = 0.5, 0.35


class Utterances:
    """Of one caller. It holds at most `LONGEST` of sound."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._rest = b""
        self._lead: deque[bytes] = deque(maxlen=LEAD + BEGINS)
        self._said: list[bytes] = []
        self._voiced = self._quiet = 0
        self._told = False

    def feed(self, sound: bytes) -> bytes | None:
        """Takes 16-bit samples at 8 kHz. At a pause, what was said until then; a longer one with the same beginning may
        follow where the speaker goes on."""
        self._rest += sound
        told = None
        while len(self._rest) >= BYTES:
            window, self._rest = self._rest[:BYTES], self._rest[BYTES:]
            told = self._take(window) or told
        return told

    def _take(self, window: bytes) -> bytes | None:
        likely = self._detector.likelihood(window)
        if not self._said:
            self._begin(window, likely)
            return None
        if len(self._said) <= LONGEST:
            self._said.append(window)
        if likely >= (SPEECH if self._quiet else SILENCE):
            self._quiet, self._told = 0, False
            return None
        self._quiet += 1
        if self._quiet == PAUSE and len(self._said) <= LONGEST:
            self._told = True
            return b"".join(self._said)
        if self._quiet >= OVER:
            self._said, self._voiced, self._told = [], 0, False
        return None

    def _begin(self, window: bytes, likely: float) -> None:
        self._lead.append(window)
        self._voiced = self._voiced + 1 if likely >= SPEECH else 0
        if self._voiced >= BEGINS:
            self._said, self._quiet, self._told = list(self._lead), 0, False
            self._lead.clear()


async def utterances(detectors: Detectors) -> Utterances:
    """Of a new caller."""
    await asyncio.to_thread(detectors.load)
    return Utterances(detectors.detector())
