"""What every endpoint does before its handler: key, limit, scope, body, query, idempotency."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from service.api.answer import Answer, json_response
from service.api.body import check_body, check_query, parse_json
from service.api.context import Context
from service.api.once import once
from service.api.route import Route
from service.api.services import SERVICES
from service.calls.times import now_ms
from service.errors import (
    InsufficientPermissions,
    InvalidApiKey,
    InvalidJson,
    PayloadTooLarge,
    RateLimitExceeded,
    Unauthorized,
)


def endpoint(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a route."""

    async def serve(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        context = await _admit(request, route)
        if route.query is not None:
            context.query = check_query(route.query, request.query)
        value = parse_json(await _raw(request)) if route.body is not None else None

        async def act() -> web.StreamResponse:
            if route.body is not None:
                further = partial(route.check, context) if route.check is not None else None
                context.body, warnings = await check_body(route.body, value, services.check_url, further)
                context.warnings += warnings
            return _respond(await route.handler(context), context)

        if route.method == "POST" and (key := request.headers.get("Idempotency-Key")) is not None:
            return await once(context, key, value, act)
        return await act()

    return serve


async def _admit(request: web.Request, route: Route) -> Context:
    known = await recognise(request)
    allowed = known is not None and (route.scope in known["scopes"] or "admin" in known["scopes"])
    if route.open and not allowed:
        return Context(request, "", sandbox=False)
    if known is None:
        raise InvalidApiKey if _api_key(request) else Unauthorized
    if not allowed:
        raise InsufficientPermissions(f"The key lacks the scope {route.scope}.")
    if route.live and known["sandbox"]:
        raise InsufficientPermissions("A test key reaches nothing but the sandbox: this needs a live key.")
    return Context(request, known["id"], sandbox=known["sandbox"])


async def recognise(request: web.Request) -> dict[str, Any] | None:
    """The document of the request's key, or None; takes the request from the allowance of the key or the address.

    Raises `RateLimitExceeded`.
    """
    api_key = _api_key(request)
    known = await request.app[SERVICES].admission.key(api_key) if api_key else None
    if known is not None:
        request["key_id"], request["sandbox"] = known["id"], known["sandbox"]
    await _limit(request, known["id"] if known else f"ip:{request.remote}")
    return known


def _api_key(request: web.Request) -> str | None:
    api_key = request.headers.get("X-API-Key", "").strip()
    if not api_key:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        api_key = token.strip() if kind.lower() == "bearer" else ""
    return api_key or None


async def _limit(request: web.Request, who: str) -> None:
    """Takes a request from the allowance of `who` and notes what is left. Raises `RateLimitExceeded`."""
    services = request.app[SERVICES]
    settings = services.settings
    if settings.rate_per_minute == 0:
        return
    left = await services.admission.take(f"requests:{who}", settings.rate_per_minute / 60, settings.rate_burst)
    request["limit"] = {
        "X-RateLimit-Limit": str(settings.rate_per_minute),
        "X-RateLimit-Remaining": str(left.remaining),
        "X-RateLimit-Reset": str((now_ms() + left.full_ms + 999) // 1000),
    }
    if not left.taken:
        raise RateLimitExceeded(retry_after=left.wait_ms / 1000)


async def _raw(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise PayloadTooLarge from None
    except web.RequestPayloadError:
        raise InvalidJson("The body is not what Content-Encoding or Transfer-Encoding say.") from None


def _respond(answer: Answer, context: Context) -> web.StreamResponse:
    if isinstance(answer.data, web.StreamResponse):
        return answer.data
    if answer.status == 204:
        return web.Response(status=204)
    return json_response(answer.body(context.request["id"], context.warnings), answer.status)
