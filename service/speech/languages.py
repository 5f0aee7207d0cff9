"""Language tags (RFC 5646) as far as voices need them: language and region."""

import re
from collections.abc import Collection

TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)

# What a language without a region means; for most it is the region with the language's own letters.
MAIN = {
    "ar": "ar-001",
    "ca": "ca-ES",
    "cs": "cs-CZ",
    "da": "da-DK",
    "de": "de-DE",
    "el": "el-GR",
    "en": "en-US",
    "es": "es-ES",
    "fi": "fi-FI",
    "fr": "fr-FR",
    "hi": "hi-IN",
    "hu": "hu-HU",
    "id": "id-ID",
    "it": "it-IT",
    "nb": "nb-NO",
    "nl": "nl-NL",
    "no": "nb-NO",
    "pl": "pl-PL",
    "pt": "pt-BR",
    "ro": "ro-RO",
    "ru": "ru-RU",
    "sv": "sv-SE",
    "tr": "tr-TR",
    "uk": "uk-UA",
    "vi": "vi-VN",
}
# Regions nearer to another one than to the language's main one.
NEAREST = {
    **dict.fromkeys(("en-AU", "en-IE", "en-IN", "en-NZ", "en-ZA"), "en-GB"),
    **dict.fromkeys(("pt-AO", "pt-MZ"), "pt-PT"),
}


def normal(tag: str) -> str:
    """`en-us`, `EN_us` → `en-US`; `pt` → `pt-BR`. Empty where it is no language tag."""
    found = TAG.fullmatch(tag.strip())
    if not found:
        return ""
    language, region = found[1].lower(), (found[2] or "").upper()
    return f"{language}-{region}" if region else MAIN.get(language, language)


def nearest(tag: str, spoken: Collection[str]) -> str | None:
    """Which of the tags in `spoken` serves `tag`: itself, a near region, the language's main one; None: none does."""
    wanted = normal(tag)
    main = MAIN.get(wanted.partition("-")[0], wanted)
    return next((each for each in (wanted, NEAREST.get(wanted, ""), main) if each and each in spoken), None)
