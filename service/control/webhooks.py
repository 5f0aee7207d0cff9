"""Webhook endpoints of the account: who hears of what."""

import secrets
from typing import Any, Protocol

from service.calls.ids import of_seed
from service.calls.times import now_ms, rfc3339
from service.control.collections import Collection
from service.control.ports import Page
from service.errors import Fault, NotFound, ValidationFailed

EVENTS = (
    *(
        f"call.{s}"
        for s in ("initiated", "ringing", "answered", "completed", "failed", "busy", "no_answer", "cancelled")
    ),
    "call.recording.ready",
    *(f"conference.{s}" for s in ("started", "ended", "participant.joined", "participant.left", "recording.ready")),
    "voicemail.message.created",
    "voicemail.message.transcribed",
    "ivr.input",
    "ivr.completed",
    "trunk.reachable",
    "trunk.unreachable",
    "webhook.test",
)
"""Every type of event there is."""


class Courier(Protocol):
    """Deliveries of one webhook, as the API shows them."""

    async def deliveries(self, webhook_id: str, cursor: str | None, limit: int) -> Page: ...

    async def replay(self, webhook_id: str, delivery_id: str) -> dict[str, Any]: ...

    async def test(self, webhook: dict[str, Any]) -> dict[str, Any]: ...


class WebhookRegistry:
    """Webhooks in `webhooks`; what goes out to them is the courier's."""

    def __init__(self, webhooks: Collection, courier: Courier) -> None:
        self._webhooks, self._courier = webhooks, courier

    async def create(self, url: str, events: list[str], description: str | None, seed: str | None) -> dict[str, Any]:
        """The new webhook, with its signing secret: it is shown this once. What was made of the `seed` is not made
        again."""
        webhook_id = of_seed("wh", seed)
        if seed and (made := await self._webhooks.get(webhook_id)):
            return {**shown(made), "signing_secret": made["secret"]}
        secret = f"whsec_{secrets.token_hex(32)}"
        document = {
            "id": webhook_id,
            "url": url,
            "events": known(events),
            "description": description,
            "created_at": now_ms(),
            "secret": secret,
        }
        await self._webhooks.create(document)
        return {**shown(document), "signing_secret": secret}

    async def get(self, webhook_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        return shown(await self._stored(webhook_id))

    async def page(self, cursor: str | None, limit: int) -> Page:
        page = await self._webhooks.page(cursor, limit)
        return Page([shown(d) for d in page.items], page.cursor, page.total)

    async def update(self, webhook_id: str, changes: dict[str, Any]) -> dict[str, Any]:
        """Replaces what `changes` names; takes effect on the next attempt. Raises `NotFound`."""
        if "events" in changes:
            changes = {**changes, "events": known(changes["events"])}
        while True:
            stored = await self._stored(webhook_id)
            changed = {**stored, **changes}
            if await self._webhooks.replace(changed, stored):
                return shown(changed)

    async def delete(self, webhook_id: str) -> None:
        """Raises `NotFound`. What was on its way is dropped."""
        if not await self._webhooks.delete(await self._stored(webhook_id)):
            raise NotFound

    async def test(self, webhook_id: str) -> dict[str, Any]:
        """Sends `webhook.test` to this endpoint alone; returns the delivery. Raises `NotFound`."""
        return await self._courier.test(await self._stored(webhook_id))

    async def deliveries(self, webhook_id: str, cursor: str | None, limit: int) -> Page:
        """Raises `NotFound`."""
        await self._stored(webhook_id)
        return await self._courier.deliveries(webhook_id, cursor, limit)

    async def replay(self, webhook_id: str, delivery_id: str) -> dict[str, Any]:
        """Raises `NotFound`, and `Conflict` for a delivery that has not failed."""
        await self._stored(webhook_id)
        return await self._courier.replay(webhook_id, delivery_id)

    async def _stored(self, webhook_id: str) -> dict[str, Any]:
        found = await self._webhooks.get(webhook_id)
        if found is None:
            raise NotFound
        return found


def known(events: list[str]) -> list[str]:
    """The patterns, each once. Raises `ValidationFailed` for one that no event can match."""
    faults = []
    for i, pattern in enumerate(events):
        prefix = pattern.removesuffix("*")
        if (
            pattern != "*"
            and pattern not in EVENTS
            and not (pattern.endswith(".*") and any(e.startswith(prefix) for e in EVENTS))
        ):
            faults.append(Fault(f"events.{i}", pattern, "an event type, `*`, or a prefix such as `call.*`"))
    if faults:
        raise ValidationFailed(*faults)
    return list(dict.fromkeys(events))


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """The resource of a stored webhook; its secret is not in it."""
    return {
        "id": document["id"],
        "url": document["url"],
        "events": document["events"],
        "description": document["description"],
        "created_at": rfc3339(document["created_at"]),
    }
