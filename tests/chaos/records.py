"""The second book: what the API says of the calls of one row, all pages of it."""

from datetime import UTC, datetime
from typing import Any

from tests.stories.client import Api

ENDED = ("completed", "failed", "busy", "no_answer", "cancelled")
Record = dict[str, Any]


async def records(api: Api, since: float) -> list[Record]:
    """Every call that was created since then (seconds since 1970)."""
    after = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
    query = {"limit": "100", "created_after": after}
    found: list[Record] = []
    while True:
        status, _, body = await api.ask("GET", "/v1/voice/calls", params=query)
        assert status == 200, body
        found += body["data"]
        cursor = body["meta"]["pagination"]["cursor"]
        if not body["meta"]["pagination"]["has_more"]:
            return found
        query = {**query, "cursor": cursor}


def party(record: Record) -> str:
    """The far end's number."""
    return str(record["to"] if record["direction"] == "outbound" else record["from"])
