"""The webhooks as this process last read them, and whose URL and secret a delivery takes."""

import time

from service.webhooks.plan import is_webhook
from service.webhooks.ports import Claimed, Subscription, Webhooks

KEPT_SECONDS = 0.5


class Roster:
    """`account_secret` signs what goes to the own URLs of resources."""

    def __init__(self, webhooks: Webhooks, account_secret: bytes) -> None:
        self._webhooks, self._account_secret = webhooks, account_secret
        self._known: dict[str, Subscription] = {}
        self._read_at = float("-inf")

    async def fresh(self) -> list[Subscription]:
        """As they are now, so that an event after a webhook's creation reaches it."""
        found = [
            Subscription(each["id"], each["url"], tuple(each["events"]), each["secret"].encode())
            for each in await self._webhooks()
        ]
        self._known = {each.id: each for each in found}
        self._read_at = time.monotonic()
        return found

    async def address(self, held: Claimed) -> tuple[str, bytes] | None:
        """URL and secret for a delivery; None where its webhook is deleted. A change counts within `KEPT_SECONDS`."""
        if not is_webhook(held.endpoint):
            return held.event.url, self._account_secret
        if time.monotonic() - self._read_at > KEPT_SECONDS or held.endpoint not in self._known:
            await self.fresh()
        found = self._known.get(held.endpoint)
        return (found.url, found.secret) if found else None
