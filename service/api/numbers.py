"""Numbers, as REST."""

from service.api.answer import Answer
from service.api.context import Context
from service.api.schemas import CreateNumber


async def create(context: Context) -> Answer:
    body: CreateNumber = context.body
    made = await context.services.numbers.create(
        body.number, body.friendly_name, body.trunk_id, body.webhook_url, context.seed, body.trunk_ids or ()
    )
    return Answer(made, 201)


async def page(context: Context) -> Answer:
    found = await context.services.numbers.page(context.query.cursor, context.query.limit)
    return Answer(found.items, page=found)


async def get(context: Context) -> Answer:
    return Answer(await context.services.numbers.get(context.id))


async def delete(context: Context) -> Answer:
    await context.services.numbers.delete(context.id)
    return Answer(status=204)
