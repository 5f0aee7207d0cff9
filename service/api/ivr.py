"""IVR flows, as REST."""

import asyncio
from dataclasses import asdict
from typing import Any

from aiohttp import web

from service.api.answer import Answer
from service.api.context import Context
from service.control.ports import Page
from service.errors import Fault, InvalidJson, PayloadTooLarge, ValidationFailed

AUDIO_BYTES = 10_000_000
UPLOAD_SECONDS = 60.0
_ANY = "application/octet-stream"


async def check(context: Context, value: dict[str, Any]) -> list[Fault]:
    return await context.services.flows.faults(value, context.request.match_info.get("id"))


async def create(context: Context) -> Answer:
    named = context.body.model_dump(mode="json", exclude_unset=True)
    return Answer(await context.services.flows.create(named, context.seed), 201)


async def page(context: Context) -> Answer:
    found = await context.services.flows.page(context.query.cursor, context.query.limit)
    return Answer(found.items, page=found)


async def get(context: Context) -> Answer:
    return Answer(await context.services.flows.get(context.id))


async def update(context: Context) -> Answer:
    named = context.body.model_dump(mode="json", exclude_unset=True)
    return Answer(await context.services.flows.update(context.id, named))


async def delete(context: Context) -> Answer:
    await context.services.flows.delete(context.id)
    return Answer(status=204)


async def simulate(context: Context) -> Answer:
    flow, walk = await context.services.flows.simulate(context.id, context.body.keys)
    return Answer({"ivr_id": flow.id, "version": flow.version, **asdict(walk)})


async def upload(context: Context) -> Answer:
    kind = context.request.content_type
    if not kind.startswith("audio/") and kind != _ANY:
        raise ValidationFailed(Fault("Content-Type", kind, "audio/wav or another type of audio"))
    return Answer(await context.services.flows.upload(context.id, await _audio(context.request)))


async def speak(context: Context) -> Answer:
    await context.services.flows.speak(context.id)
    return Answer(status=204)


async def engines(context: Context) -> Answer:
    found = [asdict(engine) for engine in context.services.engines()]
    return Answer(found, page=Page(found, None, len(found)))


async def _audio(request: web.Request) -> bytes:
    """A body of audio, that may be larger than others. Raises `PayloadTooLarge` and `InvalidJson`."""
    read = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for piece in request.content.iter_chunked(64 * 1024):
                read += piece
                if len(read) > AUDIO_BYTES:
                    raise PayloadTooLarge(f"The audio is larger than {AUDIO_BYTES // 1_000_000} MB.")
    except (web.RequestPayloadError, TimeoutError):
        raise InvalidJson("The body ended early.") from None
    return bytes(read)
