"""Sums of money: $5.20, 5,20 €, R$ 10, USD 5."""

import re

from service.speech.numerals import amount, cardinal
from service.speech.words.wording import Wording

_SIGNS = {"US$": "$", "USD": "$", "EUR": "€", "GBP": "£", "BRL": "R$", "$": "$", "€": "€", "£": "£", "R$": "R$"}
_SIGN = r"(US\$|R\$|\$|€|£|(?<!\w)(?:USD|EUR|GBP|BRL))"
_SUM = r"(\d+(?:[.,]\d+)*)"


def spoken(text: str, words: Wording) -> str:
    scale = rf"(?:\s?({'|'.join(words.million)})\b)?" if words.million else "()?"
    before = rf"{_SIGN}\s?{_SUM}{scale}"
    text = re.sub(before, lambda m: _said(m[0], m[2], m[1], m[3], words), text)
    return re.sub(rf"(?<![\d.,]){_SUM}{scale}\s?{_SIGN}(?!\w)", lambda m: _said(m[0], m[1], m[3], m[2], words), text)


def _said(written: str, figures: str, sign: str, scale: str | None, words: Wording) -> str:
    money, found = words.money[_SIGNS[sign]], amount(figures)
    if found is None:
        return written
    units, cents = found
    if scale:
        return f" {cardinal(units, words)} {words.million[scale]} {money.many} "
    parts = []
    if units or not cents:
        parts.append(money.one if units == 1 else f"{_gendered(units, money.one, words)} {money.many}")
    if cents:
        parts.append(money.cent if cents == 1 else f"{cardinal(cents, words)} {money.cents}")
    return f" {words.and_cents.join(parts)} "


def _gendered(units: int, one: str, words: Wording) -> str:
    """Portuguese pounds are feminine: two of them have another word."""
    said = cardinal(units, words)
    return words.hours.get(units, said) if one.startswith(("uma ", "una ", "une ")) else said
