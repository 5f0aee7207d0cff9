"""What the webhooks need of the rest of the service. The store implements these; `app.py` puts them together.

Every method may raise `StoreUnavailable`. Times are ms since 1970.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from service.control.ports import OutboxEntry, Page


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook that a user made. `events` holds types, prefixes such as `call.*`, or `*`."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: bytes = field(repr=False)


Webhooks = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]
"""Reads the stored webhooks as they are now: documents with `id`, `url`, `events` and `secret`."""


class Target(NamedTuple):
    """One delivery to make. `endpoint` is the webhook's id, or `url_…` for a resource's own URL."""

    delivery_id: str
    endpoint: str
    url: str


class Outbox(Protocol):
    """The events that are not fanned out yet, in order. Any number of processes read it side by side."""

    async def read(self, count: int, block_ms: int) -> list[tuple[str, OutboxEntry]]:
        """The oldest events, each with its place. Where there is none, waits up to `block_ms` for one."""
        ...

    async def fan_out(self, batch: Sequence[tuple[str, OutboxEntry, Sequence[Target]]], now: int) -> None:
        """Each event becomes its deliveries and leaves the outbox, in one step; one that has left is skipped."""
        ...

    async def add(self, event: OutboxEntry, targets: Sequence[Target], now: int) -> None:
        """Deliveries of an event that does not come from the stream."""
        ...

    async def depth(self) -> int:
        """How many events wait for their fan-out."""
        ...


class Claimed(Protocol):
    """A delivery at the head of its lane, while this process holds the lane's lease."""

    @property
    def id(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def attempts(self) -> int:
        """Attempts so far."""
        ...

    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def untried(self) -> bool:
        """No attempt was ever made; a replayed one is not."""
        ...

    @property
    def lease(self) -> str:
        """Proof that the lane is ours; the store gives it and takes it back."""
        ...

    @property
    def event(self) -> OutboxEntry:
        """The event; `url` is where this delivery goes."""
        ...


class Lanes(Protocol):
    """Deliveries to one endpoint about one resource, in order. A lane is worked on by whoever holds its lease."""

    async def claim(
        self, now: int, each: int, total: int, busy: Mapping[str, int]
    ) -> tuple[Sequence[Claimed], int | None]:
        """Takes up to `total` due lanes, of each endpoint no more than `each` less those it has `busy`.

        The second value is when the next lane becomes due, None where there is none.
        """
        ...

    async def settle(
        self, held: Claimed, now: int, status: str, due: int, fields: Mapping[str, str | int], go_on: bool
    ) -> Claimed | None:
        """Records what became of `held`. `pending` and `retrying` leave it at the head until `due`; `delivered` and
        `dead` end it, and where `go_on` says so the lane's next delivery is returned under a new lease.

        Changes nothing where the lease was lost to another process.
        """
        ...

    async def sweep(self, in_hand: Set[str], now: int) -> None:
        """Makes due what is leased to this process and not in its hands, at two looks in a row: the answer to a claim
        got lost with the store. `in_hand` are ids of deliveries."""
        ...


class Deliveries(Protocol):
    """What became of deliveries, as documents of the API."""

    async def page(self, webhook_id: str, cursor: str | None, limit: int) -> Page: ...

    async def get(self, webhook_id: str, delivery_id: str) -> dict[str, Any]: ...

    async def replay(self, webhook_id: str, delivery_id: str, now: int) -> None: ...
