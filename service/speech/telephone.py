"""Telephone numbers, digit by digit in groups, with a short pause between them."""

import re

import phonenumbers

from service.speech.numerals import digits
from service.speech.words.wording import Wording

LEAST, MOST = 7, 18  # digits; a shorter number is one
_CANDIDATE = re.compile(r"(?<![\w.,])(?:\+|\(\+?)?\d[\d ()./-]{5,28}\d(?!\w)|(?<![\w.,])\+\d{5,15}(?!\w)")


def spoken(text: str, words: Wording) -> str:
    return _CANDIDATE.sub(lambda m: _said(m[0], words), text)


def _said(written: str, words: Wording) -> str:
    count = sum(each.isdecimal() for each in written)
    if not LEAST <= count <= MOST or _is_a_number(written, words):
        return written
    groups = _groups(written)
    plus = f"{words.signs['+']} " if "+" in written else ""
    return f" {plus}{', '.join(digits(group, words) for group in groups)} "


def _is_a_number(written: str, words: Wording) -> bool:
    """One with its thousands apart, or with decimals."""
    if words.thousands == "." and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", written):
        return True
    if words.numbers == "fr" and re.fullmatch(r"[1-9]\d{0,2}(?: \d{3})+", written):
        return True
    return bool(re.fullmatch(r"\d+\.\d+", written)) and not re.fullmatch(r"\d{3}\.\d{4}", written)


def _groups(written: str) -> list[str]:
    """As it is written; as its country writes it where it is in one piece; else threes, and four at the end."""
    groups = re.findall(r"\d+", written)
    if len(groups) == 1 and written.startswith("+"):
        groups = re.findall(r"\d+", _international(written))
    return [piece for group in groups for piece in _short(group)]


def _international(written: str) -> str:
    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        return written
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _short(group: str) -> list[str]:
    if len(group) <= 4:
        return [group]
    return [group[:3], *_short(group[3:])] if len(group) != 6 else [group[:3], group[3:]]
