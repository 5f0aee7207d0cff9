"""Ids: a prefix and 26 characters, 48 bits of time then 80 of chance (Crockford's base 32, as ULIDs have it).

They sort by time and cannot be guessed. A leg's channel is named after its call, so that either finds the other.
"""

import hashlib
import hmac
import re
import secrets

from service.calls.times import now_ms

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]  # ten bits at once
_SHAPE = re.compile(r"[a-z]{2,5}_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def _encode(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


_last = [0, 0]  # time and chance of the newest id: those of one process and one millisecond sort too


def mint(prefix: str, at_ms: int | None = None) -> str:
    """A new id, such as `call_01JD…`."""
    at = now_ms() if at_ms is None else at_ms
    chance = secrets.randbits(80)
    if at == _last[0]:
        above = _last[1] + 1 + secrets.randbits(64)
        chance = above if above < 1 << 80 else chance
    _last[:] = at, chance
    return f"{prefix}_{_encode(at << 80 | chance)}"


def of_seed(prefix: str, seed: str | None) -> str:
    """The id of this kind that belongs to `seed` (an id of any kind), or a new one."""
    return f"{prefix}_{seed.partition('_')[2]}" if seed else mint(prefix)


def derive(prefix: str, at_ms: int, key: bytes, name: str) -> str:
    """The one id that belongs to `name` (a channel) under the install's secret `key`.

    Every process derives the same id from the same channel, so that a call that reaches us is created once, whoever
    sees it first: an event, a reconnect or the ledger.
    """
    digest = hmac.digest(key, name.encode(), hashlib.sha256)
    return f"{prefix}_{_encode(at_ms << 80 | int.from_bytes(digest[:10], 'big'))}"


def lowest(prefix: str, at_ms: int) -> str:
    """The id before all ids of that millisecond; for ranges over time."""
    return f"{prefix}_{_encode(max(0, min(at_ms, (1 << 48) - 1)) << 80)}"


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` has the shape of an id of this kind."""
    return text.startswith(prefix + "_") and _SHAPE.fullmatch(text) is not None


def channel_of(call_id: str) -> str:
    """The channel id of a call's first leg."""
    return f"{call_id}.1"


def next_channel(channel_id: str) -> str:
    """The channel id of the leg after this one."""
    call_id, _, leg = channel_id.partition(".")
    return f"{call_id}.{int(leg) + 1}"


def call_of(channel_id: str) -> str | None:
    """The call a channel was named after, or None for a channel that we did not name."""
    call_id, _, leg = channel_id.partition(".")
    return call_id if leg and is_id(call_id, "call") else None
