"""A row of the API: one method of one path. The table of rows makes both the server and its OpenAPI page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel

from service.api.answer import Answer
from service.api.context import Context

Handler = Callable[[Context], Awaitable[Answer]]

BASES = ("/v1", "/api/v1")
READ, WRITE, ADMIN = "voice:read", "voice:write", "admin"


@dataclass(frozen=True, slots=True)
class Route:
    """`shows` names the schema of the answer's `data` (openapi.py); `errors` are the statuses beyond those that every
    route can give. `open` routes may be asked without a key; their handlers check what stands for it."""

    method: str
    path: str
    handler: Handler
    summary: str
    scope: str = READ
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    shows: str = ""
    many: bool = False
    status: int = 200
    errors: tuple[int, ...] = ()
    open: bool = False
