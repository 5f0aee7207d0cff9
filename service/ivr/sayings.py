"""What a flow says that nobody wrote for it: sentences by language."""

_INVALID = {
    "en": "Sorry, that is not a valid option.",
    "es": "Lo sentimos, esa opción no es válida.",
    "fr": "Désolé, ce choix n'est pas valable.",
    "it": "Spiacenti, la scelta non è valida.",
    "de": "Diese Auswahl ist leider nicht gültig.",
    "pt": "Desculpe, essa opção não é válida.",
    "hi": "क्षमा करें, यह विकल्प मान्य नहीं है।",
    "ja": "申し訳ありません。その番号は選べません。",
    "zh": "对不起，您的选择无效。",
}
_UNAVAILABLE = {
    "en": "Sorry, nobody is available to take your call. Goodbye.",
    "es": "Lo sentimos, nadie puede atender su llamada. Adiós.",
    "fr": "Désolé, personne ne peut prendre votre appel. Au revoir.",
    "it": "Spiacenti, nessuno può rispondere alla chiamata. Arrivederci.",
    "de": "Leider kann niemand Ihren Anruf annehmen. Auf Wiederhören.",
    "pt": "Desculpe, ninguém pode atender a sua chamada. Até logo.",
    "hi": "क्षमा करें, अभी कोई आपकी कॉल नहीं ले सकता। धन्यवाद।",
    "ja": "申し訳ありません。ただいま電話に出ることができません。失礼いたします。",
    "zh": "对不起，现在无人接听您的来电。再见。",
}


def invalid(language: str) -> str:
    """After a key that has no option. In English where the language (`pt-BR`) has none."""
    return _of(_INVALID, language)


def unavailable(language: str) -> str:
    """Before a hang-up, where nobody can be reached."""
    return _of(_UNAVAILABLE, language)


def _of(sentences: dict[str, str], language: str) -> str:
    return sentences.get(language.partition("-")[0].lower(), sentences["en"])
