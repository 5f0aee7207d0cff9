"""Calls, as REST."""

import orjson
from aiohttp import web

from service.api.answer import Answer
from service.api.context import Context
from service.api.schemas import CallQuery, CreateCall
from service.calls.call import Call
from service.calls.ids import is_id
from service.control.hangup import hang_up
from service.control.originate import NewCall
from service.control.ports import CallFilter, Page
from service.errors import InvalidCursor, NotFound, RateLimitExceeded, Unauthorized


async def create(context: Context) -> Answer:
    body: CreateCall = context.body
    await _limit_new_calls(context)
    new = NewCall(**{name: getattr(body, name) for name in CreateCall.model_fields}, sandbox=context.sandbox)
    call = await context.services.originator.place(new, context.seed)
    return Answer(context.services.show(call), 201)


async def _limit_new_calls(context: Context) -> None:
    per_second = context.services.settings.calls_per_second
    if per_second:
        left = await context.services.admission.take(f"calls:{context.key_id}", per_second, per_second)
        if not left.taken:
            raise RateLimitExceeded("Too many new calls.", retry_after=left.wait_ms / 1000)


async def page(context: Context) -> Answer:
    query: CallQuery = context.query
    after, before = query.created_after, query.created_before
    narrow = CallFilter(
        query.status,
        query.from_,
        query.to,
        query.direction,
        query.agent_id,
        None if after is None else round(after.timestamp() * 1000),
        None if before is None else round(before.timestamp() * 1000),
    )
    found = await context.services.calls.page(narrow, query.cursor, query.limit)
    return Answer([context.services.show(call) for call in found.items], page=found)


async def get(context: Context) -> Answer:
    return Answer(context.services.show(await _stored(context)))


async def hangup(context: Context) -> Answer:
    if not is_id(context.id, "call"):
        raise NotFound
    return Answer(context.services.show(await hang_up(context.services.reactor, context.id)))


async def events(context: Context) -> Answer:
    if "cursor" in context.request.query:  # a timeline is one page and gives out no cursor
        raise InvalidCursor
    call = await _stored(context)
    rows = [orjson.loads(row) for row in await context.services.calls.timeline(call.id)]
    return Answer(rows, page=Page(rows, None, len(rows)))


async def recording(context: Context) -> Answer:
    """Plays with a key, or with the signature of the call's `recording_url`."""
    query = context.query
    if not context.key_id and not context.services.presenter.may_play(context.id, query.expires, query.signature):
        raise Unauthorized("Send a key, or the whole recording_url of the call: its signature may have expired.")
    call = await _stored(context)
    path = context.services.find_recording(call.id)
    if path is None:
        raise NotFound("This call has no recording.")
    headers = {
        "Content-Type": "audio/wav",
        "Cache-Control": "private",
        "Content-Disposition": f'inline; filename="{call.id}.wav"',
    }
    return Answer(web.FileResponse(path, headers=headers))


async def _stored(context: Context) -> Call:
    if not is_id(context.id, "call"):
        raise NotFound
    held = await context.services.calls.load(context.id)
    if held is None:
        raise NotFound
    return held.call
