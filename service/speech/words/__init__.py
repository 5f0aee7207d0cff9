"""The wordings by language tag; `wording` finds one."""

from service.speech.words import de, en, es, fr, it, pt
from service.speech.words.wording import Wording

WORDINGS: dict[str, Wording] = {
    "en": en.AMERICAN,
    "en-GB": en.BRITISH,
    "es": es.WORDING,
    "fr": fr.WORDING,
    "it": it.WORDING,
    "de": de.WORDING,
    "pt": pt.WORDING,
}


def wording(language: str) -> Wording | None:
    """That of a language tag, or of its language; None: figures and signs are left to the engine."""
    return WORDINGS.get(language) or WORDINGS.get(language.partition("-")[0])
