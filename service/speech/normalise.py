"""Text as somebody wrote it into words as somebody says them: times, sums, telephone numbers, addresses, keys.

What comes out has letters, spaces, and the punctuation that pauses; no digits where the language has a wording. Nothing
in it is a command to anybody. The order of `RULES` matters: each leaves words, which the next ones do not touch.
"""

import html
import re
import unicodedata
from collections.abc import Callable

from service.speech import addresses, clock, dates, money, telephone
from service.speech.errors import NothingToSay
from service.speech.numerals import NUMBER, digits, number, ordinal
from service.speech.words import wording
from service.speech.words.wording import Wording

Rule = Callable[[str, Wording], str]

_TAG = re.compile(r"</?[a-zA-Z][\w:.-]{0,40}(?:\s[^<>]{0,400})?/?>|<!--[^<>]{0,400}-->|<[!?][^<>]{0,400}>")
_GROUPED = re.compile(r"(?<=\d)[\u00a0\u202f'’](?=\d{3}(?!\d))")
_BREAK = re.compile(r"[ \t]*[\r\n\u2028\u2029]+\s*(?=(\S)?)")
_EMPHASIS = re.compile(r"(?<!\d)(\*{1,3}|_{1,3})([^\W\d_][^*_\n]{0,300}?)\1(?!\d)")
_SPACED = re.compile(r"(?<!\d)(?<!\d )([1-9]\d{0,2}(?: \d{3}){1,3})(?! ?\d)")  # French thousands
_ORDINAL = re.compile(r"\b(\d{1,4})(?:st|nd|rd|th)\b", re.IGNORECASE)
_NEGATIVE = re.compile(r"(?<![\w)])[-−](?=\d)")
_ENDLESS = re.compile(r"(\w{100})(?=\w)")  # no word; Pico takes minutes for some of 400 letters
_PAUSES = ".,;:!?…"
_KEPT = f"{_PAUSES}'-"
_SOFT = str.maketrans("()[]—–‘’", ",,,,,,''")


def normalise(text: str, language: str) -> str:
    """What is said of `text` in the language of that tag. Raises `NothingToSay`, and nothing else."""
    said, words = _plain(text), wording(language)
    if words:
        for rule in RULES:
            said = rule(said, words)
    said = _breathing(said)
    if not any(each.isalnum() for each in said):
        raise NothingToSay
    return said


def _plain(text: str) -> str:
    """No markup, no control characters, no signs that only look like others; a new line that begins anew is a stop."""
    text = _TAG.sub(" ", html.unescape(text))
    text = _BREAK.sub(lambda m: ". " if m[1] and (m[1].isupper() or m[1].isdigit()) else " ", text)
    text = unicodedata.normalize("NFKC", _GROUPED.sub("", text))
    text = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in text)
    return _EMPHASIS.sub(r"\2", text)


def _short(text: str, words: Wording) -> str:
    for short, long in words.short.items():
        text = re.sub(rf"\b{short}\b\.?(?=\s|[-–,;:]|$)", long, text)
        text = re.sub(rf"(?<={long})\s?[-–]\s?(?=[A-Z])", f" {words.to} ", text)
    return text


def _cued(text: str, words: Wording) -> str:
    cue = rf"\b({'|'.join(words.cues)})((?:\W|\b(?:is|es|est|è|ist|é)\b){{1,6}})(\d{{3,6}})\b(?![.,:]\d)"
    return re.sub(cue, lambda m: f"{m[1]}{m[2]}{digits(m[3], words)}", text, flags=re.IGNORECASE)


def _keys(text: str, words: Wording) -> str:
    """A star or a pound before digits belongs to them: they are dialled."""
    dialled = re.sub(r"([*#])(\d{1,6})(?!\d)", lambda m: f" {words.signs[m[1]]} {digits(m[2], words)} ", text)
    return re.sub(r"[*#&+=@°]", lambda m: f" {words.signs[m[0]]} ", dialled)


def _numbers(text: str, words: Wording) -> str:
    if words.numbers == "fr":
        text = _SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    text = _ORDINAL.sub(lambda m: ordinal(int(m[1]), words), text) if words.numbers == "en" else text
    text = re.sub(r"(?<=\d)\s?%", f" {words.percent}", text)
    text = _NEGATIVE.sub(" minus " if words.numbers in ("en", "de") else " - ", text)
    return NUMBER.sub(lambda m: f" {number(m[0], words)} ", text)


RULES: tuple[Rule, ...] = (
    addresses.spoken,
    _short,
    lambda text, words: text.replace("24/7", f" {words.around_the_clock} "),
    dates.spoken,
    clock.spoken,
    money.spoken,
    telephone.spoken,
    _cued,
    _keys,
    _numbers,
)


def _breathing(text: str) -> str:
    """Only what is spoken, and one mark where several would pause; a stop at the end."""
    text = text.translate(_SOFT)
    text = "".join(each if each.isalnum() or each in _KEPT or _joined(each) else " " for each in text)
    text = re.sub(r"(?<!\w)[-']+|[-']+(?!\w)", " ", text)
    text = re.sub(r"\s+", " ", _ENDLESS.sub(r"\1 ", text))
    text = re.sub(r"\s*([.,;:!?…])(?:\s*[.,;:!?…])*", lambda m: _strongest(m[0]), text)
    text = re.sub(r"([,;:!?…])(?=\w)", r"\1 ", text).lstrip(f"{_PAUSES} ").rstrip(",;: ")
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _joined(each: str) -> bool:
    """Marks above and below letters (Devanagari, Arabic), and the stops of other scripts."""
    return unicodedata.category(each)[0] == "M" or each in "。！？、，।"


def _strongest(marks: str) -> str:
    return next((each for each in "?!.…;:," if each in marks), "")
