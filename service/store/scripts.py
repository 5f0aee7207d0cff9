"""The Lua scripts of the webhooks. Their key names come from `keys`, so that those stay on one page."""

import json
from functools import cache
from pathlib import Path

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from service.store import keys

_FOLDER = Path(__file__).parent
_KEYS = {
    "lanes_due": keys.lanes_due("%s"),
    "lane": keys.lane("%s", "%s"),
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


def script(redis: Redis, name: str) -> AsyncScript:
    """`webhooks_<name>.lua`, ready to be called with its arguments. One key, `keys.OUTBOX`, names the slot."""
    return redis.register_script(_source(name))
