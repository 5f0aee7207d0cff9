"""One request, as a handler sees it: who asks, what for, checked."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from service.api.services import SERVICES, Services


@dataclass(slots=True)
class Context:
    """`body` and `query` are instances of the route's models. `seed` is an id that stays the same when a request with
    an idempotency key is repeated after a crash; what it makes is made under that id."""

    request: web.Request
    key_id: str
    sandbox: bool
    body: Any = None
    query: Any = None
    seed: str | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def services(self) -> Services:
        return self.request.app[SERVICES]

    @property
    def id(self) -> str:
        return self.request.match_info["id"]


Model = type[BaseModel]
