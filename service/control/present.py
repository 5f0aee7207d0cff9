"""Calls as the API shows them, in answers and in webhooks alike, and the signed URLs of their recordings."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.calls.call import Call, Recording
from service.calls.explanation import shown
from service.calls.ids import mint
from service.calls.times import now_ms, rfc3339
from service.calls.transitions import Notice
from service.control.ports import OutboxEntry


@dataclass(frozen=True, slots=True)
class Presenter:
    """Needs the base URL and the secret that signs recording URLs, valid for `hours`."""

    base_url: str
    secret: bytes = field(repr=False)
    hours: int

    def call(self, call: Call) -> dict[str, Any]:
        """The resource, as CONTRACT and reference name its fields."""
        return {
            "id": call.id,
            "direction": call.direction,
            "to": call.to,
            "from": call.from_,
            "status": call.status,
            "agent_id": call.agent_id,
            "ivr_id": call.ivr_id,
            "trunk_id": call.trunk_id,
            "record": call.record,
            "max_duration": call.max_duration,
            "timeout": call.timeout,
            "metadata": call.metadata,
            "webhook_url": call.webhook_url,
            "created_at": rfc3339(call.created_at),
            "ringing_at": rfc3339(call.ringing_at),
            "answered_at": rfc3339(call.answered_at),
            "ended_at": rfc3339(call.ended_at),
            "duration_seconds": call.duration_seconds,
            "recording_url": self._recording_url(call) if call.recording is Recording.READY else None,
            "hangup": shown(call.hangup) if call.hangup else None,
            "agent_summary": call.agent_summary,
        }

    def _recording_url(self, call: Call) -> str:
        # Whole hours, so that a call asked for twice shows the same URL.
        expires = (now_ms() // 3_600_000 + 1 + self.hours) * 3600
        query = f"expires={expires}&signature={self.signature(call.id, expires)}"
        return f"{self.base_url}/v1/voice/calls/{call.id}/recording?{query}"

    def signature(self, call_id: str, expires: int) -> str:
        """What makes a recording's URL valid until `expires` (seconds since 1970)."""
        return hmac.digest(self.secret, f"recording|{call_id}|{expires}".encode(), hashlib.sha256).hex()

    def may_play(self, call_id: str, expires: str, signature: str) -> bool:
        """Whether the query of a recording's URL is ours and still valid."""
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()):
            return False
        valid = hmac.compare_digest(self.signature(call_id, int(expires)), signature)
        return valid and int(expires) * 1000 > now_ms()

    def announce(self, notice: Notice) -> tuple[bytes, OutboxEntry | None]:
        """A notice as its timeline row and as its outbox entry; both carry one event id. A quiet one has no entry."""
        event_id, call = mint("evt", notice.at), notice.call
        head = {
            "id": event_id,
            "type": notice.type,
            "created_at": rfc3339(notice.at),
            "sequence": call.sequence,
        }
        row = orjson.dumps({**head, "recovered": notice.recovered, "detail": notice.detail})
        if notice.quiet:
            return row, None
        told = {"detail": notice.detail} if notice.type.startswith("ivr.") else {}
        body = orjson.dumps({**head, "data": self.call(call), **told})
        return row, OutboxEntry(event_id, notice.type, call.id, call.webhook_url or "", body)
