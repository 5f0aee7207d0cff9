"""Answers in the contract's envelope: `{"data", "meta"}` or `{"error", "meta"}`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from service.calls.times import now_ms, rfc3339
from service.control.ports import Page
from service.errors import Fault, OrbitError

_SHOWN = 200  # characters of a faulty value that an error repeats


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returns. `page` makes it a list; status 204 has no body."""

    data: Any = None
    status: int = 200
    page: Page | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, request_id: str, warnings: Sequence[str]) -> bytes:
        """The envelope as JSON."""
        meta: dict[str, Any] = _meta(request_id)
        if self.page is not None:
            meta["pagination"] = {
                "cursor": self.page.cursor,
                "has_more": self.page.cursor is not None,
                "total": self.page.total,
            }
        if warnings:
            meta["warnings"] = list(warnings)
        return orjson.dumps({"data": self.data, "meta": meta})


def _meta(request_id: str) -> dict[str, Any]:
    return {"request_id": request_id, "timestamp": rfc3339(now_ms())}


def error_response(error: OrbitError, request_id: str) -> web.Response:
    """The answer to an error, with every fault."""
    first = error.faults[0] if error.faults else None
    code = first.code if first is not None and error.code == "VALIDATION_ERROR" else error.code
    shown: dict[str, Any] = {
        "code": code,
        "message": str(error),
        "status": error.status,
        "details": _fault(first) if first else None,
    }
    if error.faults:
        shown["errors"] = [
            {"code": f.code if f.code != "VALIDATION_ERROR" else code_of(f, error), **_fault(f)} for f in error.faults
        ]
    response = json_response(orjson.dumps({"error": shown, "meta": _meta(request_id)}), error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def code_of(fault: Fault, error: OrbitError) -> str:
    """A fault's own code; of an error that is no list of faults, the error's."""
    return fault.code if error.code == "VALIDATION_ERROR" else error.code


def _fault(fault: Fault) -> dict[str, Any]:
    return {"field": fault.field, "value": _shown(fault.value), "expected": fault.expected}


def _shown(value: Any) -> Any:
    """A value as an error may repeat it: short, and always JSON."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    if not isinstance(value, str):
        try:
            value = orjson.dumps(value).decode()
        except (TypeError, ValueError):
            value = repr(value)
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "…"


def json_response(body: bytes, status: int) -> web.Response:
    """JSON that is not to be kept by caches or read as anything else."""
    return web.Response(
        body=body,
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
