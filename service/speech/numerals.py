"""Numbers in words. Signs between thousands and before decimals are read as the language writes them."""

import re
from typing import cast

from num2words import num2words

from service.speech.words.wording import Wording

MOST_DIGITS = 12  # a longer number is told digit by digit

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
YEAR = re.compile(r"1[1-9]\d\d|20\d\d")
_AMOUNT = re.compile(r"(\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](\d{1,2}))?")


def cardinal(number: int, words: Wording) -> str:
    return cast(str, num2words(number, lang=words.numbers)).replace(",", "")


def ordinal(number: int, words: Wording) -> str:
    return cast(str, num2words(number, lang=words.numbers, to="ordinal"))


def digits(text: str, words: Wording) -> str:
    """The digits in `text`, one by one."""
    return " ".join(words.digits[int(each)] for each in text if each in "0123456789")


def year(number: int, words: Wording) -> str:
    how = "year" if words.years_by_hundreds else "cardinal"
    return cast(str, num2words(number, lang=words.numbers, to=how)).replace(",", "")


def number(text: str, words: Wording) -> str:
    """What `NUMBER` finds: a whole number, one with decimals, a year, a list, or a chain like a version's."""
    decimal = "," if words.thousands == "." else "."
    grouped = re.fullmatch(rf"(\d{{1,3}}(?:\{words.thousands}\d{{3}})+)(?:\{decimal}(\d+))?", text)
    if grouped:
        return _decimals(_whole(grouped[1].replace(words.thousands, ""), words), grouped[2], words)
    if text.isdecimal():
        return year(int(text), words) if YEAR.fullmatch(text) else _whole(text, words)
    parts = re.split(r"[.,]", text)
    if len(parts) == 2 and (decimal in text or len(parts[1]) != 3):
        return _decimals(_whole(parts[0], words), parts[1], words)
    joint = ", " if "," in text else f" {words.web['.']} "
    return joint.join(number(part, words) for part in parts)


def _whole(text: str, words: Wording) -> str:
    told = len(text) > MOST_DIGITS or (text[0] == "0" and len(text) > 1)
    return digits(text, words) if told else cardinal(int(text), words)


def _decimals(whole: str, decimals: str | None, words: Wording) -> str:
    return f"{whole} {words.point} {digits(decimals, words)}" if decimals else whole


def amount(text: str) -> tuple[int, int] | None:
    """A sum of money as units and hundredths; None where it is written as no sum is."""
    found = _AMOUNT.fullmatch(text)
    if not found or len(found[1]) > MOST_DIGITS:
        return None
    return int(re.sub("[.,]", "", found[1])), int((found[2] or "0").ljust(2, "0"))
