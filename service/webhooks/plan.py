"""Who hears of an event: the subscribed webhooks, and the URL of the resource itself. Pure."""

import hashlib
from collections.abc import Iterable

from yarl import URL

from service.calls.ids import mint
from service.control.ports import OutboxEntry
from service.webhooks.ports import Subscription, Target

URL_ENDPOINT = "url_"


def matches(pattern: str, event_type: str) -> bool:
    """`*`, the exact type, or a prefix such as `call.*`."""
    if pattern == "*" or pattern == event_type:
        return True
    return pattern.endswith(".*") and event_type.startswith(pattern[:-1])


def endpoint_of(url: str) -> str:
    """The endpoint of a resource's own URL: one per scheme, host and port, whatever path and query each call has."""
    try:
        origin = str(URL(url).origin())
    except ValueError:
        origin = url
    return URL_ENDPOINT + hashlib.sha256(origin.encode()).hexdigest()[:20]


def is_webhook(endpoint: str) -> bool:
    """Whether an endpoint is a webhook that a user made, not the own URL of a resource."""
    return not endpoint.startswith(URL_ENDPOINT)


def targets(event: OutboxEntry, subscriptions: Iterable[Subscription]) -> list[Target]:
    """The deliveries that an event needs."""
    found = [
        Target(mint("dlv"), each.id, each.url)
        for each in subscriptions
        if any(matches(pattern, event.type) for pattern in each.events)
    ]
    if event.url:
        found.append(Target(mint("dlv"), endpoint_of(event.url), event.url))
    return found
