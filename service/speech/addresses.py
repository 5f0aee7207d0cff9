"""Web and mail addresses, sign by sign."""

import re

from service.speech.numerals import digits
from service.speech.words.wording import Wording

_TOP = (
    "com|org|net|io|co|uk|de|fr|it|es|br|pt|at|ch|be|nl|eu|info|biz|dev|app|ai|us|ca|mx|ar|au|gov|edu|me|tv|shop|online"
)
_LABEL = r"[^\W_](?:[\w-]{0,62})"
_HOST = rf"(?:{_LABEL}\.){{1,8}}(?:{_TOP})(?![\w-])"
_REST = r"(?::\d{1,5})?(?:[/?#][^\s<>()\"]{0,300})?"
_MAIL = rf"(?<![\w.+-])[\w.+-]{{1,64}}@(?:{_LABEL}\.){{1,8}}[a-zA-Z]{{2,24}}\b"
_URL = rf"(?<![\w@.])https?://[^\s<>()\"]{{1,300}}|(?<![\w@.-])(?:www\.)?{_HOST}{_REST}"
ADDRESS = re.compile(f"{_MAIL}|{_URL}")


def spoken(text: str, words: Wording) -> str:
    return ADDRESS.sub(lambda m: _spelt(m[0], words), text)


def _spelt(address: str, words: Wording) -> str:
    kept = address.rstrip(".,;:!?'")
    tail = address[len(kept) :]
    kept = re.sub(r"^https?://", "", kept).rstrip("/")
    parts = re.findall(r"www(?=\.)|\d+|[^\W\d_]+|\S|_", kept)
    return " " + " ".join(_part(part, words) for part in parts) + tail + " "


def _part(part: str, words: Wording) -> str:
    if part.isdecimal():
        return digits(part, words)
    return words.web.get(part, part if part.isalpha() else " ")
