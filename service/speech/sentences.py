"""Text in pieces that an engine speaks at once."""

import re
from collections.abc import Iterable

LONGEST = 220  # characters of a piece, where it has a place to be cut
HARD = 380  # characters of a piece in any case: Kokoro takes 510 phonemes

_ENDS = re.compile(r"(?<=[.!?…。！？])\s+|(?<=[。！？])")
_PAUSES = re.compile(r"(?<=[,;:—，、])\s+|(?<=[，、])")


def pieces(text: str) -> tuple[str, ...]:
    """Sentences, short ones together, long ones cut where they pause, at worst between words."""
    sentences = (part for sentence in _ENDS.split(text.strip()) for part in _cut(sentence))
    return tuple(_together(sentences))


def _cut(sentence: str) -> list[str]:
    if len(sentence) <= LONGEST:
        return [sentence]
    parts = []
    for clause in _together(_PAUSES.split(sentence)):
        while len(clause) > HARD:
            end = clause.rfind(" ", HARD // 2, HARD)
            end = HARD if end < 0 else end
            parts.append(clause[:end])
            clause = clause[end:].lstrip()
        parts.append(clause)
    return parts


def _together(parts: Iterable[str]) -> list[str]:
    joined: list[str] = []
    for part in filter(None, parts):
        if joined and len(joined[-1]) + 1 + len(part) <= LONGEST:
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    return joined
