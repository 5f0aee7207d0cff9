"""Dates in figures: 2026-12-24, 12/24/2026, 24.12.2026. A date in words is left as it is, but for its numbers."""

import re

from service.speech.numerals import cardinal, ordinal, year
from service.speech.words.wording import Wording

_ISO = re.compile(r"(?<![\d-])((?:19|20)\d\d)-(\d\d)-(\d\d)(?![\d-])")
_WRITTEN = re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2((?:19|20)\d\d)(?![\d/-])")


def spoken(text: str, words: Wording) -> str:
    text = _ISO.sub(lambda m: _said(m[0], int(m[1]), int(m[2]), int(m[3]), words), text)
    text = _WRITTEN.sub(lambda m: _written(m, words), text)
    if words.numbers == "de":
        day = rf"(?<!\d)([0-3]?\d)\.\s?(?={'|'.join(words.months)})"
        text = re.sub(day, lambda m: f"{_th(int(m[1]), words)} ", text)
    return text


def _th(day: int, words: Wording) -> str:
    """The day in the case that German dates have behind `am`, `vom` and `bis zum`."""
    return f"{ordinal(day, words)}n" if words.numbers == "de" else ordinal(day, words)


def _written(found: re.Match[str], words: Wording) -> str:
    first, second = int(found[1]), int(found[3])
    day, month = (second, first) if words.month_first and found[2] != "." else (first, second)
    return _said(found[0], int(found[4]), month, day, words)


def _said(written: str, when: int, month: int, day: int, words: Wording) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return written
    number = _th(day, words) if words.numbers in ("en", "de") else words.days.get(day) or cardinal(day, words)
    joint = " de " if words.numbers in ("es", "pt_BR") else " "
    return f"{words.date.format(d=number, month=words.months[month - 1])}{joint}{year(when, words)}"
