"""SIP trunks, as REST."""

from typing import Any

from service.api.answer import Answer
from service.api.context import Context
from service.errors import Fault


async def check(context: Context, value: dict[str, Any]) -> list[Fault]:
    return await context.services.trunks.faults(value, context.request.match_info.get("id"))


async def create(context: Context) -> Answer:
    named = context.body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Answer(await context.services.trunks.create(named, context.seed), 201)


async def page(context: Context) -> Answer:
    found = await context.services.trunks.page(context.query.cursor, context.query.limit)
    return Answer(found.items, page=found)


async def get(context: Context) -> Answer:
    return Answer(await context.services.trunks.get(context.id))


async def update(context: Context) -> Answer:
    named = context.body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Answer(await context.services.trunks.update(context.id, named))


async def delete(context: Context) -> Answer:
    await context.services.trunks.delete(context.id, context.query.force)
    return Answer(status=204)


async def health(context: Context) -> Answer:
    trunk = await context.services.trunks.trunk(context.id)
    return Answer(await context.services.trunk_check(trunk))
