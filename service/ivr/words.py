"""Spoken words in one form: letters without case and accents, numbers as digits. Tables of what menus hear."""

import re
import unicodedata
from collections.abc import Sequence

_DIGITS = {
    "en": "zero one two three four five six seven eight nine",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
}
_MORE = {
    "en": {"star": "*", "asterisk": "*", "pound": "#", "hash": "#"},
    "es": {"una": "1", "asterisco": "*", "estrella": "*", "almohadilla": "#", "numeral": "#"},
    "fr": {"une": "1", "étoile": "*", "dièse": "#"},
    "it": {"una": "1", "asterisco": "*", "cancelletto": "#"},
    "de": {"zwo": "2", "stern": "*", "raute": "#"},
    "pt": {"uma": "1", "duas": "2", "meia": "6", "asterisco": "*", "estrela": "*", "cerquilha": "#", "cardinal": "#"},
}
_AROUND = {  # said around a key: "press two, please"
    "en": "press number option key dial choose the i want please say uh um erm",
    "es": "pulse marque presione tecla numero opcion el la por favor eh",
    "fr": "appuyez sur tapez touche numero option le la s il vous plait svp euh",
    "it": "premi prema tasto numero opzione il la per favore ehm",
    "de": "drücke drücken taste nummer option die bitte äh ähm",
    "pt": "tecle digite aperte pressione tecla numero opcao o a por favor",
}
_NOT = {
    "en": "not no dont without",
    "es": "no sin",
    "fr": "pas non sans",
    "it": "non no senza",
    "de": "nicht kein keine keinen ohne nein",
    "pt": "nao sem",
}
_SOUNDS_LIKE = {"en": {"to": "2", "too": "2", "for": "4", "fore": "4", "won": "1", "ate": "8", "oh": "0", "o": "0"}}
"""What a recogniser may write for a number that stands alone."""

_MARKS = re.compile(r"[\u0300-\u036f]")  # accents; the vowel signs of other scripts are letters
_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc]")
_BREAKS = re.compile(r"[^\w*#\u0900-\u0dff]+|_+")  # with the vowel signs of Indic scripts, which \w leaves out


def _plain(text: str) -> str:
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return _BREAKS.sub(" ", _APOSTROPHES.sub("", unicodedata.normalize("NFKC", folded)))


def _table(lists: dict[str, str]) -> dict[str, frozenset[str]]:
    return {language: frozenset(_plain(words).split()) for language, words in lists.items()}


NUMBERS = {
    language: {_plain(word): str(digit) for digit, word in enumerate(words.split())}
    | {_plain(word): key for word, key in _MORE[language].items()}
    for language, words in _DIGITS.items()
}
AROUND, NOT = _table(_AROUND), _table(_NOT)


def main_language(tag: str) -> str:
    """`en` of `en-GB`."""
    return tag.replace("_", "-").partition("-")[0].lower()


def words(text: str, language: str) -> list[str]:
    """The words of what was said or written, in one form; numbers up to nine as digits."""
    numbers = NUMBERS.get(main_language(language), {})
    return [numbers.get(word, word) for word in _plain(text).split()]


def key_alone(said: Sequence[str], language: str) -> str:
    """The key that the words name and nothing else but words around it ("press two, please"); empty: they do not."""
    main = main_language(language)
    rest = said if len(said) == 1 else [word for word in said if word not in AROUND.get(main, ())]
    if len(rest) != 1:
        return ""
    return _SOUNDS_LIKE.get(main, {}).get(rest[0], rest[0])
