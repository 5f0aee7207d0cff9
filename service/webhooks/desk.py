"""What the API asks of the webhooks: deliveries, replay, test events."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from service.calls.ids import mint
from service.calls.times import now_ms, rfc3339
from service.control.ports import OutboxEntry, Page
from service.webhooks.ports import Deliveries, Outbox, Target


class Desk:
    """`control.webhooks.Courier`. `wake` tells this process's dispatcher that something is due."""

    def __init__(self, deliveries: Deliveries, outbox: Outbox, wake: Callable[[], None]) -> None:
        self._deliveries, self._outbox, self._wake = deliveries, outbox, wake

    async def deliveries(self, webhook_id: str, cursor: str | None, limit: int) -> Page:
        """Newest first. Raises `InvalidCursor`."""
        return await self._deliveries.page(webhook_id, cursor, limit)

    async def replay(self, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Sends a failed delivery anew, with its ids and all its attempts before it. Raises `NotFound`, `Conflict`."""
        await self._deliveries.replay(webhook_id, delivery_id, now_ms())
        return await self._queued(webhook_id, delivery_id)

    async def test(self, webhook: Mapping[str, Any]) -> dict[str, Any]:
        """Sends `webhook.test` to this webhook alone.

        The event is a resource of its own: nothing that waits for a retry holds it up.
        """
        now = now_ms()
        event_id, delivery_id = mint("evt", now), mint("dlv", now)
        at = rfc3339(now)
        data = {"webhook_id": webhook["id"]}
        body = {"id": event_id, "type": "webhook.test", "created_at": at, "sequence": 1, "data": data}
        event = OutboxEntry(event_id, "webhook.test", event_id, "", orjson.dumps(body))
        await self._outbox.add(event, [Target(delivery_id, webhook["id"], webhook["url"])], now)
        return await self._queued(webhook["id"], delivery_id)

    async def _queued(self, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        found = await self._deliveries.get(webhook_id, delivery_id)
        self._wake()
        return found
