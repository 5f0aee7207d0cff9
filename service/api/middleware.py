"""Around every request: its id, its log line, its metrics, and the one place where errors become answers."""

import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from prometheus_client import Histogram

from service.api.answer import error_response
from service.api.endpoint import recognise
from service.api.route import BASES
from service.calls.ids import mint
from service.errors import InvalidJson, MethodNotAllowed, NotFound, OrbitError, PayloadTooLarge

log = structlog.get_logger()

DURATION = Histogram(
    "orbit_request_seconds",
    "Requests to the API, by route and status.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

# Asked for all the time, or by a path that is a secret.
_QUIET = ("/healthz", "/readyz", "/metrics", "/prompts/{signature}/{name}.wav")

_HTTP: dict[int, type[OrbitError]] = {404: NotFound, 405: MethodNotAllowed, 413: PayloadTooLarge, 400: InvalidJson}


@web.middleware
async def around(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Never lets an exception out; what is unknown is a 500 with a line in the log under the request's id."""
    request["id"] = mint("req")
    started = time.perf_counter()
    try:
        response = await handler(request)
    except OrbitError as error:
        response = error_response(error, request["id"])
    except web.HTTPException as error:
        response = await _refused(request, error)
    except ConnectionError:  # the client is gone: nobody reads the answer
        log.debug("client gone", request_id=request["id"])
        response = error_response(InvalidJson("The body ended early."), request["id"])
    except Exception:
        log.exception("request failed", request_id=request["id"], method=request.method, path=request.path)
        response = error_response(OrbitError(), request["id"])
    if not response.prepared:
        response.headers["X-Request-Id"] = request["id"]
        response.headers["Server"] = "Orbit-Voice"
        response.headers.update(request.get("limit", {}))
        if request.get("sandbox"):
            response.headers["x-orbit-env"] = "sandbox"
    _record(request, response.status, time.perf_counter() - started)
    return response


async def _refused(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """No route, or not this method: counted like any request to the API."""
    try:
        if error.status >= 400 and request.path.startswith(BASES) and "limit" not in request:
            await recognise(request)
    except OrbitError as limited:
        return error_response(limited, request["id"])
    return _translated(error, request["id"])


def _translated(error: web.HTTPException, request_id: str) -> web.StreamResponse:
    kind = _HTTP.get(error.status)
    if kind is None:
        if error.status >= 400:
            log.warning("unexpected HTTP error", status=error.status, request_id=request_id)
            return error_response(OrbitError() if error.status >= 500 else NotFound(), request_id)
        return error
    response = error_response(kind(), request_id)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _record(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "unknown"
    DURATION.labels(request.method if resource is not None else "?", route, status).observe(seconds)
    level = log.warning if status >= 500 else log.debug if route in _QUIET else log.info
    level(
        "request",
        method=request.method,
        path=request.path,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=request["id"],
        key=request.get("key_id"),
    )
