"""A telephone number of the account: what `from` may name, and where inbound calls come in."""

import re
from dataclasses import dataclass
from typing import Any

import phonenumbers

from service.numbers.route import BEFORE_ROUTES, Route, route_of

_SEPARATORS = str.maketrans("", "", " -.()/")  # RFC 3966, visual separators
_DIGITS = re.compile(r"\+?[0-9]{3,20}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_ABROAD = ("011", "00")  # what most of the world dials before a country code


@dataclass(frozen=True, slots=True)
class Number:
    """`number` is E.164 with `+`. Calls from it go by `trunk_id`, or by `trunk_ids`, the next where one fails; at most
    one of them is set. Calls to it go by `route`, nowhere without one; `webhook_url` hears of them."""

    id: str
    number: str
    created_at: int
    friendly_name: str | None = None
    trunk_id: str | None = None
    webhook_url: str | None = None
    trunk_ids: tuple[str, ...] = ()
    route: Route | None = None

    @property
    def trunks(self) -> tuple[str, ...]:
        """The trunks that it names, in the order in which they are tried."""
        return self.trunk_ids or ((self.trunk_id,) if self.trunk_id else ())


def number_of(document: dict[str, Any]) -> Number:
    """The number of a stored document; unknown fields are passed over."""
    known = {name: value for name, value in document.items() if name in Number.__dataclass_fields__}
    route = route_of(document["route"]) if "route" in document else BEFORE_ROUTES
    return Number(**{**known, "trunk_ids": tuple(document.get("trunk_ids") or ()), "route": route})


def is_e164(text: str) -> bool:
    """Whether `text` is a possible telephone number in E.164, written exactly so."""
    if not _E164.fullmatch(text):
        return False
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    exact = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text
    return exact and phonenumbers.is_possible_number(number)


def as_e164(dialled: str, country: str | None = None) -> tuple[str, ...]:
    """What a called number can mean, as numbers are registered, the likeliest first; nothing for junk.

    Carriers send `+1202…`, `1202…`, `001202…`, or the national form of their `country` (ISO 3166, two letters).
    """
    digits = dialled.translate(_SEPARATORS)
    if not _DIGITS.fullmatch(digits):
        return ()
    if digits[0] == "+":
        found = [digits]
    else:
        abroad = [f"+{digits.removeprefix(prefix)}" for prefix in _ABROAD if digits.startswith(prefix)]
        valid, possible = _national(digits, country)
        found = [*valid, *abroad, f"+{digits}", *possible]
    return tuple(dict.fromkeys(number for number in found if _E164.fullmatch(number)))


def _national(digits: str, country: str | None) -> tuple[list[str], list[str]]:
    """What a telephone in the country makes of the digits, its own way to dial abroad included: a number of a plan that
    is known, or one that has no more than the length of a number."""
    try:
        parsed = phonenumbers.parse(digits, country) if country else None
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return [], []
    exact = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return ([exact], []) if phonenumbers.is_valid_number(parsed) else ([], [exact])
