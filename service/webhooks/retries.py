"""What an attempt's outcome means for the delivery. Pure."""

from collections.abc import Sequence
from typing import NamedTuple


class Verdict(NamedTuple):
    """The delivery's status, and when its lane is due again (ms)."""

    status: str
    due: int


def verdict(delivered: bool, attempts: int, now: int, pauses: Sequence[float]) -> Verdict:
    """`attempts` counts the one just made; `pauses` (seconds) is one shorter than the attempts of a delivery."""
    if delivered:
        return Verdict("delivered", now)
    if attempts > len(pauses):
        return Verdict("dead", now)
    return Verdict("retrying", now + round(pauses[attempts - 1] * 1000))
