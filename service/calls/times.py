"""Times: milliseconds since 1970 inside, RFC 3339 outside."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Milliseconds since 1970, the unit of every time in the core."""
    return time.time_ns() // 1_000_000


def rfc3339(at_ms: int | None) -> str | None:
    """UTC with milliseconds and `Z` (RFC 3339)."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
