"""Which key a caller means by what they said. Pure: a transcript and the phrases of a menu's keys in, a key or None
out.

In doubt it is None: the caller can say it again or press the key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from service.ivr.words import NOT, key_alone, main_language, words

LONGEST = 15  # words: who says more is talking to somebody else
APART = 90  # of 100: how much alike words must be that are written apart or together otherwise
ECHO = 2  # words of the prompt around a phrase that make it the prompt's own
UNSPACED = frozenset({"ja", "zh", "th", "ko"})  # written without spaces between words, or with optional ones

Options = Mapping[str, Sequence[str]]
"""The phrases of each key."""


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase of `key` found in the words `start` to `end`, `score` of 100 alike."""

    key: str
    start: int
    end: int
    score: float

    def inside(self, other: "Match") -> bool:
        """Whether it is a part of another, longer one."""
        return other.start <= self.start and self.end <= other.end and other.end - other.start > self.end - self.start

    def meets(self, other: "Match") -> bool:
        return self.start < other.end and other.start < self.end


def choose(
    transcript: str, options: Options, language: str, prompt: str = "", others: Sequence[str] = ()
) -> str | None:
    """The key of `options` whose phrase was said, alone or inside a sentence, or whose own name was said alone.
    `others` are other readings of what was said; one may hold the phrase, but no key's name, as a number is easily
    misheard for another.

    None where none was, more than one, or what was heard is a piece of `prompt`, out of the caller's loudspeaker.
    """
    keys = {_chosen(transcript, options, language, prompt, named=True)}
    keys |= {_chosen(reading, options, language, prompt, named=False) for reading in others}
    keys -= {""}
    return keys.pop() if len(keys) == 1 else None


def _chosen(transcript: str, options: Options, language: str, prompt: str, *, named: bool) -> str | None:
    """Empty where no phrase is in it, None where it is in doubt which is meant."""
    said = _units(transcript, language)
    if not said or len(said) > LONGEST * (4 if main_language(language) in UNSPACED else 1):
        return ""
    if named and (key := key_alone(said, language)) in options:
        return key
    found = [
        match for key, phrases in options.items() for phrase in phrases for match in _found(key, phrase, said, language)
    ]
    best = [match for match in found if not any(_beaten(match, other) for other in found)]
    if not best:
        return ""
    if len({match.key for match in best}) > 1:
        return None
    if any(_negated(match, said, language) or _echo(match, said, prompt, language) for match in best):
        return None
    return best[0].key


def clash(options: Options, language: str) -> tuple[str, str, str] | None:
    """Two keys and a phrase of the first that means both or the second; None where every phrase chooses its key."""
    for key, phrases in options.items():
        for phrase in phrases:
            chosen = choose(phrase, options, language)
            if chosen != key:
                rivals = (other for other in options if other != key and _hits(phrase, options[other], language))
                return key, chosen or next(rivals, ""), phrase
    return None


def _hits(text: str, phrases: Sequence[str], language: str) -> bool:
    said = _units(text, language)
    return any(True for phrase in phrases for _ in _found("", phrase, said, language))


@lru_cache(maxsize=1024)
def _units(text: str, language: str) -> tuple[str, ...]:
    """Words; characters where a language is written without spaces."""
    found = words(text, language)
    return tuple("".join(found) if main_language(language) in UNSPACED else found)


def _found(key: str, phrase: str, said: Sequence[str], language: str) -> Iterator[Match]:
    """Where a phrase stands; "help desk" is "helpdesk" too."""
    wanted = _units(phrase, language)
    target = "".join(wanted)
    for size in range(max(1, len(wanted) - 1), len(wanted) + 2):
        enough = _enough(len(target)) if size == len(wanted) else APART
        for start in range(len(said) - size + 1):
            score = fuzz.ratio("".join(said[start : start + size]), target, score_cutoff=enough)
            if score:
                yield Match(key, start, start + size, score)


def _enough(letters: int) -> float:
    """How much alike a phrase of so many letters must be: of five, one may be another."""
    if letters < 4:
        return 100
    return 85 if letters == 4 else 80


def _beaten(match: Match, other: Match) -> bool:
    """By a better one at the same place, or one of another key that says more."""
    if not match.meets(other):
        return False
    if other.score != match.score and min(other.score, match.score) < 100:
        return other.score > match.score
    return other.key != match.key and match.inside(other)


def _negated(match: Match, said: Sequence[str], language: str) -> bool:
    """ "Not sales": one of the two words before the phrase denies it."""
    return not NOT.get(main_language(language), frozenset()).isdisjoint(said[max(0, match.start - 2) : match.start])


def _echo(match: Match, said: Sequence[str], prompt: str, language: str) -> bool:
    if len(said) - (match.end - match.start) < ECHO or not prompt:
        return False
    whole = " ".join(_units(prompt, language))
    return fuzz.partial_ratio(" ".join(said), whole) > 90 and len(whole) >= len(" ".join(said))
