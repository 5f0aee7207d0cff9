"""A row of the API: one method of one path. The table of rows makes both the server and its OpenAPI page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service.api.answer import Answer
from service.api.context import Context
from service.errors import Fault

Handler = Callable[[Context], Awaitable[Answer]]
Check = Callable[[Context, dict[str, Any]], Awaitable[list[Fault]]]

BASES = ("/v1", "/api/v1")
READ, WRITE, ADMIN = "voice:read", "voice:write", "admin"


@dataclass(frozen=True, slots=True)
class Route:
    """`shows` names the schema of the answer's `data` (openapi.py); `errors` are the statuses beyond those that every
    route can give. `check` finds the faults of a body that no model can. `open` routes may be asked without a key;
    their handlers check what stands for it. `live` ones touch real carriers, and refuse a test key. `takes` are
    the media types of a body that is no JSON, which the handler reads."""

    method: str
    path: str
    handler: Handler
    summary: str
    scope: str = READ
    body: type[BaseModel] | None = None
    check: Check | None = None
    query: type[BaseModel] | None = None
    shows: str = ""
    many: bool = False
    status: int = 200
    errors: tuple[int, ...] = ()
    open: bool = False
    live: bool = False
    takes: tuple[str, ...] = ()
