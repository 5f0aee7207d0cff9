"""Times of day and their ranges: 3:30 pm, 15:30, 9h30, 14.30 Uhr, 9–17."""

import re

from service.speech.numerals import cardinal
from service.speech.words.wording import Wording

_STOP = r"(?:\.(?!\s+(?-i:[A-Z])))?"  # that of p.m., where no sentence ends with it
_HALF = rf"(?:\s?([ap])\.?\s?m\b{_STOP})?"
_TIME = re.compile(
    rf"(?<![\d:.,])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?![\d:]){_HALF}(\s?Uhr\b|\s?h\b)?", re.IGNORECASE
)
_HOUR = re.compile(rf"(?<![\d:.,])(1[0-2]|0?[1-9])\s?([ap])\.?\s?m\b{_STOP}", re.IGNORECASE)
_H = re.compile(r"(?<![\w.,])([01]?\d|2[0-4])\s?h(?:\s?([0-5]\d))?(?!\w)")  # French and Portuguese
_DOTTED = re.compile(
    r"(\b(?:ore|alle|dalle)\s|)(?<![\d.,])([01]?\d|2[0-4])\.([0-5]\d)(?![\d.,]\d)(\s?Uhr\b|\s?[ap]\.?\s?m\b\.?)?",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"\b([ap])\.m\b{_STOP}", re.IGNORECASE)
_UHR = re.compile(r"(?<![\d:.,])([01]?\d|2[0-4])\s?Uhr(?:\s([0-5]?\d)(?!\d))?")
_END = r"\d{1,2}(?:[:.h][0-5]\d)?\s?h?(?:\s?[ap]\.?m\b\.?)?(?:\s?Uhr\b)?"
_RANGE = re.compile(rf"(?<![\d\-–./:,])({_END})\s?[-–]\s?(?={_END}(?![\d\-–/]|[.,:]\d))", re.IGNORECASE)


def spoken(text: str, words: Wording) -> str:
    text = _RANGE.sub(lambda m: f"{m[1]} {words.to} ", text)
    text = _DOTTED.sub(_colon, text)
    text = _TIME.sub(lambda m: _said(int(m[1]), int(m[2]), (m[3] or "").lower(), words), text)
    text = _HOUR.sub(lambda m: _said(int(m[1]), 0, m[2].lower(), words), text)
    if words.clock_of_12:
        text = _ALONE.sub(lambda m: words.morning if m[1] in "aA" else words.afternoon, text)
    if words.numbers in ("fr", "pt_BR"):
        text = _H.sub(lambda m: _said(int(m[1]), int(m[2] or 0), "", words), text)
    if words.numbers == "de":
        text = _UHR.sub(lambda m: _said(int(m[1]), int(m[2] or 0), "", words), text)
    return text


def _colon(found: re.Match[str]) -> str:
    """14.30 is a time where a word beside it says so."""
    return f"{found[1]}{found[2]}:{found[3]}{found[4] or ''}" if found[1] or found[4] else found[0]


def _said(hour: int, minute: int, half: str, words: Wording) -> str:
    if words.clock_of_12 and not half and (hour > 12 or hour == 0):
        half = "p" if 12 < hour < 24 else "a"
    if words.clock_of_12 and half:
        hour = (hour - 1) % 12 + 1
    name = words.hours.get(hour) or cardinal(hour, words)
    said = words.hour_minute.format(h=name, m=_minute(minute, words)) if minute else _full(hour, name, half, words)
    return f"{said} {words.morning if half == 'a' else words.afternoon}" if half else said


def _full(hour: int, name: str, half: str, words: Wording) -> str:
    if half:
        return name
    return words.one_sharp if hour == 1 else words.sharp.format(h=name)


def _minute(minute: int, words: Wording) -> str:
    said = cardinal(minute, words)
    return f"{words.oh} {said}" if words.oh and minute < 10 else said
