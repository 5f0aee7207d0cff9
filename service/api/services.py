"""What the handlers use. `app.py` makes one of these and puts it into the aiohttp application."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from service.calls.call import Call
from service.control.flows import FlowRegistry
from service.control.numbers import NumberRegistry
from service.control.originate import Originator
from service.control.ports import CallFilter, Page, Versioned
from service.control.present import Presenter
from service.control.reactor import Reactor
from service.control.trunks import TrunkRegistry
from service.control.webhooks import WebhookRegistry
from service.settings import Settings
from service.trunks.trunk import Trunk


class Allowance(Protocol):
    """What a token bucket answered. Times in ms."""

    @property
    def taken(self) -> bool: ...
    @property
    def remaining(self) -> int: ...
    @property
    def wait_ms(self) -> int: ...
    @property
    def full_ms(self) -> int: ...


class Admission(Protocol):
    """Keys and limits."""

    async def key(self, api_key: str) -> dict[str, Any] | None: ...

    async def take(self, bucket: str, per_second: float, burst: int) -> Allowance: ...


class Claim(Protocol):
    """What `Answers.begin` found: `state` is mine, pending, done or mismatch."""

    @property
    def state(self) -> str: ...
    @property
    def seed(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...


class Answers(Protocol):
    """First answers to idempotency keys."""

    async def begin(self, key_id: str, key: str, fingerprint: str, seed: str) -> Claim: ...

    async def keep(self, key_id: str, key: str, status: int, body: bytes) -> None: ...

    async def release(self, key_id: str, key: str) -> None: ...


class CallReader(Protocol):
    """Reads of calls."""

    async def load(self, call_id: str) -> Versioned | None: ...

    async def timeline(self, call_id: str) -> list[bytes]: ...

    async def page(self, narrow: CallFilter, cursor: str | None, limit: int) -> Page: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the API."""

    settings: Settings
    admission: Admission
    answers: Answers
    calls: CallReader
    reactor: Reactor
    originator: Originator
    numbers: NumberRegistry
    trunks: TrunkRegistry
    flows: FlowRegistry
    engines: Callable[[], Sequence[Any]]
    trunk_check: Callable[[Trunk], Awaitable[dict[str, Any]]]
    webhooks: WebhookRegistry
    presenter: Presenter
    find_recording: Callable[[str], Path | None]
    find_prompt: Callable[[str, str], Path | None]
    check_url: Callable[[str], Awaitable[str | None]]
    readiness: Callable[[], Awaitable[dict[str, bool]]]

    def show(self, call: Call) -> dict[str, Any]:
        return self.presenter.call(call)


SERVICES = web.AppKey("services", Services)
