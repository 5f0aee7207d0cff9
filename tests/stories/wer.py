"""How much of what was said was heard: the word error rate, blind to how numbers are written.

Both sides go through the service's own normaliser: `3:30 pm`, `1-800`, `$5` become words. A list of single digits
is the same with and without its commas.
"""

import re
import unicodedata

from service.speech.errors import NothingToSay
from service.speech.normalise import normalise


def word_error_rate(expected: str, heard: str, language: str = "en-US") -> float:
    """Words that were replaced, lost or put in, for each word that was expected."""
    said, got = words(expected, language), words(heard, language)
    return distance(said, got) / max(1, len(said))


def words(text: str, language: str) -> list[str]:
    """Lower case, without accents, punctuation and hyphens."""
    try:
        said = normalise(re.sub(r"(?<=\b\d),(?=\d\b)", " ", text), language)
    except NothingToSay:
        return []
    plain = "".join(each for each in unicodedata.normalize("NFKD", said.lower()) if not unicodedata.combining(each))
    plain = plain.replace("ay em", "am").replace("pee em", "pm")
    return re.findall(r"[^\W_]+", plain)


def distance(one: list[str], other: list[str]) -> int:
    """Levenshtein's, of words."""
    row = list(range(len(other) + 1))
    for i, word in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, candidate in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != candidate))
    return row[-1]
