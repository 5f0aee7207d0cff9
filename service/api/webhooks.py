"""Webhook endpoints, as REST."""

from service.api.answer import Answer
from service.api.context import Context
from service.api.schemas import CreateWebhook


async def create(context: Context) -> Answer:
    body: CreateWebhook = context.body
    return Answer(await context.services.webhooks.create(body.url, body.events, body.description, context.seed), 201)


async def page(context: Context) -> Answer:
    found = await context.services.webhooks.page(context.query.cursor, context.query.limit)
    return Answer(found.items, page=found)


async def get(context: Context) -> Answer:
    return Answer(await context.services.webhooks.get(context.id))


async def update(context: Context) -> Answer:
    return Answer(await context.services.webhooks.update(context.id, context.body.model_dump(exclude_unset=True)))


async def delete(context: Context) -> Answer:
    await context.services.webhooks.delete(context.id)
    return Answer(status=204)


async def test(context: Context) -> Answer:
    return Answer(await context.services.webhooks.test(context.id))


async def deliveries(context: Context) -> Answer:
    found = await context.services.webhooks.deliveries(context.id, context.query.cursor, context.query.limit)
    return Answer(found.items, page=found)


async def replay(context: Context) -> Answer:
    delivery_id = context.request.match_info["delivery_id"]
    return Answer(await context.services.webhooks.replay(context.id, delivery_id))
