"""Numbers, as REST."""

from dataclasses import replace
from typing import Any

from service.api.answer import Answer
from service.api.context import Context
from service.errors import Fault


async def check(context: Context, value: dict[str, Any]) -> list[Fault]:
    return await context.services.numbers.faults(value, context.request.match_info.get("id"))


async def check_routing(context: Context, value: dict[str, Any]) -> list[Fault]:
    if value.get("type") is None:
        target = value.get("target")
        return [] if target is None else [Fault("target", target, "null: no route has no target")]
    faults = await check(context, {"route": value})
    return [replace(fault, field=fault.field.removeprefix("route.")) for fault in faults]


async def create(context: Context) -> Answer:
    named = context.body.model_dump(mode="json", exclude_unset=True)
    return Answer(await context.services.numbers.create(named, context.seed), 201)


async def page(context: Context) -> Answer:
    found = await context.services.numbers.page(context.query.cursor, context.query.limit)
    return Answer(found.items, page=found)


async def get(context: Context) -> Answer:
    return Answer(await context.services.numbers.get(context.id))


async def update(context: Context) -> Answer:
    named = context.body.model_dump(mode="json", exclude_unset=True)
    return Answer(await context.services.numbers.update(context.id, named))


async def route(context: Context) -> Answer:
    named = context.body.model_dump(mode="json")
    to = named if named["type"] else None
    return Answer(await context.services.numbers.update(context.id, {"route": to}))


async def delete(context: Context) -> Answer:
    await context.services.numbers.delete(context.id)
    return Answer(status=204)
