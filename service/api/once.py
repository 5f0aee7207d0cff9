"""Idempotency keys: of many requests with one key exactly one acts, and all get its answer."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from service.api.answer import error_response, json_response
from service.api.context import Context
from service.api.services import Claim
from service.calls.ids import mint
from service.errors import Conflict, Fault, IdempotencyKeyReused, OrbitError, ValidationFailed

WAIT_SECONDS = 25  # for the answer of a request that is still at work
_NOT_KEPT = frozenset({401, 403, 429})  # answers that say nothing about the request itself


async def once(
    context: Context, key: str, value: Any, act: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The answer kept for `key`, or that of `act`, kept from now on. `value` is the request's body.

    A failure of ours gives the key back, with its seed: the next attempt finds what this one has made.
    """
    if not 0 < len(key) <= 255:
        raise ValidationFailed(Fault("Idempotency-Key", key, "1 to 255 characters"))
    claim = await _claim(context, key, value)
    if claim.state == "mismatch":
        raise IdempotencyKeyReused("", Fault("Idempotency-Key", key, "a key of its own for each request"))
    if claim.state == "done":
        response = json_response(claim.body, claim.status) if claim.body else web.Response(status=claim.status)
        response.headers["Idempotent-Replayed"] = "true"
        return response
    context.seed = claim.seed
    answers, kept = context.services.answers, False
    try:
        try:
            answer = await act()
        except OrbitError as error:
            if error.status >= 500 or error.status in _NOT_KEPT:
                raise
            answer = error_response(error, context.request["id"])
        assert isinstance(answer, web.Response)
        await answers.keep(context.key_id, key, answer.status, answer.body if isinstance(answer.body, bytes) else b"")
        kept = True
        return answer
    finally:
        if not kept:
            await asyncio.shield(answers.release(context.key_id, key))


async def _claim(context: Context, key: str, value: Any) -> Claim:
    """The key's state, once nobody else is at work on it. Raises `Conflict` where that takes too long."""
    path = context.request.path.removeprefix("/api").rstrip("/")
    fingerprint = hashlib.sha256(orjson.dumps([path, value], option=orjson.OPT_SORT_KEYS)).hexdigest()
    pause, waited = 0.01, 0.0
    while True:
        claim = await context.services.answers.begin(context.key_id, key, fingerprint, mint("call"))
        if claim.state != "pending":
            return claim
        if waited > WAIT_SECONDS:
            raise Conflict("Another request with this idempotency key is still at work.")
        await asyncio.sleep(pause)
        waited += pause
        pause = min(0.2, pause * 1.5)
