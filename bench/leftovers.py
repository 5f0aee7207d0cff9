"""What calls have left in Redis: every key must be one that the service knows, and none may outlive its purpose."""

import inspect
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from service.store import keys

# Rules by the name in `service.store.keys`; a key of any other name may stay.
EMPTY = {"LIVE", "live_on", "OUTBOX", "ENDPOINTS_DUE", "lanes_due", "lane", "leased_by"}
PASSING = {"delivery", "deliveries", "bucket", "answer"}  # they expire by themselves
OF_A_CALL = {"call", "timeline"}


def patterns(page: Any = keys) -> dict[str, re.Pattern[str]]:
    """Name → what its keys look like, longest first, so that the closest one is found first."""
    found = {}
    for name, value in vars(page).items():
        if inspect.isfunction(value) and value.__module__ == page.__name__:
            shape = value(*("\0" for _ in inspect.signature(value).parameters))
        elif isinstance(value, str) and name.isupper() and name != "SHARD":
            shape = value
        else:
            continue
        found[name] = re.compile(re.escape(shape).replace("\0", "(.*?)"))
    return dict(sorted(found.items(), key=lambda item: -len(item[1].pattern.replace("(.*?)", ""))))


def name_of(key: str, known: Mapping[str, re.Pattern[str]]) -> tuple[str, str] | None:
    """The name of a key and the first of what fills it; None for one that nobody knows."""
    for name, pattern in known.items():
        if found := pattern.fullmatch(key):
            return name, found[1] if found.groups() else ""
    return None


async def stray(redis: Any) -> Counter[str]:
    """Why a key should not be there → how many such keys."""
    known, found = patterns(), Counter[str]()
    stored = {member.decode() for member in await redis.zrange(keys.calls_by("all"), 0, -1)}
    async for raw in redis.scan_iter(count=1000):
        key = raw.decode()
        named = name_of(key, known)
        if named is None:
            found[f"unknown key {key}"] += 1
            continue
        name, filling = named
        if name in EMPTY and await _size(redis, key):
            found[f"{name} is not empty"] += 1
        elif name in PASSING and await redis.pttl(key) < 0:
            found[f"{name} never expires"] += 1
        elif name in OF_A_CALL and filling not in stored:
            found[f"{name} of no stored call"] += 1
    return found


async def _size(redis: Any, key: str) -> int:
    count: Callable[[str], Any] = {
        b"stream": redis.xlen, b"list": redis.llen, b"set": redis.scard, b"zset": redis.zcard, b"none": redis.exists
    }.get(await redis.type(key), redis.hlen)  # fmt: skip
    return int(await count(key))
