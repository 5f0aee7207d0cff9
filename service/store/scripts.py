"""The Lua scripts of the webhooks. Their key names come from `keys`, so that those stay on one page."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

from service.store import keys
from service.store.connection import Client

_FOLDER = Path(__file__).parent
_KEYS = {
    "lanes_due": keys.lanes_due("%s"),
    "lane": keys.lane("%s", "%s"),
    "leased_by": keys.leased_by("%s"),
    "delivery": keys.delivery("%s"),
    "deliveries": keys.deliveries("%s"),
}


@cache
def _source(name: str) -> str:
    names = [f"local ENDPOINTS_DUE = {json.dumps(keys.ENDPOINTS_DUE)}"]
    names += [
        f"local function {key}(...) return string.format({json.dumps(pattern)}, ...) end"
        for key, pattern in _KEYS.items()
    ]
    files = [_FOLDER / "webhooks_common.lua", _FOLDER / f"webhooks_{name}.lua"]
    return "\n".join([*names, *(file.read_text() for file in files)])


def script(redis: Client, name: str) -> Callable[..., Awaitable[Any]]:
    """`webhooks_<name>.lua`, ready to be called with its arguments. One key, `keys.OUTBOX`, names the slot."""
    ready: Callable[..., Awaitable[Any]] = redis.register_script(_source(name))
    return ready
