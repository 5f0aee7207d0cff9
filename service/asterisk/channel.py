"""A channel as ARI shows it, read with care: what comes from callers is data, cleaned here once."""

import re
from datetime import datetime
from typing import Any

from service.control.inbound import Offer

STATES = {"Down": "down", "Ring": "waiting", "Ringing": "ringing", "Up": "up"}
_CALLER_LENGTH = 64
_SECONDS = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,6})?")


def ms(timestamp: str) -> int:
    """ARI's time (`2026-11-22T15:27:41.549+0000`) in ms since 1970."""
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)


def seconds_to_ms(text: str) -> int | None:
    """`1795361262.236` in ms; None for an empty or a foreign value."""
    return round(float(text) * 1000) if _SECONDS.fullmatch(text) else None


def clean(caller: str) -> str:
    """A caller's number as plain data: printable, bounded."""
    return "".join(c for c in caller if c.isprintable())[:_CALLER_LENGTH]


def variable(channel: dict[str, Any], name: str) -> str:
    """One of the variables that travel with every event (ari.conf, `channelvars`)."""
    return str((channel.get("channelvars") or {}).get(name) or "")


def endpoint_of(name: str) -> str:
    """The endpoint of a channel by its name, `PJSIP/<endpoint>-<number>`; empty for other kinds."""
    kind, _, rest = name.partition("/")
    return rest.rpartition("-")[0] if kind == "PJSIP" else ""


def offer_of(channel: dict[str, Any], node: str, app: str) -> Offer | None:
    """What a trunk brought us, or None for a channel of our own."""
    called, at = variable(channel, "ORBIT_CALLED"), seconds_to_ms(variable(channel, "ORBIT_CREATED"))
    if not called or at is None:
        return None
    caller = clean(channel["caller"]["number"])
    return Offer(channel["id"], node, app, called, caller, at, endpoint_of(str(channel.get("name", ""))))
